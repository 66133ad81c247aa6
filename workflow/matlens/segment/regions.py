"""Regions from masks and from boundaries: int32 region maps, 0 is background or boundary."""

import numpy as np

FARTHEST_PX = 1000  # below it, an error of 1e-7 of a distance is less than 0.3 of its square


def distance(mask: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of every pixel of a mask to the nearest one outside it: float32, in pixels.

    The border of the image does not count as outside. A mask without an outside is as far from it as the image is long.
    The last bit of cv2's distances differs from call to call, and with it the meeting points of a watershed: squares
    of distances are whole numbers, and are rounded to these as far as float32 tells them apart.
    """
    if mask.all():
        return np.full(mask.shape, max(mask.shape), np.float32)
    if mask.ndim == 2:
        import cv2

        cv2.setNumThreads(1)
        found = cv2.distanceTransform(np.ascontiguousarray(mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        if found.max() < FARTHEST_PX:
            return np.sqrt(np.rint(np.square(found, dtype=np.float64))).astype(np.float32)
    from scipy import ndimage

    return ndimage.distance_transform_edt(mask).astype(np.float32)


def drop_small(regions: np.ndarray, least_area: int) -> np.ndarray:
    """Set regions of fewer than `least_area` pixels to 0 and number the others from 1 without gaps, as int32."""
    counts = np.bincount(regions.ravel())
    keep = counts >= max(least_area, 1)
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0).astype(np.int32)[regions]


def regions_from_mask(mask: np.ndarray, *, prominence_px: float = 1.0, min_area_px2: int = 20) -> np.ndarray:
    """Part touching particles: the watershed of the distance to the background, as int32 regions.

    `mask`: bool, 2-D or 3-D. `prominence_px`: how much higher than the neck between two particles the smaller
    one's distance maximum must be, in pixels (h of the h-maxima transform). Regions of fewer than `min_area_px2` pixels
    (voxels) are dropped.
    """
    from matlens.segment.flood import flood

    return drop_small(flood(distance(mask), mask, prominence_px), min_area_px2)


def regions_from_boundary(
    probability: np.ndarray,
    *,
    threshold: float = 0.5,
    prominence_px: float = 2.0,
    min_area_px2: int = 30,
    keep_boundary: bool = False,
) -> np.ndarray:
    """Turn a boundary map into grains: the watershed of the distance to the boundary, as int32 regions.

    `probability`: of being boundary, in [0, 1], 2-D or 3-D; a phase map of 0 and 1 or a mask does as well. Pixels at or
    above `threshold` are boundary. `prominence_px`: a gap in a boundary stays closed when the grains on both sides are
    wider than the gap by twice this. Regions of fewer than `min_area_px2` pixels (voxels) join a neighbour. The
    boundary pixels are shared out to the grains beside them, so that areas add up to the image; with `keep_boundary`
    they are 0. An image that is all boundary is all 0.
    """
    from matlens.segment.flood import flood

    boundary = np.asarray(probability, np.float32) >= threshold
    if boundary.all():
        return np.zeros(boundary.shape, np.int32)
    # Negative inside the boundary, so that the flood from both sides meets on its middle.
    relief = distance(~boundary)
    if boundary.any():
        relief -= distance(boundary)
    regions = flood(relief, np.ones(boundary.shape, bool), prominence_px, min_area_px2)
    if keep_boundary:
        regions = np.where(boundary, 0, regions)
        return drop_small(regions, min_area_px2)
    return regions
