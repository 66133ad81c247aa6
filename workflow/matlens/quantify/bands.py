"""Measures of phase maps larger than memory, band by band, with the numbers of the whole.

`read(first, last)` gives rows of an image, or slices of a volume, of a uint8 phase map; `shape` is that of the whole.
Every sum over pixels is one of integers, so that what bands add up to is what the whole gives, to the last bit.
`mapped` is `map`, or what shares bands out over workers and gives results in the same order (`matlens.job.workers`).
"""

import itertools
from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np

from matlens import columns
from matlens.image import masks, phase_maps
from matlens.job.batch import BadItem
from matlens.quantify import boundaries, region_map, window

LARGE_PX = 1 << 26  # phase maps with more pixels are not read whole: their regions take some 8 bytes a pixel
BAND_ROWS = 2048  # rows or slices read at a time at most, as the chunks are stored,
BAND_PX = 1 << 25  # and so many pixels


def _bands(first: int, last: int, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Cut rows or slices into bands: the first of each, and the one after its last."""
    step = max(1, min(BAND_ROWS, BAND_PX // prod(shape[1:])))
    return [(at, min(at + step, last)) for at in range(first, last, step)]


def _tallies(read: Callable, across: list[tuple[slice, ...]], band: tuple[int, int]) -> np.ndarray:
    """Count the pixels of every value in each of some parts of a band."""
    pixels = read(*band)
    return np.array([phase_maps.tally(pixels[(slice(None), *cut)]) for cut in across])


def _labelled_lines(read: Callable, band: tuple[int, int]) -> list[np.ndarray]:
    """Return, along each axis, which rows, columns or slices of a band hold a labelled pixel."""
    known = masks.labelled(read(*band))
    return [known.any(tuple(other for other in range(known.ndim) if other != axis)) for axis in range(known.ndim)]


def _window(read: Callable, shape: tuple[int, ...], mapped: Callable) -> list[slice]:
    """Find the bounding box of the labelled pixels; the whole if there are none."""
    found = list(mapped(partial(_labelled_lines, read), _bands(0, shape[0], shape)))
    down, *across = zip(*found, strict=True)
    lines = [np.concatenate(down), *(np.logical_or.reduce(parts) for parts in across)]
    ends = [np.flatnonzero(line) for line in lines]
    return [
        slice(int(end[0]), int(end[-1]) + 1) if len(end) else slice(0, n) for end, n in zip(ends, shape, strict=True)
    ]


def fractions(
    read: Callable, shape: tuple[int, ...], phases: list[str], mapped: Callable = map, spacing=None, *, fields: int = 4
):
    """Measure the area (volume) fraction of every phase, as `matlens.quantify.fractions` does."""
    from matlens.quantify import fractions

    window = _window(read, shape, mapped)
    down, *rest = (
        [slice(cut.start + part.start, cut.start + part.stop) for part in parts]
        for cut, parts in zip(window, fractions.cuts([cut.stop - cut.start for cut in window], fields), strict=True)
    )
    across = list(itertools.product(*rest))
    counts = np.zeros((len(down), len(across), 256), np.int64)
    bands = [(row, band) for row, part in enumerate(down) for band in _bands(part.start, part.stop, shape)]
    found = mapped(partial(_tallies, read, across), [band for _, band in bands])
    for (row, _), tallies in zip(bands, found, strict=True):
        counts[row] += tallies
    phase_maps.check(counts.sum((0, 1)), phases)
    size = columns.AREA if len(shape) == 2 else "volume_px3"
    grid = (len(down), *map(len, rest))
    return fractions.table(counts.reshape(-1, 256)[:, : len(phases)].astype(float), phases, size, spacing, grid)


def regions(
    read: Callable,
    shape: tuple[int, ...],
    phases: list[str],
    mapped: Callable = map,
    spacing: tuple[float, ...] | None = None,
    *,
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
    gap_px: float = 0.0,
):
    """Measure every region, a row each, as `matlens.quantify.regions` does."""
    from matlens.quantify import regions

    return regions.table(Regions(read, shape, connectivity, background, min_area_px2, mapped), phases, gap_px, spacing)


def sizes(
    read: Callable,
    shape: tuple[int, ...],
    phases: list[str],
    mapped: Callable = map,
    spacing: tuple[float, ...] | None = None,
    *,
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
    border: str = "miles_lantuejoul",
    classes: int = 10,
):
    """Summarise the regions of every phase, a row each, as `matlens.quantify.sizes` does."""
    from matlens.quantify import sizes

    found = Regions(read, shape, connectivity, background, min_area_px2, mapped)
    return sizes.table(found, phases, background, border, classes, spacing)


class Regions:
    """Regions of labels larger than memory, with the measures of a `region_map.RegionMap` that tables need.

    Bands are labelled one by one, each with the last row (slice) of the one before: regions that meet there are one.
    `number` and `phase` (count,) as there: regions are numbered by their first pixel, row by row. Where something is
    not labelled, a mask of a byte a pixel says where.
    """

    def __init__(
        self,
        read: Callable,
        shape: tuple[int, ...],
        connectivity: str,
        background: bool,
        min_area_px2: float,
        mapped: Callable = map,
    ):
        self.shape = shape
        self._mapped, self._bands = mapped, _bands(0, shape[0], shape)
        self._labelled = partial(_labelled, read, connectivity, background)
        phases, moments, links, starts, before = [], [], [np.zeros((0, 2), np.int64)], [0], None
        whole = True
        for phase, found, full, top, bottom in mapped(partial(_moments, self._labelled), self._bands):
            if before is not None:
                links.append(_meetings(before, top) + [starts[-2], starts[-1]])
            phases.append(phase)
            moments.append(found)
            whole &= full
            starts.append(starts[-1] + len(phase))
            before = bottom
        self._starts = starts
        known = None if whole else np.concatenate([read(*band) != region_map.UNLABELLED for band in self._bands])
        self._window = window.of(known, shape)
        firsts, sums, boxes = map(np.concatenate, zip(*moments, strict=True))
        self._merge(np.concatenate(phases), firsts, sums, boxes, np.concatenate(links), min_area_px2)

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

    def _local(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Number the regions of each band from 1: list their numbers in the whole, and the parts in the band."""
        inside, tables = [], []
        for first, last in itertools.pairwise(self._starts):
            places = self._places[first:last]
            inside.append(np.unique(places[places > 0]))
            own = np.where(places > 0, np.searchsorted(inside[-1], places) + 1, 0)
            tables.append(np.concatenate([[0], own]).astype(np.int32))
        return inside, tables

    def moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sum over every region: first pixel, sums and box, see `region_kernels.moments`, from region 1 on."""
        return self._sums

    def window(self) -> window.Window:
        """Find the window in which regions are seen whole: the bounding box of the labelled pixels."""
        return self._window

    def cut(self) -> np.ndarray:
        """Flag every region if it touches unlabelled pixels (count,)."""
        inside, tables = self._local()
        found = np.zeros(self.count + 1, bool)
        gone = [self._window.outside_of(_above(band), band[1], self.shape) for band in self._bands]
        if all(part is None for part in gone):
            return found[1:]
        for own, beside in zip(
            inside,
            self._mapped(partial(_beside, self._labelled), zip(self._bands, tables, gone, strict=True)),
            strict=True,
        ):
            found[own] |= beside
        return found[1:]

    def boundary(self, gap_px: float = 0.0, spacing=None) -> tuple[np.ndarray, np.ndarray]:
        """Measure the perimeter of every region, and list the pairs that share an edge (m, 2)."""
        if gap_px > 0:
            raise BadItem("gap_px looks over the whole of an image, which is too large for that; take gap_px: 0")
        _, weights, _ = boundaries.directions(len(self.shape), spacing)
        ends = np.zeros((self.count + 1, len(weights)), np.int64)
        inside, tables = self._local()
        keys = [np.zeros(0, np.int64)]
        found = self._mapped(partial(_crossings, self._labelled), zip(self._bands, tables, strict=True))
        for own, (more, pairs) in zip(inside, found, strict=True):
            ends[own] += more
            small, large = own[pairs - 1].T
            keys.append(small * np.int64(self.count + 1) + large)
        pairs = np.unique(np.concatenate(keys))
        return (ends @ weights)[1:], np.stack(np.divmod(pairs, self.count + 1), axis=1)

    def extents(self, top: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the first and the last column of every region in each of its rows."""
        from matlens.quantify import region_kernels

        left = np.full(offset[-1], region_kernels.FAR, np.int32)
        right = np.full(offset[-1], -region_kernels.FAR, np.int32)
        inside, tables = self._local()
        bottom = top + np.diff(offset)
        rows = [
            (np.maximum(top[own], _above(band)), np.minimum(bottom[own], band[1]))
            for own, band in zip(inside, self._bands, strict=True)
        ]
        found = self._mapped(partial(_extents, self._labelled), zip(self._bands, tables, rows, strict=True))
        for own, (first, last), (lefts, rights) in zip(inside, rows, found, strict=True):
            at = _ranges(offset[own] + first - top[own], last - first)
            left[at] = np.minimum(left[at], lefts)
            right[at] = np.maximum(right[at], rights)
        return left, right


def _above(band: tuple[int, int]) -> int:
    """Return the row from which a band is read: the last of the band before, if there is one."""
    return max(0, band[0] - 1)


def _labelled(
    read: Callable, connectivity: str, background: bool, band: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Find the parts of regions in a band and the row above it; return them, their phases, whether all is labelled."""
    labels = read(_above(band), band[1])
    return *region_map.components(labels, connectivity, background), not (labels == region_map.UNLABELLED).any()


def _moments(labelled: Callable, band: tuple[int, int]) -> tuple:
    """Sum over every part in a band, the row above it left out; return phases, sums, that row, and the last one.

    Before the rows: whether all of the band is labelled.
    """
    pixels, phase, full = labelled(band)
    found = region_map.RegionMap(pixels[band[0] - _above(band) :], np.arange(len(phase)), phase)
    first, sums, box = found.moments()
    shift = np.where(np.arange(3) == 3 - pixels.ndim, band[0], 0)  # along the first axis
    moved = first + shift, sums, box + np.tile(shift, 2)
    return phase, moved, full, pixels[0].copy(), pixels[-1].copy()


def _beside(labelled: Callable, part: tuple) -> np.ndarray:
    """Flag every region of a band that touches the outside of the window."""
    band, table, gone = part
    if gone is None:
        return np.zeros(int(table.max()), bool)
    return window.beside(table[labelled(band)[0]], gone, int(table.max()))


def _crossings(labelled: Callable, part: tuple[tuple[int, int], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Count the crossings of every region of a band, and list the pairs that share an edge, by the band's numbers."""
    from matlens.quantify import region_kernels

    band, table = part
    pixels, count = table[labelled(band)[0]], int(table.max())
    offsets, _, straight = boundaries.directions(pixels.ndim)
    ends, keys = region_kernels.crossings(boundaries.volume(pixels), count, offsets)
    if band[0]:  # the row that two bands have was counted twice, and its upper and lower edge are none
        ends -= region_kernels.crossings(boundaries.volume(pixels[:1]), count, offsets)[0]
    pair, direction = np.divmod(keys, len(offsets))
    return ends[1:], np.stack(np.divmod(np.unique(pair[straight[direction]]), count + 1), axis=1)


def _extents(labelled: Callable, part: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Find the first and the last column of every region of a band in each of its rows there."""
    from matlens.quantify import region_kernels

    band, table, (first, last) = part
    pixels = table[labelled(band)[0]]
    offset = np.concatenate([[0, 0], np.cumsum(last - first)])
    return region_kernels.extents(pixels, len(first), np.concatenate([[0], first - _above(band)]), offset)


def _ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Put ranges of integers, by their first and their number, one after the other."""
    begins = np.cumsum(count) - count
    return np.repeat(first - begins, count) + np.arange(count.sum())


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
