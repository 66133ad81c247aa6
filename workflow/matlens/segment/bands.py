"""Thresholds for images larger than memory: read and labelled band by band, with the labels of the whole at once.

`read(first, last)` gives rows of the image as float32 in [0, 1]; `shape` is that of the whole. What is returned yields
the labels of one band of rows after the other.
"""

from collections.abc import Callable, Iterator

import numpy as np

from matlens.batch import BadItem
from matlens.segment import histogram

LARGE_PX = 1 << 26  # flat images with more pixels are not read whole: smoothing one takes some 12 bytes a pixel
BAND_ROWS = 2048  # as the chunks are stored, so that none is read twice but for the margins


def _smooth_bands(read: Callable, shape: tuple[int, int], sigma_px: float) -> Iterator[np.ndarray]:
    """Yield the smoothed image band by band; margins as wide as the kernel make every row what it is in the whole."""
    margin, rows = int(4.0 * sigma_px + 0.5), BAND_ROWS
    if margin >= min(rows, *shape):
        raise BadItem(f"sigma_px {sigma_px} is too wide for an image that is read in bands of {rows} rows")
    for first in range(0, shape[0], rows):
        last = min(first + rows, shape[0])
        above, below = max(0, first - margin), min(shape[0], last + margin)
        yield histogram.smooth(read(above, below), sigma_px)[first - above : last - above]


def otsu(
    read: Callable, shape: tuple[int, int], *, foreground: str = "bright", sigma_px: float = 1.0
) -> Iterator[np.ndarray]:
    """Label an image band by band by Otsu's threshold, as `matlens.segment.otsu` does; it is read three times.

    Once for the range of grey levels, once for the histogram over that range, once for the labels.
    """
    ranges = [histogram.finite_range(band) for band in _smooth_bands(read, shape, sigma_px)]
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if low == high:
        return (np.zeros(band.shape, np.uint8) for band in _smooth_bands(read, shape, 0.0))
    counts = sum(histogram.counts(band, low, high) for band in _smooth_bands(read, shape, sigma_px))
    (threshold,) = histogram.otsu_thresholds(counts, histogram.centres(low, high), 2)
    above = (band > np.float32(threshold) for band in _smooth_bands(read, shape, sigma_px))
    return ((part if foreground == "bright" else ~part).view(np.uint8) for part in above)
