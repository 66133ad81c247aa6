"""Corrections for regions that the border of a window cuts."""

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


def cut_regions(pixels: np.ndarray, known: np.ndarray, count: int) -> np.ndarray:
    """Return which of the regions 1 to `count` the border of the labelled window cuts (count,).

    `pixels`: regions (2-D or 3-D), 0 outside them; `known`: labelled pixels. A region is cut if one of its pixels lies
    on the border of the image or shares a face with a pixel that is not labelled.
    """
    cut = np.zeros(count + 1, bool)
    for axis in range(pixels.ndim):
        lines, inside = np.moveaxis(pixels, axis, 0), np.moveaxis(known, axis, 0)
        cut[lines[0].ravel()] = cut[lines[-1].ravel()] = True
        if not inside.all():
            cut[lines[:-1][~inside[1:]]] = True
            cut[lines[1:][~inside[:-1]]] = True
    return cut[1:]


def known_weights(pixels: np.ndarray, box: np.ndarray, known: np.ndarray, border: str) -> np.ndarray:
    """Weigh regions as `window_weights` does, for a window of any shape: the labelled pixels.

    A region counts if its bounding box, and one pixel around it, holds labelled pixels only, and is weighed by the
    inverse of the part of all places at which that holds for such a box. If there is no such place (a window full of
    single unlabelled pixels), regions that are not cut count with weight 1.
    """
    if border == "all":
        return np.ones(len(box))
    whole = ~cut_regions(pixels, known, len(box))
    if border == "exclude":
        return whole.astype(float)
    axes = known.ndim
    sums = np.pad(known.astype(np.int64), [(2, 1)] * axes)  # one pixel outside on either side, and a zero before
    for axis in range(axes):
        sums = sums.cumsum(axis)
    low, size = box[:, :axes], box[:, axes:] - box[:, :axes] + 2
    kinds, index = np.unique(size, axis=0, return_inverse=True)
    weights = np.zeros(len(box))
    for kind, number in enumerate(kinds):
        mine = np.flatnonzero(index.ravel() == kind)
        if (number > np.array(known.shape) + 2).any():
            continue
        fits = _filled(sums, number)
        places = np.count_nonzero(fits)
        weights[mine] = fits[tuple(low[mine].T)] * np.count_nonzero(known) / places if places else whole[mine]
    return weights


def _filled(sums: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return at which places a box of some size holds true pixels only, from the sums of a mask along all axes."""
    for axis, n in enumerate(size):
        sums = np.take(sums, range(n, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - n), axis)
    return sums == np.prod(size)


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
