"""Applicability domain of a learned restoration: noise, its correlation and the size of detail of the training images.

A network that has never seen such noise may smooth too much or too little, or invent detail; an image outside the
ranges of the training images is reported.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from matlens.image.scale import noise, robust

LARGEST_PX = 512  # side of the part in the middle that is described


def _neighbours(image: np.ndarray, axis: int) -> float:
    """Return the correlation of neighbouring differences: -0.5 for white noise, near 1 for smooth images.

    An axis of fewer than three pixels has none: -0.5.
    """
    if image.shape[axis] < 3:
        return -0.5
    steps = np.diff(image, axis=axis)
    first, last = (np.take(steps, np.arange(k, steps.shape[axis] - 1 + k), axis) for k in (0, 1))
    size = np.abs(steps)
    limit = 4 * np.median(size) + 1e-12 * size.max()
    first, last = np.clip(first, -limit, limit), np.clip(last, -limit, limit)
    power = float((steps.clip(-limit, limit) ** 2).mean())
    return float((first * last).mean()) / power if power > 0 else 0.0


def length_px(image: np.ndarray) -> float:
    """Return the lag at which the autocorrelation of an image falls to half of that at a lag of two pixels.

    Lags 0 and 1 are left out: there noise adds to the structure. Mean of rows and columns.
    """
    level, spread = robust(image)
    centred = np.clip((image.astype(np.float64) - level) / spread, -4, 4)
    centred -= centred.mean()
    found = []
    for axis in (-1, -2):
        size = centred.shape[axis]
        spectrum = np.abs(np.fft.rfft(centred, 2 * size, axis)) ** 2
        made = np.fft.irfft(spectrum.reshape(-1, *spectrum.shape[-2:]).mean((0, -2 if axis == -1 else -1)))[: size // 2]
        made = made / (size - np.arange(len(made)))
        below = np.flatnonzero(made[2:] < 0.5 * made[2]) if len(made) > 2 and made[2] > 0 else [0]
        found.append(2.0 + (below[0] if len(below) else len(made) - 2))
    return float(np.mean(found))


def described(image: np.ndarray) -> dict[str, float]:
    """Describe an image: noise over half its range, correlation of neighbouring steps, size of detail in pixels."""
    middle = tuple(
        slice(max(0, (n - LARGEST_PX) // 2), max(0, (n - LARGEST_PX) // 2) + LARGEST_PX) for n in image.shape
    )
    part = image[middle].astype(np.float64)
    return {
        "noise": noise(part) / robust(part)[1],
        "steps_rows": _neighbours(part, part.ndim - 1),
        "steps_columns": _neighbours(part, part.ndim - 2),
        "length_px": length_px(part),
    }


def ranges(images: Iterable[np.ndarray]) -> dict[str, list[float]]:
    """Return the smallest and the largest value of every property of some images, for the card."""
    rows = [described(image) for image in images]
    return {name: [min(row[name] for row in rows), max(row[name] for row in rows)] for name in rows[0]}


def outside(image: np.ndarray, known: Mapping[str, list[float]]) -> dict[str, float]:
    """Return by how much every property lies outside the training images, in widths of their range; 0 inside."""
    found = described(image)
    made = {}
    for name, (low, high) in known.items():
        width = max(high - low, 1e-3 * max(abs(low), abs(high), 1e-3))
        made[name] = max(low - found[name], found[name] - high, 0.0) / width
    return made
