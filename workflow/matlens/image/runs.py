"""Runs: straight stretches of one phase along an axis, the basis of chords and the lineal path."""

import numpy as np


def find(mask: np.ndarray, axis: int, known: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of every run of true pixels along an axis, and how many of its ends are cut: 0, 1 or 2.

    The border of the image cuts a run, and so does a pixel that is not `known` (bool, same shape; None: all are).
    """
    flat = _padded(mask, axis, False).ravel()
    outside = _padded(np.zeros(mask.shape, bool) if known is None else ~known, axis, True).ravel()
    change = np.flatnonzero(flat[1:] != flat[:-1])
    start, end = change[::2], change[1::2]  # the pixels before the first of each run, and its last ones
    return end - start, outside[start].astype(np.int8) + outside[end + 1]


def _padded(values: np.ndarray, axis: int, border: bool) -> np.ndarray:
    """Lay lines along an axis below each other, with a pixel of `border` at both ends."""
    lines = np.moveaxis(values, axis, -1)
    padded = np.full((lines.size // lines.shape[-1], lines.shape[-1] + 2), border)
    padded[:, 1:-1] = lines.reshape(-1, lines.shape[-1])
    return padded


def counts(lengths: np.ndarray, n: int) -> np.ndarray:
    """Count the runs of each length 0..n."""
    return np.bincount(lengths, minlength=n + 1)
