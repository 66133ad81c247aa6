"""Boundaries of regions, counted along the directions of the pixel grid (Cauchy-Crofton).

A curve of length L is crossed by lines of spacing s, of all directions alike, 2 L / (pi s) times: with the 4
directions of the square grid L = pi/8 (N_0 + N_90 + (N_45 + N_135) / sqrt 2), the weights of
`skimage.measure.perimeter_crofton`. A surface in a volume is S = 4 sum_u c_u N_u / |u| over 13 directions u; the c_u
are the parts of the sphere nearest to each direction (J. Ohser, F. Muecklich, Statistical Analysis of Microstructures,
2000, section 4.2).
"""

import numpy as np

_PARTS = {1: 2 * 0.04577789120476, 2: 2 * 0.03698062787608, 3: 2 * 0.03519563978232}  # of a direction and its opposite
FLAT = np.array([(0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 1, -1)])
SOLID = np.array([(z, y, x) for z in (0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) > (0, 0, 0)])


def directions(axes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the steps of the pixel grid, the weight of a crossing along each, and which cross an edge (a face)."""
    if axes == 2:
        return FLAT, np.pi / 8 / np.sqrt((FLAT**2).sum(1)), np.abs(FLAT).sum(1) == 1
    steps = np.abs(SOLID).sum(1)
    return SOLID, np.array([2 * _PARTS[int(n)] / np.sqrt(n) for n in steps]), steps == 1


def volume(pixels: np.ndarray) -> np.ndarray:
    """See a 2-D image as a volume of depth 1."""
    return pixels if pixels.ndim == 3 else pixels[None]


def count(pixels: np.ndarray, regions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the boundary of every region and of every pair of them.

    `pixels`: int32 regions 0 to `regions`, 2-D or 3-D. Returns `perimeter` (regions + 1,), in px (surface, px2, in
    3-D), with the edge of the image as a boundary; `pairs` (m, 2), the regions that share at least one pixel edge
    (face), smaller number first, sorted; and `length` (m,), the boundary of each pair in px (px2).
    """
    from matlens.quantify import region_kernels

    offsets, weights, straight = directions(pixels.ndim)
    ends, keys = region_kernels.crossings(volume(pixels), regions, offsets)
    keys.sort()
    change = np.flatnonzero(np.diff(keys, prepend=-1))
    times = np.diff(change, append=len(keys))
    pair, direction = np.divmod(keys[change], len(offsets))
    begin = np.flatnonzero(np.diff(pair, prepend=-1))
    if not len(begin):
        return ends @ weights, np.zeros((0, 2), np.int64), np.zeros(0)
    length = np.add.reduceat(times * weights[direction], begin)
    touching = np.add.reduceat(straight[direction].astype(np.int64), begin) > 0
    pairs = np.stack(np.divmod(pair[begin], regions + 1), axis=1)
    return ends @ weights, pairs[touching], length[touching]
