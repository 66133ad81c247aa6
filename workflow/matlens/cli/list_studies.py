"""List the studies of config/studies that can be planned on this machine: all, or those without public data."""

import os
import sys
from pathlib import Path

from matlens.job import entry
from matlens.store import catalog, yaml_files

FOLDER = Path("config/studies")
DEFAULT = "../shared/data"  # of the public data, where MATLENS_DATA names no other folder


def uses_public_data(settings: dict) -> bool:
    """Check whether a study names a public data set of the catalogue, or folds that are published with one."""
    sets = [part for part in settings["ingest"].values() if isinstance(part, dict) and part.get("set")]
    return bool(
        catalog.named_in(settings) or sets or str((settings.get("predict") or {}).get("split", "")).startswith("ood:")
    )


def plannable() -> tuple[list[str], list[str]]:
    """Return the names of the studies that can be planned here, and of those whose public data are absent."""
    here = Path(os.environ.get("MATLENS_DATA") or DEFAULT).is_dir()
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    public = [name for name in names if uses_public_data(yaml_files.read_yaml(FOLDER / f"{name}.yaml")[0])]
    absent = [] if here else public
    return [name for name in names if name not in absent], absent


def main() -> None:
    """Print the names of the studies that can be planned, and on stderr those whose public data are absent."""
    names, absent = plannable()
    if absent:
        print(f"skipped, the public data are not on this machine: {' '.join(absent)}", file=sys.stderr)
    print(",".join(names))


if __name__ == "__main__":
    entry.run(main)
