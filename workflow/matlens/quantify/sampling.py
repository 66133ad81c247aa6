"""What a window shows of a structure that is larger: corrections for the regions that its border cuts."""

import numpy as np


def window_weights(box: np.ndarray, shape: tuple[int, ...], border: str) -> np.ndarray:
    """Weigh every region by the inverse of its chance to be seen whole; 0 leaves it out.

    `box` (n, 2 d): bounding boxes, lower then upper edges (half open) along each axis of `shape`. `border`:
    "miles_lantuejoul" leaves out regions that touch the border and weighs each other one by prod L / (L - l - 1),
    with L the window and l the region along each axis in pixels: L - l - 1 places of the L show it without touching;
    "exclude" leaves out the same and weighs the others alike; "all" takes every region as it is.
    Source: R.E. Miles, in Stochastic Geometry (1974) 202; Ch. Lantuejoul, J. Microsc. 115 (1979) 57.
    """
    if border == "all":
        return np.ones(len(box))
    size = np.asarray(shape)
    low, high = box[:, : len(size)], box[:, len(size) :]
    whole = ((low > 0) & (high < size)).all(1)
    if border == "exclude":
        return whole.astype(float)
    return np.where(whole, (size / np.maximum(size - (high - low) - 1, 1)).prod(1), 0.0)


def quantile(values: np.ndarray, weights: np.ndarray, part: float) -> float:
    """Return the weighted quantile: half the weight of each value lies on either side of it, linear between values."""
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    middle = np.cumsum(weights) - weights / 2
    return float(np.interp(part * weights.sum(), middle, values))


def nearest_neighbour(points: np.ndarray, shape: tuple[int, ...]) -> float:
    """Estimate the mean distance from a point to its nearest neighbour, without bias from the border.

    `points` (n, d), in pixels with centres at integers. A point counts if its neighbour is nearer than the border, so
    that none beyond the border can be nearer, and is weighed by the inverse of the part of the window where that holds.
    Empty (nan) where no point counts. Source: K.-H. Hanisch, Math. Operationsforsch. Stat. 15 (1984) 409.
    """
    from scipy.spatial import cKDTree

    if len(points) < 2:
        return float("nan")
    distance = cKDTree(points).query(points, k=2)[0][:, 1]
    size = np.asarray(shape, float)
    border = np.minimum(points + 0.5, size - 0.5 - points).min(1)
    counts = distance <= border
    inner = np.prod(size - 2 * distance[counts, None], axis=1)
    if not counts.any() or not (inner > 0).any():
        return float("nan")
    weight = np.where(inner > 0, 1 / np.where(inner > 0, inner, 1), 0)
    return float((weight * distance[counts]).sum() / weight.sum())


def random_neighbour(density: float, axes: int) -> float:
    """Return the mean distance to the nearest neighbour among points thrown at random, of a number per area or volume.

    0.5 / sqrt(density) in the plane (P.J. Clark, F.C. Evans, Ecology 35 (1954) 445); 0.55396 / density^(1/3) in space.
    """
    return 0.5 / np.sqrt(density) if axes == 2 else 0.553960278 / np.cbrt(density)
