"""Overlap of labels with the truth, while a method is chosen or trained."""

import numpy as np


def confusion(truth: np.ndarray, labels: np.ndarray, phases: int) -> np.ndarray:
    """Count pixels by (truth, label); those of truth 255 are left out."""
    judged = truth != 255
    return np.bincount(truth[judged].astype(np.int64) * phases + labels[judged], minlength=phases**2).reshape(
        phases, -1
    )


def ious(confusion: np.ndarray) -> np.ndarray:
    """Return the intersection over union of every phase from a matrix of counts; NaN where neither has the phase."""
    both = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - both
    return np.where(union > 0, both / np.maximum(union, 1), np.nan)
