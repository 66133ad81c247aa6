"""Maps of orientations at more points than were measured: geometry, and restorations without training.

A measured map is a coarse grid; the fine grid has `scale` - 1 points between two measured ones on each axis. A fine
point lies in a cell of four measured corners, and takes its orientation from those: no orientation is made that no
corner is near to, unless a method blends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matlens.crystal import orientations
from matlens.job.batch import BadItem

LAYERS = ("euler_rad", "phase_index", "laue")
FAR_DEG = 180.0  # between two phases, or from a point that is not indexed
SAME_DEG = 5.0  # corners nearer than this are of one grain


@dataclass(frozen=True)
class OrientationMap:
    """Orientations of a plane map: `q` (y, x, 4) unit quaternions, `phase` and `laue` (y, x), 0 where not indexed."""

    q: np.ndarray
    phase: np.ndarray
    laue: np.ndarray
    quality: np.ndarray

    def every(self, step: int, first: tuple[int, int] = (0, 0)) -> "OrientationMap":
        """Keep every `step`-th point of both axes."""
        cut = (slice(first[0], None, step), slice(first[1], None, step))
        return OrientationMap(self.q[cut], self.phase[cut], self.laue[cut], self.quality[cut])

    def turned(self, quarter: int, mirror: bool) -> "OrientationMap":
        """Turn the grid by right angles, and mirror it; orientations stay, as if another place had been measured."""
        arrays = (self.q, self.phase, self.laue, self.quality)
        arrays = (np.rot90(array[:, ::-1] if mirror else array, quarter) for array in arrays)
        return OrientationMap(*arrays)

    def part(self, rows: slice, columns: slice) -> "OrientationMap":
        """Cut a part out."""
        arrays = (self.q, self.phase, self.laue, self.quality)
        return OrientationMap(*(array[rows, columns] for array in arrays))


def of_item(image: np.ndarray, layers: Mapping[str, np.ndarray]) -> OrientationMap:
    """Make the map of an item from its layers. Raises BadItem if it has none, is no plane map, or lacks a symmetry."""
    if any(name not in layers for name in LAYERS):
        raise BadItem("it has no orientations; this method is for maps of EBSD (.ctf, .ang, .crc, .h5oina, ...)")
    if image.ndim != 2:
        raise BadItem("it is no plane map; give its slices one by one")
    phase, laue = layers["phase_index"], layers["laue"]
    if ((phase > 0) & (laue == orientations.UNKNOWN)).any():
        raise BadItem("the crystal symmetry of a phase is not known; state it in the file")
    return OrientationMap(orientations.from_euler(np.moveaxis(layers["euler_rad"], 0, -1)), phase, laue, image)


def angles_deg(one: OrientationMap, other: OrientationMap) -> np.ndarray:
    """Return the misorientation of two maps point by point, reduced by symmetry; FAR_DEG between phases."""
    found = np.full(one.phase.shape, FAR_DEG)
    same = (one.phase == other.phase) & (one.phase > 0)
    for laue in np.unique(one.laue[same]):
        at = same & (one.laue == laue)
        found[at] = orientations.misorientation_deg(one.q[at], other.q[at], int(laue))
    return found


def corners(shape: tuple[int, int], coarse: OrientationMap, scale: int) -> tuple[list[OrientationMap], np.ndarray]:
    """Return the four corners of the cell of every fine point, as maps, and their bilinear weights (4, y, x).

    `shape`: of the fine grid; beyond the last measured line its corners are those of that line.
    """
    lines = [np.minimum(np.arange(n) // scale, m - 1) for n, m in zip(shape, coarse.phase.shape, strict=True)]
    parts = [np.minimum(np.arange(n) / scale - line, 1.0) for n, line in zip(shape, lines, strict=True)]
    found, weights = [], []
    for down in (0, 1):
        for right in (0, 1):
            ends = (
                np.minimum(line + step, m - 1)
                for line, step, m in zip(lines, (down, right), coarse.phase.shape, strict=True)
            )
            place = np.ix_(*ends)
            arrays = (coarse.q, coarse.phase, coarse.laue, coarse.quality)
            found.append(OrientationMap(*(array[place] for array in arrays)))
            each = [part if step else 1 - part for part, step in zip(parts, (down, right), strict=True)]
            weights.append(np.outer(*each))
    return found, np.stack(weights)


def chosen(found: list[OrientationMap], which: np.ndarray, weights: np.ndarray) -> OrientationMap:
    """Take one corner at every fine point, blended with those of the same grain by their weights.

    `which`: (y, x) number of the corner. A corner more than 5 degrees from the one taken adds nothing, so that every
    orientation lies between measured ones of one grain.
    """
    taken = OrientationMap(
        *(np.take_along_axis(np.stack([getattr(one, name) for one in found]), _as(which, name), 0)[0]
          for name in ("q", "phase", "laue", "quality"))
    )  # fmt: skip
    near = (angles_deg(one, taken) < SAME_DEG for one in found)
    share = np.stack([np.where(same, part, 0.0) for same, part in zip(near, weights, strict=True)])
    own = np.arange(4)[:, None, None] == which
    share = np.where(own, np.maximum(share, 1e-3), share)
    return blended(found, share, taken)


def _as(which: np.ndarray, name: str) -> np.ndarray:
    return which[None, ..., None] if name == "q" else which[None]


def blended(found: list[OrientationMap], weights: np.ndarray, near: OrientationMap) -> OrientationMap:
    """Average the corners by weights, each as its equivalent that is nearest to `near`; other phases add nothing."""
    total = np.zeros(near.q.shape)
    for one, weight in zip(found, weights, strict=True):
        same = (one.phase == near.phase) & (near.phase > 0) & (weight > 0)
        for laue in np.unique(near.laue[same]):
            at = same & (near.laue == laue)
            total[at] += weight[at, None] * orientations.nearest_variant(one.q[at], near.q[at], int(laue))
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    q = np.where(length > 1e-9, total / np.maximum(length, 1e-9), near.q)
    quality = sum(weight * one.quality for one, weight in zip(found, weights, strict=True))
    return OrientationMap(q, near.phase, near.laue, quality / np.maximum(weights.sum(0), 1e-9))


def nearest(found: list[OrientationMap], weights: np.ndarray) -> OrientationMap:
    """Take the nearest measured point; at equal distance the first, or the one that is indexed."""
    indexed = np.stack([one.phase > 0 for one in found])
    which = np.argmax(np.round(weights, 6) + 1e-4 * indexed, 0)
    return chosen(found, which, np.where(np.arange(4)[:, None, None] == which, 1.0, 0.0))


def slerp(found: list[OrientationMap], weights: np.ndarray) -> OrientationMap:
    """Blend the corners by distance, across grain boundaries too: quaternions brought next to each other, averaged."""
    return blended(found, weights, nearest(found, weights))


BLIND = {"nearest": nearest, "slerp": slerp}
