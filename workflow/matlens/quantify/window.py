"""The window in which a structure is seen: the pixels that are labelled.

What is not labelled (255 of a phase map, -1 of a region map) lies outside the window, as what is beyond the border of
the image does. Spots of few pixels inside it, such as points of a map that were not indexed, cut no region.
"""

from dataclasses import dataclass

import numpy as np

from matlens.quantify import sampling

MOST_PX = 1 << 27  # a larger window that is no rectangle is weighed as the box around it
SPOT_PX = 25  # ASSUME: smaller spots without labels inside the window hide nothing of a region that matters


@dataclass(frozen=True)
class Window:
    """The labelled part of an image or volume: `outside` marks the rest (None: nothing), `size` counts its pixels.

    `shape` is that of the smallest box around what is seen, and `corner` its first pixel; `outside` fills `shape`, or
    is None where the box is seen whole. All in pixels of the grid.
    """

    outside: np.ndarray | None
    shape: tuple[int, ...]
    corner: tuple[int, ...]
    size: int

    def weights(self, box: np.ndarray, border: str) -> np.ndarray:
        """Weigh every region by the inverse of its chance to be seen whole, see `sampling.window_weights`.

        `box` (n, 2 d): bounding boxes in the image. In a window that is no rectangle, a region counts when its box and
        a pixel around it lie inside, and its weight is the area of the window over that of the places where they do.
        """
        moved = box - np.tile(self.corner, 2)
        if self.outside is None or border == "all" or self.outside.size > MOST_PX:
            return sampling.window_weights(moved, self.shape, border)
        return _fitting(moved, self.outside, border)

    def outside_of(self, first: int, last: int, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return the mask of the outside in rows (slices) of an image of `shape`; None if all are inside."""
        box = tuple(slice(c, c + n) for c, n in zip(self.corner, self.shape, strict=True))
        if self.shape == tuple(shape) and self.outside is None:
            return None
        found = np.ones((last - first, *shape[1:]), bool)
        low, high = max(first, box[0].start), min(last, box[0].stop)
        if low < high:
            part = False if self.outside is None else self.outside[low - box[0].start : high - box[0].start]
            found[(slice(low - first, high - first), *box[1:])] = part
        return found if found.any() else None

    def nearest_neighbour(self, points: np.ndarray, spacing: tuple[float, ...] | None = None) -> float:
        """Estimate the mean distance to the nearest neighbour, see `sampling.nearest_neighbour`.

        `points` (n, d) in pixels of the image; the distance is in pixel widths.
        """
        steps = np.ones(len(self.shape)) if spacing is None else np.array(spacing)
        moved = points - np.array(self.corner)
        if self.outside is None and (steps == 1).all():
            return sampling.nearest_neighbour(moved, self.shape)
        if self.outside is None:
            # centres at integers: half a pixel of each axis lies before the first one
            return sampling.nearest_neighbour((moved + 0.5) * steps - 0.5, tuple(np.array(self.shape) * steps))
        return _hanisch(moved, self.outside, steps)


def of(known: np.ndarray | None, shape: tuple[int, ...]) -> Window:
    """Find the window of labels from the mask of labelled pixels (None: all)."""
    if known is None or not known.any():
        size = int(np.prod(shape, dtype=np.int64)) if known is None else 0
        return Window(None, tuple(shape), (0,) * len(shape), size)
    low, high = box_of(known)
    outside = without_spots(~known[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    corner, size = tuple(low.tolist()), int(np.count_nonzero(known))
    return Window(outside if outside.any() else None, outside.shape, corner, size)


def without_spots(unknown: np.ndarray) -> np.ndarray:
    """Leave out spots of fewer than `SPOT_PX` pixels that do not reach the border."""
    if not unknown.any():
        return unknown
    import cc3d

    found = cc3d.connected_components(unknown.astype(np.uint8), connectivity=4 if unknown.ndim == 2 else 6)
    size = np.bincount(found.ravel())
    large = size >= SPOT_PX
    for axis in range(unknown.ndim):
        for end in (0, -1):
            large[np.unique(np.take(found, end, axis))] = True
    large[0] = False
    return large[found]


def touched(pixels: np.ndarray, seen: Window, count: int) -> np.ndarray:
    """Flag every region 1 to `count` if an edge (face) of it lies at the border of the window (count,)."""
    cuts = tuple(slice(c, c + n) for c, n in zip(seen.corner, seen.shape, strict=True))
    inner, found = pixels[cuts], np.zeros(count + 1, bool)
    for axis in range(inner.ndim):
        lines = np.moveaxis(inner, axis, 0)
        found[np.unique(lines[[0, -1]])] = True
    if seen.outside is not None:
        found[1:] |= beside(inner, seen.outside, count)
    return found[1:]


def beside(pixels: np.ndarray, outside: np.ndarray, count: int) -> np.ndarray:
    """Flag every region 1 to `count` that shares an edge (face) with the outside (count,)."""
    found = np.zeros(count + 1, bool)
    for axis in range(pixels.ndim):
        lines, gone = np.moveaxis(pixels, axis, 0), np.moveaxis(outside, axis, 0)
        found[np.unique(lines[:-1][gone[1:]])] = True
        found[np.unique(lines[1:][gone[:-1]])] = True
    return found[1:]


def box_of(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the bounding box of the true pixels: its first pixel and one beyond its last; zeros if there is none."""
    low, high = np.zeros(known.ndim, np.int64), np.zeros(known.ndim, np.int64)
    for axis in range(known.ndim):
        inside = np.flatnonzero(known.any(axis=tuple(k for k in range(known.ndim) if k != axis)))
        if len(inside):
            low[axis], high[axis] = inside[0], inside[-1] + 1
    return low, high


def _fitting(box: np.ndarray, outside: np.ndarray, border: str) -> np.ndarray:
    """Weigh regions by the places of a window in which their bounding boxes, with a pixel around, fit."""
    padded = np.pad(outside, 1, constant_values=True).astype(np.int64)
    sums = np.pad(padded, [(1, 0)] * padded.ndim)
    for axis in range(padded.ndim):
        np.cumsum(sums, axis=axis, out=sums)
    axes, size = outside.ndim, int(np.count_nonzero(~outside))
    low, edge = box[:, :axes], box[:, axes:] - box[:, :axes] + 2
    weights = np.zeros(len(box))
    edges, which = np.unique(edge, axis=0, return_inverse=True)
    for number, sides in enumerate(edges):
        free = _inside(sums, sides) == 0
        mine = np.flatnonzero(which.reshape(-1) == number)
        fits = free[tuple(low[mine].T)]
        weights[mine[fits]] = 1.0 if border == "exclude" else size / max(int(np.count_nonzero(free)), 1)
    return weights


def _inside(sums: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Sum what lies in a box at each of its places, from the cumulative sums along every axis."""
    for axis, side in enumerate(sides):
        lines = np.moveaxis(sums, axis, 0)
        sums = np.moveaxis(lines[side:] - lines[:-side], 0, axis)
    return sums


def _hanisch(points: np.ndarray, outside: np.ndarray, steps: np.ndarray) -> float:
    """Average the distances to nearest neighbours that are nearer than the border of any window (Hanisch)."""
    from scipy import ndimage
    from scipy.spatial import cKDTree

    if len(points) < 2:
        return float("nan")
    distance = cKDTree(points * steps).query(points * steps, k=2)[0][:, 1]
    depth = ndimage.distance_transform_edt(np.pad(~outside, 1), sampling=steps)[(slice(1, -1),) * outside.ndim]
    depth = depth - 0.5  # from the centre of a pixel to the edge of the window
    place = np.clip(np.rint(points).astype(int), 0, np.array(outside.shape) - 1)
    counts = distance <= depth[tuple(place.T)]
    ordered = np.sort(depth[~outside])
    inner = len(ordered) - np.searchsorted(ordered, distance[counts])
    if not (inner > 0).any():
        return float("nan")
    weight = np.where(inner > 0, 1 / np.maximum(inner, 1), 0)
    return float((weight * distance[counts]).sum() / weight.sum())
