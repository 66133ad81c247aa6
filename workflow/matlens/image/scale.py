"""Scale images robustly: one hot pixel must not set the scale of all others."""

import numpy as np


def robust(image: np.ndarray) -> tuple[float, float]:
    """Return level and spread of an image: its median, and half the distance of the 1 % and 99 % quantiles.

    An image of which 98 % are one value (few counts) has its standard deviation as spread; a constant one has 1.
    """
    low, middle, high = np.quantile(image, [0.01, 0.5, 0.99])
    spread = 0.5 * float(high - low) or float(image.std(dtype=np.float64))
    return float(middle), spread if spread > np.finfo(np.float32).tiny else 1.0


def noise(image: np.ndarray) -> float:
    """Estimate the standard deviation of white noise from second differences, robust to edges and hot pixels.

    Median absolute value of the Laplacian-like difference along each axis, over its factor for Gaussian noise
    (J. Immerkaer, Comput. Vis. Image Underst. 64 (1996) 300, with a median). 0 where no axis has three pixels.
    """
    if max(image.shape) < 3:
        return 0.0
    found = image.astype(np.float64)
    scale = 1.0
    for axis in range(image.ndim):
        if found.shape[axis] < 3:
            continue
        a, b, c = (np.take(found, np.arange(k, found.shape[axis] - 2 + k), axis) for k in range(3))
        found, scale = a - 2 * b + c, scale * np.sqrt(6.0)
    return float(np.median(np.abs(found)) / 0.6744897501960817 / scale)
