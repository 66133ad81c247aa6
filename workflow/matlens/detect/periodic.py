"""Places where a periodic image is unlike itself one period before and one period after: the classical defect search.

The image is moved by a period to either side; at a defect both differences are large and of one sign.
"""

import numpy as np

from matlens import columns
from matlens.detect import AUTO, blobs
from matlens.job.batch import BadItem

LEAST_PX = 4.0  # shortest period that is looked for
STRONG = 0.1  # least autocorrelation at the period: below, the image does not repeat itself


def period_of(image: np.ndarray, axis: int) -> float:
    """Return the period of an image along an axis in pixels, by its autocorrelation, refined by a parabola.

    The period is the first maximum that reaches nine tenths of the highest. Raises BadItem without such.
    """
    lines = np.moveaxis(np.asarray(image, float), axis, -1)
    lines = lines - lines.mean(-1, keepdims=True)
    length = lines.shape[-1]
    power = (np.abs(np.fft.rfft(lines, 2 * length)) ** 2).reshape(-1, length + 1).sum(0)
    found = np.fft.irfft(power)[: length // 2]
    found = found / np.arange(length, length - len(found), -1)  # of the pixels that two copies share
    found = found / found[0] if found.size and found[0] > 0 else found
    inner = np.arange(max(int(LEAST_PX), 1), len(found) - 1)
    peaks = inner[(found[inner] >= found[inner - 1]) & (found[inner] > found[inner + 1]) & (found[inner] > STRONG)]
    if not len(peaks):
        raise BadItem("the image does not repeat itself along this axis; give period_px, or the other axis")
    at = int(peaks[found[peaks] >= 0.9 * found[peaks].max()][0])
    before, here, after = found[at - 1 : at + 2]
    return at + 0.5 * (before - after) / (before - 2 * here + after)


def unlike(image: np.ndarray, period_px: float, axis: int) -> np.ndarray:
    """Return by how much each pixel differs from its copies a period before and after: 0 where the signs differ.

    Where one of both lies outside the image, the other counts alone.
    """
    from scipy import ndimage

    parts = []
    for side in (-period_px, period_px):
        shift = [0.0, 0.0]
        shift[axis] = side
        parts.append(image - ndimage.shift(image.astype(np.float32), shift, order=1, mode="constant", cval=np.nan))
    one, other = (np.where(np.isnan(a), b, a) for a, b in (parts, parts[::-1]))
    both = np.minimum(np.abs(one), np.abs(other))
    return np.nan_to_num(np.where(one * other > 0, both, 0.0)).astype(np.float32)


def detect(
    image: np.ndarray,
    *,
    axis: str = "x",
    period_px: float | None = None,
    min_radius_px: float = 3.0,
    max_radius_px: float = 20.0,
    scales: int = 10,
    threshold: float | str = AUTO,
    overlap: float = 0.5,
):
    """Find places where an image differs from itself one period before and after, as discs.

    `axis`: x or y, along which the image repeats itself; `period_px`: None for the one that its autocorrelation shows.
    The rest as in `blobs`, of the difference.
    """
    along = "yx".index(axis)
    period = period_of(image, along) if period_px is None else period_px
    if period >= image.shape[along]:
        raise BadItem(f"the period of {period:.4g} px is as long as the image; give a shorter one")
    sizes = {"min_radius_px": min_radius_px, "max_radius_px": max_radius_px, "scales": scales}
    found = blobs.detect(unlike(image, period, along), **sizes, threshold=threshold, overlap=overlap)
    found.attrs.pop(columns.REMARK)  # a difference has fine edges, whatever the size of a defect is
    return found
