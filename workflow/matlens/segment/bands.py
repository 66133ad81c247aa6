"""Thresholds for images and volumes larger than memory, read in parts; labels equal those of the whole image.

`read(*cuts)` returns a part (one slice per axis) as float32 in [0, 1]; `shape` is the shape of the whole. The results
yield the labels of successive bands (rows of an image, slices of a volume), one chunk high. `mapped` is `map`, or an
ordered map over workers (`matlens.job.workers`).
"""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from matlens.job.batch import BadItem
from matlens.segment import histogram
from matlens.segment.multi_otsu import phase_table

LARGE_PX = 1 << 26  # larger images are read in parts: smoothing takes about 12 bytes per pixel
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


def _all_parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Cut the whole into parts, band by band."""
    return itertools.chain.from_iterable(_parts(band, shape) for band in _bands(shape))


def _smooth(read: Callable, shape: tuple[int, ...], sigma_px: float, part: tuple[slice, ...]) -> np.ndarray:
    """Smooth one part; margins as wide as the kernel make every pixel what it is in the whole."""
    margin = int(4.0 * sigma_px + 0.5)
    if margin >= min(*shape, BAND[len(shape)]):
        raise BadItem(f"sigma_px {sigma_px} is too wide for an image that is read in bands of {BAND[len(shape)]}")
    wide = [slice(max(0, cut.start - margin), min(n, cut.stop + margin)) for cut, n in zip(part, shape, strict=True)]
    inner = tuple(slice(cut.start - out.start, cut.stop - out.start) for cut, out in zip(part, wide, strict=True))
    return histogram.smooth(read(*wide), sigma_px)[inner]


def _range(smoothed: Callable, part: tuple[slice, ...]) -> tuple[float, float]:
    """Find the range of one part."""
    return histogram.finite_range(smoothed(part))


def _counts(smoothed: Callable, low: float, high: float, part: tuple[slice, ...]) -> np.ndarray:
    """Count the grey levels of one part."""
    return histogram.counts(smoothed(part), low, high)


def _classes(smoothed: Callable, thresholds: np.ndarray, table: np.ndarray, part: tuple[slice, ...]) -> np.ndarray:
    """Label one part: how many thresholds a pixel is above, as `table` names them."""
    smooth = smoothed(part)
    labels = np.zeros(smooth.shape, np.uint8)
    for threshold in thresholds:
        labels += smooth > np.float32(threshold)
    return labels if (table == np.arange(len(table))).all() else table[labels]


def _thresholds(mapped: Callable, smoothed: Callable, shape: tuple[int, ...], classes: int) -> np.ndarray:
    """Find the thresholds of the smoothed whole, which is read twice: for its range, and for its histogram.

    A constant image has none.
    """
    lows, highs = zip(*mapped(partial(_range, smoothed), _all_parts(shape)), strict=True)
    low, high = min(lows), max(highs)
    if low == high:
        return np.zeros(0)
    counts = sum(mapped(partial(_counts, smoothed, low, high), _all_parts(shape)))
    return histogram.otsu_thresholds(counts, histogram.centres(low, high), classes)


def _label(
    mapped: Callable, smoothed: Callable, shape: tuple[int, ...], thresholds: np.ndarray, table: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the labels of each band."""
    found = mapped(partial(_classes, smoothed, thresholds, table), _all_parts(shape)) if len(thresholds) else None
    for band in _bands(shape):
        labels = np.full((band.stop - band.start, *shape[1:]), table[0], np.uint8)
        for part in _parts(band, shape) if found else ():
            labels[part[0].start - band.start : part[0].stop - band.start, *part[1:]] = next(found)
        yield labels


def otsu(
    read: Callable, shape: tuple[int, ...], mapped: Callable = map, *, foreground: str = "bright", sigma_px: float = 1.0
) -> Iterator[np.ndarray]:
    """Label an image or volume band by band by Otsu's threshold, as `matlens.segment.otsu` does."""
    smoothed = partial(_smooth, read, shape, sigma_px)
    thresholds = _thresholds(mapped, smoothed, shape, 2)
    table = [0, 1] if foreground == "bright" or not len(thresholds) else [1, 0]
    return _label(mapped, smoothed, shape, thresholds, np.array(table, np.uint8))


def multi_otsu(
    read: Callable,
    shape: tuple[int, ...],
    phases: list[str],
    mapped: Callable = map,
    *,
    classes: int = 3,
    phase_of_class: list[int] | None = None,
    sigma_px: float = 1.0,
) -> Iterator[np.ndarray]:
    """Label an image or volume band by band by Otsu's thresholds, as `matlens.segment.multi_otsu` does."""
    table = phase_table(phase_of_class, classes, phases)
    smoothed = partial(_smooth, read, shape, sigma_px)
    return _label(mapped, smoothed, shape, _thresholds(mapped, smoothed, shape, classes), table)
