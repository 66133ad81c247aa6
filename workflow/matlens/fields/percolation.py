"""Percolation of a phase of a periodic cell: a path from one side to its own continuation at the other."""

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph


def spans(mask: np.ndarray, axis: int, reach: int = 3) -> bool:
    """Check whether a phase of a periodic cell is connected across it along an axis, by default through corners, too.

    `reach`: 1 through faces alone, 2 through edges, too, 3 through the corners of volumes, too.
    A way may wind around the other axes, and once back along the axis: three cells are put in a row.
    """
    period, row = mask.shape[axis], np.concatenate([mask] * 3, axis)
    marks, count = ndimage.label(row, _structure(mask.ndim, reach))
    if not count:
        return False
    pairs = [np.empty((2, 0), int)]
    for other in (a for a in range(mask.ndim) if a != axis):
        first, last = (np.take(marks, place, other) for place in (0, -1))
        for shift in _neighbours(first.ndim, reach):
            beside = np.roll(last, shift, tuple(range(first.ndim)))
            both = (first > 0) & (beside > 0)
            pairs.append(np.stack([first[both], beside[both]]))
    a, b = np.concatenate(pairs, axis=1)
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), (count + 1, count + 1))
    marks = csgraph.connected_components(graph, directed=False)[1][marks]
    near, far = (np.take(marks, place, axis) for place in (0, 2 * period))
    inside = np.take(row, 0, axis)
    return bool((near[inside] == far[inside]).any())


def joins(mask: np.ndarray, axis: int, reach: int = 3) -> bool:
    """Check whether a phase connects two opposite sides of an item, `reach` as in `spans`; so it spans its mirrored
    cell."""
    marks, _ = ndimage.label(mask, _structure(mask.ndim, reach))
    first, last = (np.take(marks, place, axis) for place in (0, -1))
    return bool(np.intersect1d(first[first > 0], last[last > 0]).size)


def _structure(axes: int, reach: int) -> np.ndarray:
    return ndimage.generate_binary_structure(axes, min(reach, axes))


def _neighbours(axes: int, reach: int) -> list[tuple[int, ...]]:
    """List the shifts along a border by which two voxels touch across it."""
    every = [tuple(int(i) - 1 for i in place) for place in np.ndindex(*(3,) * axes)]
    return [place for place in every if np.count_nonzero(place) < reach]
