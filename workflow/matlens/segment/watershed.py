"""Touching particles, parted by the watershed of their distance transform."""

import numpy as np

from matlens.segment import histogram, otsu
from matlens.segment.regions import regions_from_mask


def segment(
    image: np.ndarray,
    ignore: np.ndarray | None = None,
    *,
    foreground: str = "bright",
    threshold: float | None = None,
    sigma_px: float = 1.0,
    prominence_px: float = 1.0,
    min_area_px2: int = 20,
) -> np.ndarray:
    """Label particles one by one: a threshold, the distance to the background, its maxima, the watershed.

    `image`: float32 in [0, 1], 2-D or 3-D; returns int32 regions, 0 is background. `foreground`: "bright" or "dark".
    `threshold`: grey level that parts particles from background; None takes Otsu's. `sigma_px`: Gaussian smoothing
    before, in pixels. `ignore`: 1 where nothing is measured.
    `prominence_px`: how far the distance maximum of a particle must stand above the neck to its
    neighbour, in pixels; more joins, less parts. `min_area_px2`: smaller regions are dropped (pixels; voxels of a
    volume). Source: S. Beucher & C. Lantuéjoul, Proc. Int. Workshop Image Processing, Rennes (1979) 17; h-maxima: P.
    Soille, Morphological Image Analysis, 2nd ed. (2004), ch. 6 and 9.
    """
    histogram.finite_range(image)
    smooth = histogram.smooth(image, sigma_px)
    if threshold is None:
        mask = otsu.side(smooth, foreground, ignore).view(bool)
    else:
        mask = smooth > threshold if foreground == "bright" else smooth < threshold
    if ignore is not None:
        mask &= ignore == 0
    return regions_from_mask(mask, prominence_px=prominence_px, min_area_px2=min_area_px2)
