"""Grey values: luminance of colour images, and black and white levels."""

import numpy as np

REC_709 = (0.2125, 0.7154, 0.0721)  # the weights of skimage.color.rgb2gray
SLAB = 1 << 22  # pixels converted at a time, to bound memory for large colour images


def luminance(colour: np.ndarray) -> np.ndarray:
    """Convert colour of shape (..., 3 or more) to float32 luminance, 0.2125 R + 0.7154 G + 0.0721 B; alpha is ignored.

    Integers are divided by the largest value of their type, so that they end in [0, 1]; floats keep their numbers.
    """
    scale = np.iinfo(colour.dtype).max if colour.dtype.kind in "ui" else 1
    weights = np.array(REC_709, np.float32) / np.float32(scale)
    grey = np.empty(colour.shape[:-1], np.float32)
    rows, out = colour.reshape(-1, colour.shape[-1]), grey.reshape(-1)
    for first in range(0, len(rows), SLAB):
        out[first : first + SLAB] = rows[first : first + SLAB, :3].astype(np.float32) @ weights
    return grey


def one_channel(colour: np.ndarray) -> np.ndarray:
    """Convert colour of shape (..., channels) to grey.

    Grey stored as colour (equal channels) keeps its type; other colour becomes luminance. One or two channels are grey,
    or grey with alpha.
    """
    if colour.shape[-1] < 3:
        return np.ascontiguousarray(colour[..., 0])
    first = colour[..., 0]
    if all(np.array_equal(first[..., ::16, ::16], colour[..., ::16, ::16, k]) for k in (1, 2)) and all(
        np.array_equal(first, colour[..., k]) for k in (1, 2)
    ):
        return np.ascontiguousarray(first)
    return luminance(colour)


def from_ycbcr(colour: np.ndarray) -> np.ndarray:
    """Convert luma and differences of colours (..., 3), 8 bit, to red, green and blue (ITU-R BT.601, as in JFIF)."""
    luma, blue, red = (colour[..., k].astype(np.float32) - (k > 0) * 128 for k in range(3))
    found = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], -1)
    return np.clip(np.round(found), 0, 255).astype(np.uint8)


def transparent(alpha: np.ndarray) -> np.ndarray | None:
    """Return where an image is transparent (alpha 0); None if nowhere, or everywhere: then no alpha was written."""
    clear = alpha == 0
    return clear if clear.any() and not clear.all() else None


def three_channels(colour: np.ndarray) -> np.ndarray | None:
    """Convert colour of shape (y, x, 3 or more) to (3, y, x); None if there are fewer channels or no integers."""
    if colour.shape[-1] < 3 or colour.dtype not in (np.uint8, np.uint16):
        return None
    return np.ascontiguousarray(np.moveaxis(colour[..., :3], -1, 0))


CAMERA_BITS = (8, 10, 12, 14, 16)
DARK = 0.05  # fraction of the largest value that noise may lie below 0 after dark-frame subtraction
LEAST = 0.1  # images that use a smaller fraction of their range get a note
CLIPPED = 0.02  # of the pixels at an end of the range; fewer are specks
FEWEST_LEVELS = 17  # an image of fewer is a mask or a drawing, which is at its ends
FILLED = 0.25  # fraction of a signed camera range that values must fill


def inferred(low: float, high: float, dtype) -> tuple[float, float]:
    """Infer black and white levels from the smallest and largest value of an image or a series.

    Values from 0: 0 and the largest value of a camera of 8, 10, 12, 14 or 16 bits; for fractions, 1. Signed values: the
    range of such a camera about 0 if they fill a quarter of it. Otherwise: the values themselves.
    """
    dtype = np.dtype(dtype)
    whole = dtype.kind in "iu"
    limit = float(np.iinfo(dtype).max) if whole else np.inf
    if dtype == np.uint8 or (dtype == np.int8 and low < 0):
        return float(np.iinfo(dtype).min), limit
    if low >= 0 or -low <= DARK * high:
        if not whole and high <= 1:
            return (0.0, 1.0) if high >= LEAST else (low, high)
        white = next((2.0**bits - 1 for bits in CAMERA_BITS if 2**bits - 1 >= high), None)
        small = not whole and high < LEAST * 255
        return (low, high) if white is None or small else (0.0, min(white, limit))
    ranges = [(-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) for bits in CAMERA_BITS]
    for black, white in ranges if whole else [(-1.0, 1.0), *ranges]:
        if black <= low and high <= white:
            return (black, white) if high - low >= FILLED * (white - black) else (low, high)
    return low, high


