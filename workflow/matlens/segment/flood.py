"""Flood a relief from its peaks: the watershed, with peaks merged by their prominence, in one pass.

Numba kernels; import this module inside functions.
"""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def _root(parent, node):
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@numba.njit(cache=True, nogil=True)
def _flood(order, relief, offsets, prominence, least, label):
    """Assign every pixel of `order` (falling relief) to a basin. Returns the number of basins and union-find parents.

    `label` is -1 on the padding and outside the mask, 0 where nothing is known yet.
    """
    size = len(order) + 1
    parent = np.arange(size)
    peak = np.zeros(size)
    area = np.zeros(size, np.int64)
    basins = 0
    for pixel in order:
        height = relief[pixel]
        best = 0
        best_height = 0.0
        for step in offsets:
            other = pixel + step
            if label[other] <= 0:
                continue
            basin = _root(parent, label[other])
            if best != 0 and basin != best:
                low, high = (basin, best) if peak[basin] < peak[best] else (best, basin)
                if peak[low] - height < prominence or min(area[low], area[high]) < least:
                    parent[low] = high
                    area[high] += area[low]
                    basin = best = high
            if best == 0 or relief[other] > best_height:
                best, best_height = basin, relief[other]
        if best == 0:
            basins += 1
            best = basins
            peak[best] = height
        best = _root(parent, best)
        area[best] += 1
        label[pixel] = best
    return basins, parent


@numba.njit(cache=True, nogil=True)
def _number(order, parent, label, basins):
    """Number the basins that are left from 1, in the order in which their first pixel stands in the image."""
    fresh = np.zeros(basins + 1, np.int32)
    count = 0
    for pixel in order:
        root = _root(parent, label[pixel])
        if fresh[root] == 0:
            count += 1
            fresh[root] = count
        label[pixel] = fresh[root]
    return count


def flood(relief: np.ndarray, mask: np.ndarray, prominence: float, least_area: int = 0) -> np.ndarray:
    """Part the mask into the basins of the peaks of a relief; return int32 regions, 0 outside the mask.

    `relief`: float array, 2-D or 3-D, high inside the objects. Pixels join in falling order to a neighbour (8 or 26)
    that is already in, the highest one. Where two basins meet, they become one when the lower peak stands less than
    `prominence` above the meeting point (that is the h-maxima transform with h = `prominence`), or when one of them has
    had fewer than `least_area` pixels until there. Pixels of equal relief join in the order of the image. Source: the
    flooding of F. Meyer, Signal Process. 38 (1994) 113, from maxima; merging by dynamics: M. Grimaud, Proc. SPIE 1769
    (1992) 292, and union-find in sorted order: R. E. Tarjan, J. ACM 22 (1975) 215.
    """
    if relief.size >= 2**31 - 1:
        raise ValueError(f"{relief.size} pixels in one image are too many to number; cut it into tiles")
    padded = np.pad(np.asarray(relief, np.float64), 1)
    inside = np.pad(np.asarray(mask, bool), 1).ravel()
    strides = np.array(padded.strides) // padded.itemsize
    cube = np.stack(np.meshgrid(*[[-1, 0, 1]] * relief.ndim, indexing="ij"), -1).reshape(-1, relief.ndim)
    offsets = (cube @ strides)[np.any(cube != 0, axis=1)]
    flat = padded.ravel()
    pixels = np.flatnonzero(inside)
    order = pixels[np.argsort(-flat[pixels], kind="stable")]
    label = np.where(inside, 0, -1).astype(np.int32)
    basins, parent = _flood(order, flat, offsets, float(prominence), int(least_area), label)
    _number(pixels, parent, label, basins)
    core = (slice(1, -1),) * relief.ndim
    return np.ascontiguousarray(np.maximum(label, 0).reshape(padded.shape)[core])
