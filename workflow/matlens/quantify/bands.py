"""Measures of phase maps larger than memory, band by band, with the numbers of the whole.

`read(first, last)` gives rows of an image, or slices of a volume, of a uint8 phase map; `shape` is that of the whole.
Every sum over pixels is one of integers, so that what bands add up to is what the whole gives, to the last bit.
"""

import itertools
from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from matlens import columns
from matlens.batch import BadItem
from matlens.quantify import boundaries, phase_maps, region_map

LARGE_PX = 1 << 26  # phase maps with more pixels are not read whole: their regions take some 8 bytes a pixel
BAND_ROWS = 2048  # rows or slices read at a time at most, as the chunks are stored,
BAND_PX = 1 << 25  # and so many pixels


def _starts(first: int, last: int, shape: tuple[int, ...]) -> range:
    """Cut rows or slices into bands: give the first of each."""
    return range(first, last, max(1, min(BAND_ROWS, BAND_PX // prod(shape[1:]))))


def fractions(read: Callable, shape: tuple[int, ...], phases: list[str], *, fields: int = 4):
    """Measure the area (volume) fraction of every phase, as `matlens.quantify.fractions` does."""
    from matlens.quantify import fractions

    down, *rest = fractions.cuts(shape, fields)
    across = list(itertools.product(*rest))
    counts = np.zeros((len(down), len(across), 256), np.int64)
    for row, part in enumerate(down):
        starts = _starts(part.start, part.stop, shape)
        for first in starts:
            band = read(first, min(first + starts.step, part.stop))
            counts[row] += [phase_maps.tally(band[(slice(None), *cut)]) for cut in across]
    phase_maps.check(counts.sum((0, 1)), phases)
    size = columns.AREA if len(shape) == 2 else "volume_px3"
    return fractions.table(counts.reshape(-1, 256)[:, : len(phases)].astype(float), phases, size)


def regions(
    read: Callable,
    shape: tuple[int, ...],
    phases: list[str],
    *,
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
    gap_px: float = 0.0,
):
    """Measure every region, a row each, as `matlens.quantify.regions` does."""
    from matlens.quantify import regions

    return regions.table(Regions(read, shape, connectivity, background, min_area_px2), phases, gap_px)


def sizes(
    read: Callable,
    shape: tuple[int, ...],
    phases: list[str],
    *,
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
    border: str = "miles_lantuejoul",
    classes: int = 10,
):
    """Summarise the regions of every phase, a row each, as `matlens.quantify.sizes` does."""
    from matlens.quantify import sizes

    found = Regions(read, shape, connectivity, background, min_area_px2)
    return sizes.table(found, phases, background, border, classes)


class Regions:
    """The regions of what never is in memory whole: what tables take of a `region_map.RegionMap`.

    Bands are labelled one by one, each with the last row (slice) of the one before: regions that meet there are one.
    `number` and `phase` (count,) as there: regions are numbered by their first pixel, row by row.
    """

    def __init__(
        self, read: Callable, shape: tuple[int, ...], connectivity: str, background: bool, min_area_px2: float
    ):
        self.shape = shape
        self._read, self._connectivity, self._background = read, connectivity, background
        phases, sums, firsts, boxes, links, starts = [], [], [], [], [], [0]
        before = None
        for first, skip, pixels, phase in self._bands():
            found = region_map.RegionMap(pixels[skip:], np.arange(len(phase)), phase).moments()
            shift = np.where(np.arange(3) == 3 - len(self.shape), first + skip, 0)  # along the first axis
            if before is not None:
                links.append(_meetings(before, pixels[0]) + [starts[-2], starts[-1]])
            phases.append(phase)
            firsts.append(found[0] + shift)
            sums.append(found[1])
            boxes.append(found[2] + np.tile(shift, 2))
            starts.append(starts[-1] + len(phase))
            before = pixels[-1].copy()
        self._starts = starts
        links = np.concatenate([np.zeros((0, 2), np.int64), *links])
        self._merge(*map(np.concatenate, (phases, firsts, sums, boxes)), links, min_area_px2)

    def _bands(self) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Yield the first row of a strip, its rows that the one before has too (0 or 1), its regions, their phases."""
        starts = _starts(0, self.shape[0], self.shape)
        for at in starts:
            first = max(0, at - 1)
            labels = self._read(first, min(at + starts.step, self.shape[0]))
            yield first, at - first, *region_map.components(labels, self._connectivity, self._background)

    def _merge(self, phase, first, sums, box, links, min_area_px2: float) -> None:
        """Put the parts of every region together, and number the regions by their first pixels."""
        from scipy import sparse

        count = len(phase)
        graph = sparse.coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), (count, count))
        whole, group = sparse.csgraph.connected_components(graph, directed=False)
        seen = np.flatnonzero(sums[:, 0] > 0)  # a part may lie in the shared row alone, which the strip before counts
        order = seen[np.lexsort(first[seen].T[::-1])]  # by z, y, x
        head = order[np.unique(group[order], return_index=True)[1]]  # the part of each whole that comes first
        shift = first - first[head][group]
        moved = np.zeros((whole, sums.shape[1]), np.int64)
        np.add.at(moved, group[seen], _about(sums[seen], shift[seen]))
        low, high = np.full((whole, 3), np.iinfo(np.int64).max), np.zeros((whole, 3), np.int64)
        np.minimum.at(low, group[seen], box[seen, :3])
        np.maximum.at(high, group[seen], box[seen, 3:])
        rank = np.lexsort(first[head].T[::-1])
        number = np.empty(whole, np.int64)
        number[rank] = np.arange(1, whole + 1)
        keep = rank[moved[rank, 0] >= min_area_px2]
        self.number, self.phase, self.count = number[keep], phase[head][keep], len(keep)
        self._sums = first[head][keep], moved[keep], np.concatenate([low, high], axis=1)[keep]
        place = np.zeros(whole, np.int32)
        place[keep] = np.arange(1, len(keep) + 1)
        self._places = place[group]  # the region of every part, 0 for one that is too small

    def _strips(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield the first row of a strip, its rows that the strip before has too, and its pixels as regions."""
        for band, (first, skip, pixels, _) in enumerate(self._bands()):
            table = np.concatenate([np.zeros(1, np.int32), self._places[self._starts[band] : self._starts[band + 1]]])
            yield first, skip, table[pixels]

    def moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sum over every region: first pixel, sums and box, see `region_kernels.moments`, from region 1 on."""
        return self._sums

    def boundary(self, gap_px: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Measure the perimeter of every region, and list the pairs that share an edge (m, 2)."""
        from matlens.quantify import region_kernels

        if gap_px > 0:
            raise BadItem("gap_px looks over the whole of an image, which is too large for that; take gap_px: 0")
        offsets, weights, straight = boundaries.directions(len(self.shape))
        ends = np.zeros((self.count + 1, len(offsets)), np.int64)
        pairs = np.zeros(0, np.int64)
        for _, skip, pixels in self._strips():
            found, keys = region_kernels.crossings(boundaries.volume(pixels), self.count, offsets)
            ends += found
            if skip:  # the row that two strips have was counted twice, and its upper and lower edge are none
                ends -= region_kernels.crossings(boundaries.volume(pixels[:1]), self.count, offsets)[0]
            pair, direction = np.divmod(keys, len(offsets))
            pairs = np.union1d(pairs, pair[straight[direction]])
        return (ends @ weights)[1:], np.stack(np.divmod(pairs, self.count + 1), axis=1)

    def extents(self, top: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the first and the last column of every region in each of its rows."""
        from matlens.quantify import region_kernels

        left = np.full(offset[-1], region_kernels.FAR)
        right = np.full(offset[-1], -region_kernels.FAR)
        for first, _, pixels in self._strips():
            found = region_kernels.extents(pixels, self.count, top - first, offset)
            np.minimum(left, found[0], out=left)
            np.maximum(right, found[1], out=right)
        return left, right


def _meetings(above: np.ndarray, same: np.ndarray) -> np.ndarray:
    """List which regions, counted from 0, of one strip are which of the next, from the row that both have."""
    inside = above > 0
    return np.unique(np.stack([above[inside], same[inside]], axis=1).astype(np.int64), axis=0) - 1


def _about(sums: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Refer sums n, z, y, x, yy, xx, yx to a point that lies `shift` (z, y, x) before the one they were taken about."""
    n, z, y, x, yy, xx, yx = sums.T
    dz, dy, dx = shift.T
    squares = yy + dy * (2 * y + n * dy), xx + dx * (2 * x + n * dx), yx + dy * x + dx * y + n * dy * dx
    return np.stack([n, z + n * dz, y + n * dy, x + n * dx, *squares], axis=1)
