"""Clusters of pixels by k-means, without any labels."""

import numpy as np

from matlens.segment import histogram
from matlens.segment.multi_otsu import phase_table

ROUNDS = 100


def segment(
    image: np.ndarray,
    phases: list[str],
    ignore: np.ndarray | None = None,
    *,
    classes: int = 2,
    phase_of_class: list[int] | None = None,
    sigmas_px: list[float] = (1.0, 2.0),
    texture: float = 0.0,
    sample: int = 50000,
    seed: int = 0,
) -> np.ndarray:
    """Label pixels by k-means of their grey levels at several scales; clusters are numbered darkest first.

    `image`: float32 in [0, 1], 2-D or 3-D. `phase_of_class`: the phase number of each cluster, darkest first; None
    numbers them 0, 1, 2, ... . `sigmas_px`: Gaussian scales, in pixels. `texture`: weight of the local standard
    deviation at each scale, beside the intensity with weight 1. `sample`: pixels that the clusters are found on.
    `seed`: of that sample, which has no pixel where `ignore` is 1.
    A constant image is all of the first cluster. Source: S. P. Lloyd, IEEE Trans. Inf. Theory
    28 (1982) 129; started at the means of equal shares of the pixels in order of brightness, so that nothing but the
    sample is drawn.
    """
    table = phase_table(phase_of_class, classes, phases)
    low, high = histogram.finite_range(image)
    if low == high:
        return np.full(image.shape, table[0], np.uint8)
    maps = _maps(image, sigmas_px, texture)
    flat = [values.ravel() for values in maps]
    rng = np.random.default_rng(seed)
    free = np.arange(image.size) if ignore is None else np.flatnonzero(ignore.ravel() == 0)
    chosen = free[rng.choice(len(free), sample, replace=False)] if len(free) > sample else free
    centres = clusters(np.stack([values[chosen] for values in flat], 1).astype(np.float64), classes)
    centres = centres[np.argsort(centres[:, 0], kind="stable")]
    best, label = np.full(image.size, np.inf, np.float32), np.zeros(image.size, np.uint8)
    for number, centre in enumerate(centres.astype(np.float32)):
        squared = sum((values - value) ** 2 for values, value in zip(flat, centre, strict=True))
        nearer = squared < best
        label[nearer], best[nearer] = number, squared[nearer]
    return table[label].reshape(image.shape)


def _maps(image: np.ndarray, sigmas_px: list[float], texture: float) -> list[np.ndarray]:
    """Return the smoothed intensities, each followed by its local standard deviation where texture has a weight."""
    maps = []
    for sigma in sigmas_px:
        mean = histogram.smooth(image, sigma)
        maps.append(mean)
        if texture > 0:
            # A window twice as wide: the deviation is that of the grain of the image, not of single pixels.
            wide = histogram.smooth(image, 2 * sigma)
            variance = histogram.smooth((image - wide) ** 2, 2 * sigma)
            maps.append(np.float32(texture) * np.sqrt(variance))
    return maps


def clusters(points: np.ndarray, classes: int) -> np.ndarray:
    """Find the k-means centres of points (n, features): float64 (classes, features)."""
    order = np.argsort(points[:, 0], kind="stable")
    centres = np.stack([points[part].mean(0) for part in np.array_split(order, classes) if len(part)])
    for _ in range(ROUNDS):
        squared = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
        nearest = squared.argmin(1)
        counts = np.bincount(nearest, minlength=len(centres))
        sums = np.stack([np.bincount(nearest, column, len(centres)) for column in points.T], 1)
        # A cluster that lost all its points stays where it was.
        fresh = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        if np.array_equal(fresh, centres):
            break
        centres = fresh
    return centres
