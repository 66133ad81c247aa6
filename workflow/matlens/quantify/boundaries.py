"""Boundaries of regions, counted along the directions of the pixel grid (Cauchy-Crofton).

A curve of length L is crossed by lines of spacing s, of all directions alike, 2 L / (pi s) times: with the 4
directions of the square grid L = pi/8 (N_0 + N_90 + (N_45 + N_135) / sqrt 2), the weights of
`skimage.measure.perimeter_crofton`. A surface in a volume is S = 4 sum_u c_u N_u / |u| over 13 directions u; the c_u
are the parts of the sphere nearest to each direction (J. Ohser, F. Muecklich, Statistical Analysis of Microstructures,
2000, section 4.2).
"""

from functools import cache

import numpy as np

_PARTS = {1: 2 * 0.04577789120476, 2: 2 * 0.03698062787608, 3: 2 * 0.03519563978232}  # of a direction and its opposite
FLAT = np.array([(0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 1, -1)])
SOLID = np.array([(z, y, x) for z in (0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) > (0, 0, 0)])


def directions(axes: int, spacing: tuple[float, ...] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the steps of the pixel grid, the weight of a crossing along each, and those across an edge (face).

    `spacing`: that of each axis in pixel widths, (z, y, x) or (y, x); None: all alike.
    """
    if spacing is not None and any(size != 1 for size in spacing):
        steps = FLAT if axes == 2 else SOLID
        return steps, _weights(tuple(float(size) for size in spacing)), np.abs(steps).sum(1) == 1
    if axes == 2:
        return FLAT, np.pi / 8 / np.sqrt((FLAT**2).sum(1)), np.abs(FLAT).sum(1) == 1
    steps = np.abs(SOLID).sum(1)
    return SOLID, np.array([2 * _PARTS[int(n)] / np.sqrt(n) for n in steps]), steps == 1


@cache
def _weights(spacing: tuple[float, ...]) -> np.ndarray:
    """Weigh the crossings of a grid whose axes have unequal spacings.

    A line along u crosses a boundary with normal n in proportion to |n u|: S = c sum_u p_u N_u V / |u|, with V the
    area (volume) of a pixel and c = pi / 2 (2 in space) exact for boundaries of all orientations alike when the parts
    p_u sum to 1. The p_u >= 0 are those for which c sum_u p_u |n u| / |u| is nearest to 1 for every n (least squares):
    the parts of the sphere nearest to each direction are far from that where directions crowd around an axis.
    """
    from scipy.optimize import nnls

    axes = len(spacing)
    steps = (FLAT[:, 1:] if axes == 2 else SOLID) * np.array(spacing)
    length = np.sqrt((steps**2).sum(1))
    factor = np.pi / 2 if axes == 2 else 2.0
    normal = _orientations(axes)
    # a tiny pull towards equal parts makes the answer unique; the heavy last row makes them sum to 1
    rows = np.vstack(
        [factor * np.abs(normal @ (steps / length[:, None]).T) / np.sqrt(len(normal)), 1e-3 * np.eye(len(steps))]
    )
    wanted = np.concatenate([np.full(len(normal), 1 / np.sqrt(len(normal))), np.full(len(steps), 1e-3 / len(steps))])
    part = nnls(np.vstack([rows, np.full(len(steps), 1e3)]), np.append(wanted, 1e3))[0]
    return factor * part / part.sum() * np.prod(spacing) / length


def _orientations(axes: int) -> np.ndarray:
    """Spread unit vectors evenly over half a circle, or over a sphere (golden spiral): (n, axes)."""
    if axes == 2:
        angle = np.arange(360) * np.pi / 360
        return np.stack([np.sin(angle), np.cos(angle)], axis=1)
    place = np.arange(2000) + 0.5
    z = 1 - 2 * place / 2000
    turn = np.pi * (1 + np.sqrt(5)) * place
    flat = np.sqrt(1 - z * z)
    return np.stack([z, flat * np.sin(turn), flat * np.cos(turn)], axis=1)


def volume(pixels: np.ndarray) -> np.ndarray:
    """Return a 2-D image as a volume of depth 1."""
    return pixels if pixels.ndim == 3 else pixels[None]


def count(
    pixels: np.ndarray, regions: int, spacing: tuple[float, ...] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the boundary of every region and of every pair of them.

    `pixels`: int32 regions 0 to `regions`, 2-D or 3-D; `spacing`: see `directions`. Returns `perimeter` (regions + 1,),
    in px (surface, px2, in 3-D), with the edge of the image as a boundary; `pairs` (m, 2), the regions that share at
    least one pixel edge (face), smaller number first, sorted; and `length` (m,), the boundary of each pair in px (px2).
    """
    from matlens.quantify import region_kernels

    offsets, weights, straight = directions(pixels.ndim, spacing)
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
