"""Masks shared by the spatial statistics: pixels of one phase, labelled pixels, windows, axis names, tables of curves.

Pixels that are not labelled (255 of a phase map, -1 of a region map) belong to no phase. They lie outside the window,
as pixels beyond the border of the image do: margins are cropped, and within the rest only labelled pixels are used.
"""

import itertools

import numpy as np

from matlens.image.phase_maps import UNLABELLED
from matlens.job.batch import BadItem

RAGGED = 0.05  # largest part of a face of the window of transport that may be unlabelled


def of_phase(labels: np.ndarray, phase: int, phases: list[str]) -> np.ndarray:
    """Return the mask of one phase of `labels`, as a boolean array.

    In a region map (int32) phase 0 is background or boundary and phase 1 is every region. Raises BadItem if the study
    does not name the phase.
    """
    known = len(phases) if labels.dtype == np.uint8 else 2
    if phase >= known:
        kind = f"the study names {known} phases" if labels.dtype == np.uint8 else "a region map has phases 0 and 1"
        raise BadItem(f"option 'phase' is {phase}, but {kind} (counted from 0); give a smaller number")
    return labels == phase if labels.dtype == np.uint8 else (labels > 0 if phase else labels == 0)


def labelled(labels: np.ndarray) -> np.ndarray:
    """Return the mask of labelled pixels: not 255 in a phase map, not -1 in a region map."""
    return labels != UNLABELLED if labels.dtype == np.uint8 else labels >= 0


def bounds(known: np.ndarray) -> tuple[slice, ...]:
    """Return the bounding box of the labelled pixels. Raises BadItem if there are none."""
    cut = []
    for axis in range(known.ndim):
        inside = np.flatnonzero(known.any(tuple(other for other in range(known.ndim) if other != axis)))
        if not len(inside):
            raise BadItem(
                "no pixel of the label image is labelled (all are 255, or -1 in a region map); "
                "check the mask or the segmentation, or exclude this item"
            )
        cut.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return tuple(cut)


def window(labels: np.ndarray, phase: int, phases: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the masks of a phase and of the labelled pixels, cropped to the bounding box of the latter."""
    known = labelled(labels)
    cut = bounds(known)
    return of_phase(labels[cut], phase, phases), known[cut]


def transport_window(labels: np.ndarray, phase: int, phases: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return both masks of `window`, cropped to a box whose faces are labelled: inlet and outlet.

    From the bounding box of the labelled pixels, the face with the largest unlabelled part is cut off until each has
    less than 5 %, or less than twice that of the whole box (single unlabelled pixels are no margin). A margin is
    cropped, a round field of view becomes a square inside it. Pixels inside the box that are not labelled are not
    passable.
    """
    known = labelled(labels)
    box = [[part.start, part.stop] for part in bounds(known)]
    missing = int(np.prod([b - a for a, b in box])) - int(np.count_nonzero(known))
    while missing:
        inner = known[tuple(slice(a, b) for a, b in box)]
        faces = [(axis, end) for axis, end in itertools.product(range(known.ndim), (0, -1)) if inner.shape[axis] > 1]
        gaps = [np.count_nonzero(~np.take(inner, end, axis=axis)) for axis, end in faces]
        parts = [gap * inner.shape[axis] / inner.size for gap, (axis, _) in zip(gaps, faces, strict=True)]
        if not parts or max(parts) <= max(RAGGED, 2 * missing / inner.size):
            break
        worst = int(np.argmax(parts))
        axis, end = faces[worst]
        missing -= int(gaps[worst])
        box[axis][end] += 1 if end == 0 else -1
    cut = tuple(slice(a, b) for a, b in box)
    return of_phase(labels[cut], phase, phases), known[cut]


def spacings(spacing: tuple[float, ...] | None, ndim: int) -> tuple[float, ...]:
    """Return the pixel spacing along each axis over that along x: ones if `spacing` is None."""
    return (1.0,) * ndim if spacing is None else tuple(float(step) for step in spacing)


def directions(ndim: int) -> str:
    """Name the axes of an image or volume, in the order of its shape: "yx" or "zyx"."""
    return "zyx"[-ndim:]


def curves(found: dict[str, np.ndarray], phase: int, column: str, steps: dict[str, float] | None = None):
    """Stack curves over the lag into a table: phase, direction, lag_px and the value.

    `steps`: distance between the lags of a direction, in widths of a pixel; 1 unless given.
    """
    import pandas as pd

    tables = []
    for name, values in found.items():
        lag, step = np.arange(len(values)), (steps or {}).get(name, 1.0)
        lag = lag if step == 1 else lag * step
        tables.append(pd.DataFrame({"phase": phase, "direction": name, "lag_px": lag, column: values}))
    return pd.concat(tables, ignore_index=True)
