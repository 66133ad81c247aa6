"""Grains from the lines between them: a ridge filter finds the boundaries, the watershed closes them."""

import numpy as np

from matlens.segment import histogram, ridges
from matlens.segment.regions import regions_from_boundary


def segment(
    image: np.ndarray,
    *,
    boundary: str = "dark",
    sigma_px: float = 2.0,
    prominence_px: float = 2.0,
    min_area_px2: int = 50,
    keep_boundary: bool = False,
) -> np.ndarray:
    """Label grains one by one by the dark or bright lines between them.

    `image`: float32 in [0, 1], 2-D or 3-D; returns int32 regions, 0 only where `keep_boundary` leaves the lines out.
    `boundary`: "dark" or "bright" lines. `sigma_px`: Gaussian scale of the ridge filter, about half the width of a
    line, in pixels. `prominence_px`, `min_area_px2`, `keep_boundary`: see `regions.regions_from_boundary`. The ridge is
    the largest curvature across the line (largest Hessian eigenvalue), cut at its own Otsu threshold; an image without
    ridges is one grain. Source: C. Steger, IEEE Trans. Pattern Anal. Mach. Intell. 20 (1998) 113 (ridges by the
    Hessian).
    """
    low, high = histogram.finite_range(image)
    if low == high:
        return np.ones(image.shape, np.int32)
    lines = ridges.lines(image, boundary, sigma_px)
    return regions_from_boundary(
        lines, prominence_px=prominence_px, min_area_px2=min_area_px2, keep_boundary=keep_boundary
    )
