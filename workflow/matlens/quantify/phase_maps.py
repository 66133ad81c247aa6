"""Labels as phases: what a region map and a phase map have in common."""

import numpy as np

from matlens.batch import BadItem

UNLABELLED = 255


def phase_map(labels: np.ndarray, phases: list[str]) -> np.ndarray:
    """Return labels as a uint8 phase map, in which 255 is not labelled.

    A region map (int32) becomes phase 1 where it has a region, phase 0 where it is 0 and not labelled where it is -1. A
    phase that the study does not name is a BadItem.
    """
    if labels.dtype == np.int32:
        return np.where(labels < 0, UNLABELLED, labels > 0).astype(np.uint8)
    counts = np.bincount(labels.ravel(), minlength=256)
    if counts[len(phases) : UNLABELLED].any():
        highest = int(np.flatnonzero(counts[:UNLABELLED])[-1])
        raise BadItem(
            f"the labels hold phase {highest}, but the study names {len(phases)} phases (counted from 0); name it"
        )
    return labels
