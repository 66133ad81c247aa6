"""Runs: the straight stretches of one phase along an axis, which chords and the lineal path are counted from."""

import numpy as np


def find(mask: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of every run of true pixels along an axis, and whether the border of the image cuts it."""
    lines = np.moveaxis(mask, axis, -1)
    n = lines.shape[-1]
    padded = np.zeros((lines.size // n, n + 1), bool)  # one false pixel ends every line
    padded[:, :n] = lines.reshape(-1, n)
    flat = padded.ravel()
    change = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        change = np.concatenate([[0], change])
    start, end = change[::2], change[1::2]
    return end - start, (start % (n + 1) == 0) | (end % (n + 1) == n)


def counts(lengths: np.ndarray, n: int) -> np.ndarray:
    """Count the runs of each length 0..n."""
    return np.bincount(lengths, minlength=n + 1)
