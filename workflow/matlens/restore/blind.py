"""Choose the strength of a filter without a clean image: hide pixels, predict them from their neighbours, compare.

For noise that is independent from pixel to pixel, the error of predicting hidden pixels is the error against the clean
image plus a constant (J. Batson, L. Royer, Proc. Mach. Learn. Res. 97 (2019) 524): its least value has the best
strength.
"""

from collections.abc import Callable, Iterable

import numpy as np
from scipy import ndimage

from matlens.image.scale import noise

STRIDE = 4  # of the lattices of hidden pixels
LATTICES = 4  # of the STRIDE^axes lattices are used
LARGEST = 512  # pixels per side that the calibration looks at, in the middle of an image


def middle(image: np.ndarray) -> np.ndarray:
    """Cut the middle out of a large image."""
    cut = tuple(slice(max(0, (n - LARGEST) // 2), max(0, (n - LARGEST) // 2) + min(n, LARGEST)) for n in image.shape)
    return image[cut]


def masks(shape: tuple[int, ...]) -> Iterable[np.ndarray]:
    """Yield some lattices of hidden pixels, spread over the cell of STRIDE."""
    cells = STRIDE ** len(shape)
    for number in range(LATTICES):
        place = np.unravel_index(number * (cells // LATTICES) + number, (STRIDE,) * len(shape))
        mask = np.zeros(shape, bool)
        mask[tuple(slice(start, None, STRIDE) for start in place)] = True
        yield mask


def neighbours_mean(image: np.ndarray) -> np.ndarray:
    """Return the mean of the neighbours of every pixel, itself left out."""
    kernel = np.ones((3,) * image.ndim)
    kernel[(1,) * image.ndim] = 0.0
    return ndimage.convolve(image, kernel / kernel.sum(), mode="mirror")


def error(image: np.ndarray, restore: Callable) -> float:
    """Return the mean error of predicting hidden pixels, robust to hot ones (mean absolute, Huber at 3 sigma)."""
    filled, losses = neighbours_mean(image), []
    size = np.abs(image - filled)
    limit = 3.0 * np.median(size) / 0.6745 + 1e-12 * size.max() + np.finfo(float).tiny
    for mask in filter(np.any, masks(image.shape)):  # some lattices have no pixel in a thin image
        missed = restore(np.where(mask, filled, image))[mask] - image[mask]
        size = np.abs(missed)
        losses.append(np.where(size <= limit, 0.5 * size**2, limit * (size - 0.5 * limit)).mean())
    return float(np.mean(losses))


def noiseless(image: np.ndarray) -> bool:
    """Check that an image has no noise: its second differences are mostly 0, and no pixel is above or below all around.

    Predicting hidden pixels cannot find this out: at the rims of phases smoothing predicts better than leaving them.
    """
    if noise(image) > 0:
        return False
    around = np.ones((3,) * image.ndim, bool)
    around[(1,) * image.ndim] = False
    above = image > ndimage.maximum_filter(image, footprint=around, mode="mirror")
    below = image < ndimage.minimum_filter(image, footprint=around, mode="mirror")
    return not (above | below).any()


def best(image: np.ndarray, make: Callable, strengths: Iterable[float]) -> float:
    """Return the strength of least error, the weakest for an image without noise.

    `make(strength)` gives a function of an image.
    """
    part = middle(image).astype(np.float64)  # squares of large greys overflow in single precision
    if noiseless(part):
        return min(strengths)
    return min(strengths, key=lambda strength: (error(part, make(strength)), strength))
