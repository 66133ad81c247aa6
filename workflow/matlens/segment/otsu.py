"""Otsu's threshold: two classes with the largest variance between them."""

import numpy as np


def segment(image: np.ndarray, *, foreground: str = "bright", sigma_px: float = 1.0) -> np.ndarray:
    """Label pixels by Otsu's threshold: 1 on the chosen side of it, 0 on the other.

    `image`: float32 in [0, 1], any number of axes. `foreground`: "bright" or "dark", the side that is phase 1.
    `sigma_px`: standard deviation of the Gaussian smoothing before the threshold, in pixels; 0 for none.
    Source: N. Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62, eq. 18.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    smooth = ndimage.gaussian_filter(image, sigma_px) if sigma_px > 0 else image
    above = smooth > threshold_otsu(smooth)
    return (above if foreground == "bright" else ~above).astype(np.uint8)
