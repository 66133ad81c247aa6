"""Read images with labels that another study has generated."""

from functools import cache

from matlens import columns
from matlens.ingest import Micrograph
from matlens.store import io
from matlens.store.arrays import Arrays

ASKED = "asked_"  # prefix of the columns of conditions in the table of generated images


def files(*, study: str, method: str) -> list[str]:
    """List the files of a generated set: images, labels, rows."""
    folder = f"results/{study}/generate/{method}"
    return [f"{folder}/images/all.zarr.zip", f"{folder}/truth/all.zarr.zip", f"{folder}/generated/all.parquet"]


def plan(*, study: str, method: str):
    """List the generated images; the conditions that were asked for have the names of their columns again."""
    table = io.read_table(files(study=study, method=method)[2])
    kept = [columns.ITEM, *(name for name in table if name.startswith(ASKED)), "place"]
    return table[kept].rename(columns=lambda name: name.removeprefix(ASKED)).assign(position=range(len(table)))


def read(item: dict, *, study: str, method: str) -> Micrograph:
    """Read one generated image with its labels."""
    images, truth, _ = files(study=study, method=method)
    pixels, key = _opened(images), int(item["position"])
    about = pixels.attrs(key)
    return Micrograph(
        pixels[key],
        about["axes"],
        intensity_low=about["intensity_low"],
        intensity_high=about["intensity_high"],
        truth=_opened(truth)[key],
        spacing_um=about["spacing_um"],
    )


@cache
def _opened(path: str):
    """Open arrays until the process ends."""
    return Arrays(path)
