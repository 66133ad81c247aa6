"""Labels as phases: common functions of region maps and phase maps."""

import numpy as np

from matlens.job.batch import BadItem

UNLABELLED = 255
PART_PX = 1 << 24  # counted at a time: numpy widens what it counts to eight bytes a pixel


def tally(labels: np.ndarray) -> np.ndarray:
    """Count the pixels of every value of a uint8 array, 256 counts, in parts that bound the memory."""
    rows = max(1, PART_PX * len(labels) // max(labels.size, 1))
    parts = (labels[first : first + rows] for first in range(0, len(labels), rows))
    return sum((np.bincount(part.ravel(), minlength=256) for part in parts), np.zeros(256, np.int64))


def phase_map(labels: np.ndarray, phases: list[str]) -> np.ndarray:
    """Return labels as a uint8 phase map, in which 255 is not labelled.

    A region map (int32) becomes phase 1 where it has a region, phase 0 where it is 0 and not labelled where it is -1. A
    phase that the study does not name is a BadItem.
    """
    if labels.dtype == np.int32:
        return np.where(labels < 0, UNLABELLED, labels > 0).astype(np.uint8)
    check(tally(labels), phases)
    return labels


def check(counts: np.ndarray, phases: list[str]) -> None:
    """Refuse phases that the study does not name, from the counts of all values."""
    if counts[len(phases) : UNLABELLED].any():
        highest = int(np.flatnonzero(counts[:UNLABELLED])[-1])
        raise BadItem(
            f"the labels hold phase {highest}, but the study names {len(phases)} phases (counted from 0); name it"
        )
