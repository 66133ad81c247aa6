"""Kernel of `tortuosity`: second-order fast marching with a binary heap."""

import heapq

import numpy as np
from numba import njit


@njit(cache=True)
def _upwind(time, done, k, j, i, axis):
    """Return what one axis knows of a voxel: `low`, its smaller finished neighbour (inf: none), and the terms of
    weight * (t - base)^2, which is of second order where the voxel behind that neighbour is finished, too."""
    n = time.shape[axis]
    here = (k, j, i)[axis]
    low, behind = np.inf, np.inf
    for step in (-1, 1):
        at = here + step
        if at < 0 or at >= n:
            continue
        dk, dj, di = (step if axis == 0 else 0), (step if axis == 1 else 0), (step if axis == 2 else 0)
        if done[k + dk, j + dj, i + di] and time[k + dk, j + dj, i + di] < low:
            low, behind = time[k + dk, j + dj, i + di], np.inf
            if 0 <= at + step < n and done[k + 2 * dk, j + 2 * dj, i + 2 * di]:
                behind = time[k + 2 * dk, j + 2 * dj, i + 2 * di]
    if behind <= low and low < np.inf:
        return low, (4.0 * low - behind) / 3.0, 2.25
    return low, low, 1.0


@njit(cache=True)
def _solve(low, base, weight):
    """Solve sum_i weight_i (t - base_i)^2 = 1 over those axes whose neighbour is below t."""
    best = np.inf
    used = np.isfinite(low)
    while used.any():
        a = b = c = 0.0
        top, last = -1.0, 0
        for axis in range(3):
            if used[axis]:
                a += weight[axis]
                b += weight[axis] * base[axis]
                c += weight[axis] * base[axis] ** 2
                if low[axis] > top:
                    top, last = low[axis], axis
        root = b * b - a * (c - 1.0)
        if root >= 0.0:
            t = (b + np.sqrt(root)) / a
            if t >= top:
                best = min(best, t)
                break
        used[last] = False
    return best


@njit(cache=True)
def march(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the distance of every true voxel (z, y, x) from the plane z = 0 through true voxels; inf elsewhere.

    spacing: of the voxels along z, y, x (3,).
    """
    nz, ny, nx = mask.shape
    time = np.full(mask.shape, np.inf)
    done = np.zeros(mask.shape, np.bool_)
    heap = [(0.0, 0)]
    heap.pop()
    for y in range(ny):
        for x in range(nx):
            if mask[0, y, x]:
                time[0, y, x] = 0.0
                heapq.heappush(heap, (0.0, y * nx + x))
    low, base, weight = np.empty(3), np.empty(3), np.empty(3)
    while len(heap):
        _, index = heapq.heappop(heap)
        z, rest = divmod(index, ny * nx)
        y, x = divmod(rest, nx)
        if done[z, y, x]:
            continue
        done[z, y, x] = True
        for side in range(6):
            step = 1 - 2 * (side % 2)
            k = z + (step if side // 2 == 0 else 0)
            j = y + (step if side // 2 == 1 else 0)
            i = x + (step if side // 2 == 2 else 0)
            if k < 0 or k >= nz or j < 0 or j >= ny or i < 0 or i >= nx or not mask[k, j, i] or done[k, j, i]:
                continue
            for axis in range(3):
                low[axis], base[axis], weight[axis] = _upwind(time, done, k, j, i, axis)
                weight[axis] /= spacing[axis] ** 2
            found = _solve(low, base, weight)
            if found < time[k, j, i]:
                time[k, j, i] = found
                heapq.heappush(heap, (found, (k * ny + j) * nx + i))
    return time
