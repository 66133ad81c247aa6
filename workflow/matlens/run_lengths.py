"""Masks as text: run lengths within their box, row by row, beginning with pixels outside."""

import numpy as np


def encode(mask: np.ndarray) -> str:
    """Return the run lengths of a mask (bool, (height, width)) as text: "0 3 2 1" is xxx..x."""
    flat = np.concatenate([[False], np.asarray(mask, bool).ravel()])
    cuts = np.flatnonzero(np.diff(flat))
    return " ".join(map(str, np.diff(np.concatenate([[0], cuts, [flat.size - 1]])).tolist()))


def decode(text: str, shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of run lengths, bool of that shape. Raises ValueError if they do not fill it."""
    runs = np.array(text.split(), int)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    if flat.size != shape[0] * shape[1]:
        raise ValueError(f"run lengths of {flat.size} pixels do not fill {shape[0]} x {shape[1]}")
    return flat.reshape(shape)
