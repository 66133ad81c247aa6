"""Labelled cells that a NumPy file holds as one array, items first, and published fields in them."""

import re
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.readers import npy
from matlens.job.batch import BadItem
from matlens.store import catalog
from matlens.store.files import sha256

NONE: Mapping = MappingProxyType({})
NUMBER = "number"
COMPONENT = re.compile("(strain|stress)_[xyz]{2}|(gradient|flux|force|velocity)_[xyz]")


def located(path: str) -> Path:
    """Return the file of a path, or the one of a public set, "<set>/<file>". Raises ValueError if there is none."""
    if Path(path).is_file():
        return Path(path)
    name, _, file = path.partition("/")
    if name not in catalog.entries():
        raise ValueError(f"there is no file '{path}', and no set '{name}' in data/catalog.yaml; correct path")
    return catalog.find(name, file)


def listing(*, path: str, labels: str = "labels", fields: Mapping[str, str] = NONE) -> str:
    """Digest the file. Raises ValueError if it, or an array that is named, is not there or is of another shape."""
    _shape(path, labels, fields)
    return sha256(located(path))


@cache
def _shapes(file: Path) -> dict:
    if file.suffix != ".npz":
        raise ValueError(f"'{file}' is no .npz; save the arrays by numpy.savez")
    try:
        return npy.shapes(str(file))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"'{file}' is no readable .npz ({error}); save it again by numpy.savez") from error


def _shape(path: str, labels: str, fields: Mapping[str, str]) -> tuple[int, ...]:
    """Return the shape of the labels. Raises ValueError if arrays do not fit each other."""
    known = _shapes(located(path))
    for component in fields:
        if not COMPONENT.fullmatch(component):
            raise ValueError(f"fields: '{component}' is no component; write it like strain_xx, stress_xy or flux_x")
    for name in (labels, *fields.values()):
        if name not in known:
            raise ValueError(f"'{path}' has no array '{name}'; it has {', '.join(sorted(known))}")
        if known[name][1].kind not in "biuf":
            raise ValueError(f"the array '{name}' of '{path}' holds {known[name][1]}; save numbers")
    shape = known[labels][0]
    if len(shape) not in (3, 4):
        raise ValueError(f"the array '{labels}' of '{path}' has {len(shape)} axes; save items, [z,] y, x")
    for name in fields.values():
        if known[name][0] != shape:
            raise ValueError(f"the array '{name}' of '{path}' has the shape {known[name][0]}, '{labels}' {shape}")
    return shape


def plan(*, path: str, labels: str = "labels", fields: Mapping[str, str] = NONE):
    """List the cells of a file, one per index of the first axis."""
    import pandas as pd

    count = _shape(path, labels, fields)[0]
    stem, digits = located(path).stem, max(2, len(str(count - 1)))
    names = [f"{stem}_{number:0{digits}d}" for number in range(count)]
    return pd.DataFrame({columns.ITEM: names, NUMBER: range(count)})


def read(
    item: dict,
    phases: list[str],
    *,
    path: str,
    labels: str = "labels",
    fields: Mapping[str, str] = NONE,
    pixel_size_um: float | None = None,
) -> Micrograph:
    """Read one cell; the truth is its phases, and the published fields are layers of the image.

    `path`: an .npz, or one of a public set, "<set>/<file>". `labels`: name of the array of phase numbers (items, [z,]
    y, x). `fields`: array of the same shape by component, {strain_zz: strain}. Raises BadItem if a number is no phase,
    or a field is not finite.
    """
    number, arrays = int(item[NUMBER]), _opened(str(located(path)))
    marks = np.asarray(arrays[labels][number])
    if (marks != np.round(marks)).any() or marks.min() < 0 or marks.max() >= len(phases):
        raise BadItem(
            f"its labels go from {marks.min():g} to {marks.max():g}, and the study names {len(phases)} phases, whose "
            "numbers are 0, 1, ...; name all phases, and save whole numbers"
        )
    layers = {component: np.asarray(arrays[name][number], np.float32) for component, name in fields.items()}
    for component, values in layers.items():
        if not np.isfinite(values).all():
            raise BadItem(f"its published field {component} holds NaN or infinite values; correct the file")
    axes, truth = "zyx"[-marks.ndim :], marks.astype(np.uint8)
    return Micrograph(
        truth.astype(np.float32), axes, pixel_size_um, 0.0, max(1.0, len(phases) - 1.0), truth, layers=layers
    )


@cache
def _opened(path: str) -> dict:
    """Read the arrays of a file once in a process; nothing is unpickled."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
