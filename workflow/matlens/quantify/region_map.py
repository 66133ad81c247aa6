"""Regions out of labels: connected components of a phase map, or the regions of a region map as they are numbered."""

from dataclasses import dataclass

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem
from matlens.quantify import window

CONNECTIVITY = {"faces": {2: 4, 3: 6}, "corners": {2: 8, 3: 26}}  # how many neighbours a pixel or voxel joins

PART_PX = 1 << 22  # looked up at a time: numpy widens what it looks up by to eight bytes a pixel
UNLABELLED = 255  # in a phase map; -1 in a region map


@dataclass(frozen=True)
class RegionMap:
    """The regions of one item.

    `pixels` is int32 in C order: 0 outside every region, then 1 to `count` without gaps. `number` (count,) is the
    number that tables show, `phase` (count,) the phase of each region, or -1 where a region map does not say it.
    `known` is where pixels are labelled, or None where all are.
    """

    pixels: np.ndarray
    number: np.ndarray
    phase: np.ndarray
    known: np.ndarray | None = None

    @property
    def count(self) -> int:
        """Count the regions."""
        return len(self.number)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the image or volume."""
        return self.pixels.shape

    def moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sum over every region: first pixel, sums and box, see `region_kernels.moments`, from region 1 on."""
        from matlens.quantify import boundaries, region_kernels

        return tuple(part[1:] for part in region_kernels.moments(boundaries.volume(self.pixels), self.count))

    def boundary(self, gap_px: float = 0.0, spacing=None) -> tuple[np.ndarray, np.ndarray]:
        """Measure the perimeter of every region, and list the pairs no further than twice `gap_px` apart (m, 2)."""
        from matlens.quantify import boundaries

        perimeter, pairs, _ = boundaries.count(self.pixels, self.count, spacing)
        if gap_px > 0:
            _, pairs, _ = boundaries.count(grow(self.pixels, gap_px, self.known, spacing), self.count)
        return perimeter[1:], pairs

    def window(self) -> window.Window:
        """Find the window in which regions are seen whole: where labels are known."""
        return window.of(self.known, self.shape)

    def cut(self) -> np.ndarray:
        """Flag every region if it touches unlabelled pixels (count,)."""
        return window.touched(self.pixels, self.window(), self.count)

    def extents(self, top: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the first and the last column of every region of an image in each of its rows."""
        from matlens.quantify import region_kernels

        return region_kernels.extents(self.pixels, self.count, top, offset)


def components(labels: np.ndarray, connectivity: str, background: bool) -> tuple[np.ndarray, np.ndarray]:
    """Label the connected components of each phase, numbered by their first pixels; return them and their phases."""
    import cc3d

    shifted = np.ascontiguousarray(labels).astype(np.uint16) + 1 if background else np.ascontiguousarray(labels)
    if (labels == UNLABELLED).any():
        shifted = np.where(labels == UNLABELLED, 0, shifted)
    found, count = cc3d.connected_components(
        shifted, connectivity=CONNECTIVITY[connectivity][labels.ndim], return_N=True, out_dtype=np.uint32
    )
    phase = np.zeros(count + 1, np.int64)
    rows = max(1, PART_PX * len(labels) // max(labels.size, 1))
    for first in range(0, len(labels), rows):
        phase[found[first : first + rows].ravel()] = labels[first : first + rows].ravel()
    return found.view(np.int32), phase[1:]


def _compact(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Renumber a region map from 1 without gaps; return it and the numbers it had."""
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < -1:
        raise BadItem(f"a region map has the negative number {low}; number its regions from 1 and its background 0")
    if low < 0:
        labels = np.maximum(labels, 0)
    if high > 4 * labels.size + 1024:
        number, inverse = np.unique(labels, return_inverse=True)
        skip = int(number[0] == 0)
        return (inverse.reshape(labels.shape) + 1 - skip).astype(np.int32), number[skip:].astype(np.int64)
    present = np.zeros(high + 1, bool)
    present[labels.ravel()] = True
    number = np.flatnonzero(present[1:]) + 1
    if len(number) == high:
        return np.ascontiguousarray(labels, dtype=np.int32), number
    table = np.zeros(high + 1, np.int32)
    table[number] = np.arange(1, len(number) + 1)
    return table[labels], number


def _without(found: RegionMap, keep: np.ndarray) -> RegionMap:
    """Keep some regions only; the pixels of the others become background."""
    table = np.zeros(found.count + 1, np.int32)
    table[1:][keep] = np.arange(1, int(keep.sum()) + 1)
    return RegionMap(table[found.pixels], found.number[keep], found.phase[keep], found.known)


def number(
    labels: np.ndarray,
    phases: list[str],
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
) -> RegionMap:
    """Find the regions of one item.

    `labels`: 2-D or 3-D. uint8 or bool is a phase map, whose regions are the connected components of each phase;
    any wider integer type is a region map, whose regions are taken as numbered. Pixels that are not labelled (255 in a
    phase map, -1 in a region map) are in no region. `connectivity`: "faces" (4 neighbours
    in 2-D, 6 in 3-D) or "corners" (8, 26). `background`: whether phase 0 has regions too. `min_area_px2`: regions of
    fewer pixels (voxels) become background. Where the study names two phases, the regions of a region map are phase 1.
    """
    labels = np.asarray(labels)
    if labels.ndim not in (2, 3):
        raise BadItem(f"labels of {labels.ndim} axes have no regions; give a 2-D or 3-D label image")
    if labels.dtype == bool or labels.dtype == np.uint8:
        pixels, phase = components(labels.astype(np.uint8, copy=False), connectivity, background)
        found = RegionMap(pixels, np.arange(1, len(phase) + 1), phase, _known(labels, UNLABELLED))
    elif np.issubdtype(labels.dtype, np.integer):
        pixels, numbers = _compact(labels)
        phase = np.full(len(numbers), 1 if len(phases) == 2 else -1)
        found = RegionMap(pixels, numbers, phase, _known(labels, -1))
    else:
        raise BadItem(f"labels of type {labels.dtype} name no regions; give uint8 (phases) or int32 (regions)")
    if min_area_px2 > 1:
        area = np.bincount(found.pixels.ravel(), minlength=found.count + 1)[1:]
        found = _without(found, area >= min_area_px2)
    return found


def _known(labels: np.ndarray, unlabelled: int) -> np.ndarray | None:
    """Return which pixels are labelled; None if all are."""
    known = labels != unlabelled if np.issubdtype(labels.dtype, np.integer) else np.ones(labels.shape, bool)
    return None if known.all() else known


def grow(pixels: np.ndarray, gap_px: float, known: np.ndarray | None = None, spacing=None) -> np.ndarray:
    """Assign every background pixel within `gap_px` of a region to the nearest one: closes lines between grains.

    Pixels that are not `known` to be background stay without a region. `spacing`: that of each axis in pixel widths.
    """
    if gap_px <= 0 or pixels.all() or not pixels.any():
        return pixels
    from scipy import ndimage

    distance, nearest = ndimage.distance_transform_edt(pixels == 0, sampling=spacing, return_indices=True)
    near = distance <= gap_px
    return np.where(near if known is None else near & known, pixels[tuple(nearest)], pixels)


def phase_columns(phase: np.ndarray, phases: list[str]) -> dict:
    """Make the columns of the phase and its name; empty where the phase is not known."""
    import pandas as pd

    names = dict(enumerate(phases))
    return {
        columns.PHASE: pd.arrays.IntegerArray(np.where(phase < 0, 0, phase), phase < 0),
        columns.PHASE_NAME: [names.get(int(value), "") for value in phase],
    }
