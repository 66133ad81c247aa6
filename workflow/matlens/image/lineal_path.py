"""Lineal path L(r): the probability that a straight segment of length r lies wholly in the phase.

A run of l pixels holds l - r segments from pixel centre to pixel centre of length r. They are divided by the segments
whose pixels are all labelled: n - r on an axis of n pixels.
B. Lu, S. Torquato, Phys. Rev. A 45 (1992) 922.
"""

import numpy as np

from matlens.image import masks, runs


def segments(mask: np.ndarray, axis: int) -> np.ndarray:
    """Count the segments of length 0, 1, 2, ... along an axis that lie wholly in a mask."""
    n = mask.shape[axis]
    number = runs.counts(runs.find(mask, axis)[0], n)
    longer = np.cumsum(number[::-1])[::-1]  # runs of at least l pixels
    return np.cumsum(longer[::-1])[::-1][1:]  # sum over runs of max(l - r, 0), at r = 0, 1, ...


def path(mask: np.ndarray, known: np.ndarray, axis: int, max_lag: int) -> np.ndarray:
    """Compute L at lags of 0, 1, 2, ... pixels along one axis, over the labelled segments; nan where there are none."""
    last = min(max_lag, mask.shape[axis] - 1) + 1
    inside, possible = segments(mask, axis)[:last], segments(known, axis)[:last]
    return np.divide(inside, possible, out=np.full(last, np.nan), where=possible > 0)


def measure(
    labels: np.ndarray, phases: list[str], spacing: tuple | None = None, *, phase: int = 1, max_lag_px: int = 100
):
    """Measure the lineal path function of a phase along each axis.

    `phase`: its number. `max_lag_px`: the longest segment (less where the image is smaller). `spacing`: see
    `masks.spacings`. Returns phase, direction (x, y, z), lag_px, lineal_path_probability; at lag 0 that is the fraction
    of the phase. A segment counts if all of its pixels are labelled.
    """
    mask, known = masks.window(labels, phase, phases)
    steps = dict(zip(masks.directions(mask.ndim), masks.spacings(spacing, mask.ndim), strict=True))
    found = {
        name: path(mask, known, axis, int(max_lag_px / step + 1e-9)) for axis, (name, step) in enumerate(steps.items())
    }
    return masks.curves(found, phase, "lineal_path_probability", steps)
