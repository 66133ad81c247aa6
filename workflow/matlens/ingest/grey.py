"""Grey values: one channel from colour, and the two numbers that mean black and white."""

import numpy as np

REC_709 = (0.2125, 0.7154, 0.0721)  # the weights of skimage.color.rgb2gray
SLAB = 1 << 22  # pixels turned at once, so that a large colour image costs little beside its result


def luminance(colour: np.ndarray) -> np.ndarray:
    """Turn colour of shape (..., 3 or more) into float32 luminance, 0.2125 R + 0.7154 G + 0.0721 B; alpha is ignored.

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
    """Make colour of shape (..., channels) grey.

    Grey that was merely stored as colour (equal channels) stays in its own type; real colour becomes its luminance.
    One or two channels are grey, or grey with alpha.
    """
    if colour.shape[-1] < 3:
        return np.ascontiguousarray(colour[..., 0])
    first = colour[..., 0]
    if all(np.array_equal(first[..., ::16, ::16], colour[..., ::16, ::16, k]) for k in (1, 2)) and all(
        np.array_equal(first, colour[..., k]) for k in (1, 2)
    ):
        return np.ascontiguousarray(first)
    return luminance(colour)


def three_channels(colour: np.ndarray) -> np.ndarray | None:
    """Turn colour of shape (y, x, 3 or more) into (3, y, x); None where there are fewer channels, or no integers."""
    if colour.shape[-1] < 3 or colour.dtype not in (np.uint8, np.uint16):
        return None
    return np.ascontiguousarray(np.moveaxis(colour[..., :3], -1, 0))


def intensity_range(pixels: np.ndarray, bits: int | None = None) -> tuple[float, float]:
    """Say which two numbers mean black and white.

    Unsigned integers of 8 and 16 bits: 0 and the largest of the type, or of the significant `bits` (4, 12, ...) that
    the file states, when no pixel exceeds it. Everything else: the smallest and largest finite number of the image.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        full = np.iinfo(pixels.dtype).max
        stated = 2**bits - 1 if bits and 1 <= bits < pixels.dtype.itemsize * 8 else full
        return 0.0, float(stated if stated == full or pixels.max() <= stated else full)
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = pixels[np.isfinite(pixels)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return low, high
