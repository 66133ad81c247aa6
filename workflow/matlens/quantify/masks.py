"""What the spatial statistics share: the mask of one phase, the names of the axes, and how tables of curves look."""

import numpy as np

from matlens.job.batch import BadItem
from matlens.quantify.phase_maps import UNLABELLED


def of_phase(labels: np.ndarray, phase: int, phases: list[str]) -> np.ndarray:
    """Return where `labels` are one phase, as a boolean array.

    In a region map (int32) phase 0 is background or boundary and phase 1 is every region. A phase that the study does
    not name is a BadItem.
    """
    known = len(phases) if labels.dtype == np.uint8 else 2
    if phase >= known:
        kind = f"the study names {known} phases" if labels.dtype == np.uint8 else "a region map has phases 0 and 1"
        raise BadItem(f"option 'phase' is {phase}, but {kind} (counted from 0); give a smaller number")
    return labels == phase if labels.dtype == np.uint8 else (labels > 0 if phase else labels == 0)


def labelled(labels: np.ndarray) -> np.ndarray:
    """Return where `labels` say anything: 255 of a phase map and -1 of a region map are no phase."""
    return labels != UNLABELLED if labels.dtype == np.uint8 else labels >= 0


def directions(ndim: int) -> str:
    """Name the axes of an image or volume, in the order of its shape: "yx" or "zyx"."""
    return "zyx"[-ndim:]


def curves(found: dict[str, np.ndarray], phase: int, column: str):
    """Stack curves over the lag into a table: phase, direction, lag_px (0, 1, 2, ...) and the value."""
    import pandas as pd

    return pd.concat(
        [
            pd.DataFrame({"phase": phase, "direction": name, "lag_px": np.arange(len(values)), column: values})
            for name, values in found.items()
        ],
        ignore_index=True,
    )
