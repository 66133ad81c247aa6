"""Detect incompletely written files: their last rows, slices or frames have one value."""

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, ignored

LEAST_SHARE, LEAST_ROWS = 0.05, 4  # fraction of the rows; fewer may be a border


def constant_end(planes: np.ndarray) -> int:
    """Count the entries at the end of the first axis that all have one and the same value."""
    rows = planes.reshape(len(planes), -1)
    value = rows[-1, 0]
    same = (rows[::-1] == value).all(axis=1) if rows[-1].min() == rows[-1].max() else np.zeros(1, bool)
    return len(same) if same.all() else int(np.argmin(same))


def tail(found: Micrograph) -> None:
    """Report rows at the end of an image (slices, frames of a stack) that have one value: an incomplete copy.

    At least 5 % of the rows and 4 of them count; of stacks, one slice that is empty counts if others are not.
    """
    pixels = found.pixels
    count, name, least = constant_end(pixels), "rows", LEAST_ROWS
    if pixels.ndim == 3:
        name, least = ("frames" if found.axes.startswith("t") else "slices"), 1
        if not count:
            count, name, least = constant_end(pixels[-1]), "rows of the last plane", LEAST_ROWS
    total = pixels.shape[-2] if "rows" in name else len(pixels)
    if least <= count < total and count >= LEAST_SHARE * total:
        found.meta[columns.TAIL] = count
        ignored.note(found, f"{count} of {total} {name} at the end have one value; was the file copied whole?")
