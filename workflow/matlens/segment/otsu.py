"""Otsu's threshold: two classes with the largest variance between them."""

import numpy as np

from matlens import masked
from matlens.segment import histogram


def segment(
    image: np.ndarray, ignore: np.ndarray | None = None, *, foreground: str = "bright", sigma_px: float = 1.0
) -> np.ndarray:
    """Label pixels by Otsu's threshold: 1 on the chosen side of it, 0 on the other; a constant image is all 0.

    `image`: float32 in [0, 1], any number of axes; pixels where `ignore` is 1 set no threshold. `foreground`: "bright"
    or "dark", the side that is phase 1. `sigma_px`: standard deviation of the Gaussian smoothing before the threshold,
    in pixels; 0 for none. The histogram has 1024 equal bins over the range of the smoothed image. Raises BadItem if the
    image is not finite. Source: N. Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62, eq. 18.
    """
    low, high = histogram.finite_range(image)
    if low == high:
        return np.zeros(image.shape, np.uint8)
    return side(histogram.smooth(image, sigma_px), foreground, ignore)


def side(smooth: np.ndarray, foreground: str, ignore: np.ndarray | None = None) -> np.ndarray:
    """Put 1 on the chosen side of the Otsu threshold of a smooth image and 0 on the other, as uint8.

    The threshold is that of the pixels where `ignore` is 0.
    """
    values = masked.known(smooth, ignore)
    if values.min() == values.max():
        return np.zeros(smooth.shape, np.uint8)
    (threshold,) = histogram.otsu_thresholds(*histogram.histogram(values), 2)
    above = smooth > np.float32(threshold)
    return (above if foreground == "bright" else ~above).view(np.uint8)
