"""Thresholds for images and volumes larger than memory: read part by part, with the labels of the whole at once.

`read(*cuts)` gives a part (a slice for each axis) as float32 in [0, 1]; `shape` is that of the whole. What is returned
yields the labels of one band after the other: rows of an image, slices of a volume, as many as a chunk has.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from matlens.batch import BadItem
from matlens.segment import histogram
from matlens.segment.multi_otsu import phase_table

LARGE_PX = 1 << 26  # what has more pixels is not read whole: smoothing takes some 12 bytes a pixel
BAND = {2: 2048, 3: 128}  # rows or slices, as the chunks are stored
PART_PX = 1 << 25  # smoothed at a time
TILE_PX = 512  # edge of a part of a volume


def _bands(shape: tuple[int, ...]) -> list[slice]:
    """Cut the first axis into bands."""
    high = BAND[len(shape)]
    return [slice(first, min(first + high, shape[0])) for first in range(0, shape[0], high)]


def _parts(band: slice, shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Cut a band into parts: rows over all the width of an image, bricks of a volume."""
    flat = len(shape) == 2
    steps = (max(1, PART_PX // shape[1]), shape[1]) if flat else (BAND[3], TILE_PX, TILE_PX)
    ends = (band.stop, *shape[1:])
    starts = (range(start, end, step) for start, end, step in zip((band.start, 0, 0), ends, steps, strict=False))
    for corner in itertools.product(*starts):
        yield tuple(slice(a, min(a + step, end)) for a, step, end in zip(corner, steps, ends, strict=True))


def _smooth(read: Callable, shape: tuple[int, ...], part: tuple[slice, ...], sigma_px: float) -> np.ndarray:
    """Smooth one part; margins as wide as the kernel make every pixel what it is in the whole."""
    margin = int(4.0 * sigma_px + 0.5)
    if margin >= min(*shape, BAND[len(shape)]):
        raise BadItem(f"sigma_px {sigma_px} is too wide for an image that is read in bands of {BAND[len(shape)]}")
    wide = [slice(max(0, cut.start - margin), min(n, cut.stop + margin)) for cut, n in zip(part, shape, strict=True)]
    inner = tuple(slice(cut.start - out.start, cut.stop - out.start) for cut, out in zip(part, wide, strict=True))
    return histogram.smooth(read(*wide), sigma_px)[inner]


def _thresholds(read: Callable, shape: tuple[int, ...], sigma_px: float, classes: int) -> np.ndarray:
    """Find the thresholds of the smoothed whole, which is read twice: for its range, and for its histogram.

    A constant image has none.
    """

    def smoothed() -> Iterator[np.ndarray]:
        return (_smooth(read, shape, part, sigma_px) for band in _bands(shape) for part in _parts(band, shape))

    ranges = [histogram.finite_range(part) for part in smoothed()]
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if low == high:
        return np.zeros(0)
    counts = sum(histogram.counts(part, low, high) for part in smoothed())
    return histogram.otsu_thresholds(counts, histogram.centres(low, high), classes)


def _label(
    read: Callable, shape: tuple[int, ...], sigma_px: float, thresholds: np.ndarray, table: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the labels of each band: how many thresholds a pixel is above, as `table` names them."""
    for band in _bands(shape):
        labels = np.zeros((band.stop - band.start, *shape[1:]), np.uint8)
        for part in _parts(band, shape) if len(thresholds) else ():
            smooth = _smooth(read, shape, part, sigma_px)
            place = (slice(part[0].start - band.start, part[0].stop - band.start), *part[1:])
            for threshold in thresholds:
                labels[place] += smooth > np.float32(threshold)
        yield labels if (table == np.arange(len(table))).all() else table[labels]


def otsu(
    read: Callable, shape: tuple[int, ...], *, foreground: str = "bright", sigma_px: float = 1.0
) -> Iterator[np.ndarray]:
    """Label an image or volume band by band by Otsu's threshold, as `matlens.segment.otsu` does."""
    thresholds = _thresholds(read, shape, sigma_px, 2)
    table = [0, 1] if foreground == "bright" or not len(thresholds) else [1, 0]
    return _label(read, shape, sigma_px, thresholds, np.array(table, np.uint8))


def multi_otsu(
    read: Callable,
    shape: tuple[int, ...],
    phases: list[str],
    *,
    classes: int = 3,
    phase_of_class: list[int] | None = None,
    sigma_px: float = 1.0,
) -> Iterator[np.ndarray]:
    """Label an image or volume band by band by Otsu's thresholds, as `matlens.segment.multi_otsu` does."""
    table = phase_table(phase_of_class, classes, phases)
    return _label(read, shape, sigma_px, _thresholds(read, shape, sigma_px, classes), table)
