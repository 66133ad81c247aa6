"""Lineal path L(r): the probability that a straight segment of length r lies wholly in the phase.

A run of l pixels holds l - r segments from pixel centre to pixel centre of length r; an axis of n pixels holds n - r.
B. Lu, S. Torquato, Phys. Rev. A 45 (1992) 922.
"""

import numpy as np

from matlens.quantify import masks, runs


def path(mask: np.ndarray, axis: int, max_lag: int) -> np.ndarray:
    """Compute L at the lags 0, 1, 2, ... along one axis, over every segment inside the image."""
    n = mask.shape[axis]
    number = runs.counts(runs.find(mask, axis)[0], n)
    longer = np.cumsum(number[::-1])[::-1]  # runs of at least l pixels
    segments = np.cumsum(longer[::-1])[::-1][1:]  # sum over runs of max(l - r, 0), at r = 0, 1, ...
    possible = mask.size // n * (n - np.arange(n))
    last = min(max_lag, n - 1) + 1
    return segments[:last] / possible[:last]


def measure(labels: np.ndarray, phases: list[str], *, phase: int = 1, max_lag_px: int = 100):
    """Measure the lineal path function of a phase along each axis.

    `phase`: its number. `max_lag_px`: the longest segment (less where the image is smaller). Returns phase, direction
    (x, y, z), lag_px, lineal_path_probability; at lag 0 that is the fraction of the phase.
    """
    mask = masks.of_phase(labels, phase, phases)
    found = {name: path(mask, axis, max_lag_px) for axis, name in enumerate(masks.directions(mask.ndim))}
    return masks.curves(found, phase, "lineal_path_probability")
