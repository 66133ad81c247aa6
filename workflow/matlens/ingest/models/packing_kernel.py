"""The inner loop of packing, compiled: springs between bodies that overlap."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _power(value: float, exponent: float) -> float:
    """Raise a number in [0, 1]; an even whole exponent costs a few products instead of a logarithm."""
    half = int(exponent) // 2
    if 2.0 * half != exponent:
        return value**exponent
    result = 1.0
    square = value * value
    for _ in range(half):
        result *= square
    return result


@njit(cache=True, nogil=True)
def springs(places, reach, box, pairs, exponent, force):
    """Add up the forces of the overlaps into `force` (n, axes) and return the deepest overlap.

    Two balls of the p-norm overlap by `reach_i + reach_j - |x_j - x_i|_p`, with the nearest periodic image; a spring
    of unit stiffness pushes along the line between their centres, not along the gradient of the norm: that has no
    sideways part on flat faces, and columns of cubes would jam.
    """
    axes = places.shape[1]
    apart = np.empty(axes)
    force[:] = 0.0
    deepest = 0.0
    for row in range(len(pairs)):
        i, j = pairs[row, 0], pairs[row, 1]
        touch = reach[i] + reach[j]
        largest = 1e-12
        for a in range(axes):
            apart[a] = places[j, a] - places[i, a]
            apart[a] -= box[a] * np.rint(apart[a] / box[a])
            largest = max(largest, abs(apart[a]))
        if largest >= touch:  # no p-norm is smaller than the largest component
            continue
        total = 0.0
        for a in range(axes):
            total += _power(abs(apart[a]) / largest, exponent)
        depth = touch - largest * total ** (1.0 / exponent)
        if depth <= 0.0:
            continue
        deepest = max(deepest, depth)
        norm = 0.0
        for a in range(axes):
            norm += apart[a] * apart[a]
        push = depth / np.sqrt(norm) if norm > 0.0 else 0.0
        for a in range(axes):
            force[j, a] += push * apart[a]
            force[i, a] -= push * apart[a]
    return deepest


@njit(cache=True, nogil=True)
def _scan(places, reach, box, skin, counts, start, order, pairs):
    """Walk through the pairs of bodies in neighbouring cells; store those within reach and skin, return how many."""
    axes = places.shape[1]
    found = 0
    spans = np.ones(3, dtype=np.int64)
    lows = np.zeros(3, dtype=np.int64)
    for i in range(len(places)):
        for a in range(axes):
            own = min(int(places[i, a] / box[a] * counts[a]), counts[a] - 1)
            spans[a] = min(3, counts[a])  # fewer than three cells along an axis: each is visited once
            lows[a] = own - 1 if counts[a] >= 3 else 0
        for first in range(spans[0]):
            for second in range(spans[1]):
                for third in range(spans[2]):
                    cell = (lows[0] + first) % counts[0]
                    if axes > 1:
                        cell = cell * counts[1] + (lows[1] + second) % counts[1]
                    if axes > 2:
                        cell = cell * counts[2] + (lows[2] + third) % counts[2]
                    for k in range(start[cell], start[cell + 1]):
                        j = order[k]
                        if j <= i:
                            continue
                        limit = reach[i] + reach[j] + skin
                        near = True
                        for a in range(axes):
                            apart = places[j, a] - places[i, a]
                            apart -= box[a] * np.rint(apart / box[a])
                            near = near and abs(apart) < limit
                        if near:
                            if found < len(pairs):
                                pairs[found, 0], pairs[found, 1] = i, j
                            found += 1
    return found


@njit(cache=True, nogil=True)
def near_pairs(places, reach, box, skin):
    """List the pairs (i < j) nearer along every axis than the sum of their reaches and a skin: int array (pairs, 2).

    `places` (n, axes) lie in the periodic `box`. The largest component bounds every p-norm from below, so no pair is
    missed whatever the norm.
    """
    axes = places.shape[1]
    counts = np.ones(3, dtype=np.int64)
    total = 1
    for a in range(axes):
        most = max(1, int(len(places) ** (1.0 / axes)) + 1)
        counts[a] = max(1, min(most, int(box[a] / (2.0 * reach.max() + skin))))
        total *= counts[a]
    cells = np.zeros(len(places), dtype=np.int64)
    for i in range(len(places)):
        for a in range(axes):
            cells[i] = cells[i] * counts[a] + min(int(places[i, a] / box[a] * counts[a]), counts[a] - 1)
    start = np.zeros(total + 1, dtype=np.int64)
    for cell in cells:
        start[cell + 1] += 1
    start = np.cumsum(start)
    order = np.argsort(cells, kind="mergesort")
    size = _scan(places, reach, box, skin, counts, start, order, np.empty((0, 2), dtype=np.int64))
    pairs = np.empty((size, 2), dtype=np.int64)
    _scan(places, reach, box, skin, counts, start, order, pairs)
    return pairs