def intensity_range(
    pixels: np.ndarray, bits: int | None = None, shared: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Return the black and white levels of an image.

    In order: the significant `bits` (4, 12, ...) of uint8 and uint16 that the file states, if no pixel exceeds them;
    the range `shared` by the series, if no pixel exceeds it; the range that `inferred` returns.
    """
    if pixels.dtype == np.uint8 and not bits:
        return 0.0, 255.0
    low, high = limits(pixels)
    if pixels.dtype in (np.uint8, np.uint16) and bits and bits <= pixels.dtype.itemsize * 8 and high <= 2**bits - 1:
        return 0.0, 2.0**bits - 1
    if shared and pixels.dtype != np.uint8 and fits(low, high, pixels.dtype, shared):
        return shared
    return inferred(low, high, pixels.dtype)


def fits(low: float, high: float, dtype, shared: tuple[float, float]) -> bool:
    """Check whether values lie in the range of their series, except noise below it; fractions match only fractions."""
    if np.dtype(dtype).kind == "f" and high <= 1 < shared[1]:
        return False
    return shared[0] - DARK * max(high, 0.0) <= low and high <= shared[1]


def limits(pixels: np.ndarray) -> tuple[float, float]:
    """Return the smallest and largest finite value; (0, 0) if there is none."""
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = pixels[np.isfinite(pixels)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return low, high


def turned_over(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Invert values between black and white, in their own type if it can hold them."""
    turned = low + high - pixels.astype(np.float64 if pixels.dtype.kind in "iu" else pixels.dtype)
    if pixels.dtype.kind not in "iu":
        return turned
    own = np.iinfo(pixels.dtype)
    return turned.astype(pixels.dtype if own.min <= turned.min() and turned.max() <= own.max else np.float32)


def doubt(pixels: np.ndarray, low: float, high: float) -> str | None:
    """Return a note if an image uses little of its range, else None."""
    least, most = limits(pixels)
    part = (most - least) / (high - low) if high > low else 1.0
    if part >= LEAST:
        return None
    return (
        f"its grey values, {least:.4g} to {most:.4g}, are {100 * part:.2g} % of the range {low:.4g} to {high:.4g}: "
        "fixed thresholds and trained methods may fail on it"
    )


def clipped(pixels: np.ndarray, low: float, high: float, ignore: np.ndarray | None = None) -> str | None:
    """Return a note if many pixels of an image of whole numbers are at an end of its range; masks have none.

    ignore: pixels that are not measured are 1; None: all are.
    """
    if pixels.dtype.kind not in "ui":
        return None
    values = pixels if ignore is None else pixels[ignore == 0]
    if not values.size:
        return None
    parts = {
        "white": np.count_nonzero(values >= high) / values.size,
        "black": np.count_nonzero(values <= low) / values.size,
    }
    over = {name: part for name, part in parts.items() if part >= CLIPPED}
    if not over or len(np.unique(values.ravel()[:: 1 + values.size // SLAB])) < FEWEST_LEVELS:
        return None
    ends = {"white": high, "black": low}
    shown = " and ".join(f"{100 * part:.2g} % {name} ({ends[name]:g})" for name, part in over.items())
    return (
        f"its pixels are {shown}, an end of the range: saturated, or cut off by contrast; grey values beyond are lost"
    )
