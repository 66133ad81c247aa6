"""Crystals of matminer data sets, from matminer's cache or download address."""

import os
from pathlib import Path

from matlens import columns
from matlens.ingest import file_search
from matlens.ingest.crystals import structures
from matlens.ingest.crystals.structures import ROW, read
from matlens.registry import suggest

__all__ = ["listing", "plan", "read"]
CACHE = "MATMINER_DATA"  # environment variable of matminer's cache; default: the folder of its package


def _cached(name: str) -> tuple[Path, dict]:
    """Return path and metadata of a matminer set. Raises ValueError, with the nearest name, if it is unknown."""
    from matminer import datasets
    from matminer.datasets.utils import _load_dataset_dict

    known = _load_dataset_dict()
    if name not in known:
        raise ValueError(f"name: matminer has no set '{name}'; {suggest(name, known)}")
    home = Path(os.path.expanduser(os.environ.get(CACHE) or Path(datasets.__file__).parent))
    return home / f"{name}.{known[name]['file_type']}", known[name]


def listing(*, name: str) -> str:
    """Digest the file of a set; "" if it is not downloaded yet."""
    path, _ = _cached(name)
    return file_search.digest([path]) if path.is_file() else ""


def _fetch(url: str, path: Path, sha256: str) -> None:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent)


def plan(*, name: str, targets: list[str] | None = None):
    """List the crystals of a matminer set as `structures.plan` does; download its file if missing.

    `name`: as in matminer's `load_dataset`, which reads the same file. Rows of Matbench sets get their official ids
    ("mb-jdft2d-001"). Raises OSError, with the searched path, if the file is not available.
    """
    path, about = _cached(name)
    if not path.is_file():
        try:
            _fetch(about["url"], path, about["hash"])
        except (OSError, ValueError) as error:
            raise OSError(
                f"the set '{name}' is not in matminer's cache ({path}; set {CACHE} for another folder) and cannot be "
                f"downloaded: {error}. Put the file of {about['url']} there, or use the set of data/catalog.yaml "
                "by 'crystal_set'"
            ) from error
    found = structures.plan(path=str(path), targets=targets)
    if found[columns.REASON].notna().all():
        raise ValueError(f"the set '{name}' cannot be used: {found[columns.REASON].iloc[0]}")
    if name.startswith("matbench_"):
        stem, width = name.removeprefix("matbench_").replace("_", "-"), len(str(about["num_entries"]))
        found[columns.ITEM] = [f"mb-{stem}-{row + 1:0{width}d}" for row in found[ROW].astype(int)]
    return found
