"""A local threshold: each pixel against the mean around it."""

import numpy as np

from matlens.segment import histogram


def segment(
    image: np.ndarray,
    *,
    foreground: str = "bright",
    weight: str = "mean",
    block_px: int = 51,
    offset: float = 0.02,
    sigma_px: float = 1.0,
) -> np.ndarray:
    """Label 1 where a pixel differs from its local mean by more than `offset` towards `foreground`, 0 elsewhere.

    `image`: float32 in [0, 1], 2-D or 3-D. `weight`: "mean" weighs the block alike, "gaussian" with a standard
    deviation of a sixth of the block. `block_px`: edge of the block, in pixels, wider than the objects; an even edge is
    one wider. `offset`: in units of the grey scale. `sigma_px`: Gaussian smoothing before, in pixels. The image is
    reflected at its borders. Source: the local mean threshold, e.g. R. C. Gonzalez & R. E. Woods, Digital Image
    Processing, 3rd ed., eq. 10.3-33.
    """
    histogram.finite_range(image)
    smooth = histogram.smooth(image, sigma_px)
    edge = int(block_px) | 1
    local = histogram.smooth(smooth, edge / 6.0) if weight == "gaussian" else _box(smooth, edge)
    contrast = smooth - local
    found = contrast > offset if foreground == "bright" else contrast < -offset
    return found.view(np.uint8)


def _box(image: np.ndarray, edge: int) -> np.ndarray:
    """Average over a block of `edge` pixels around each pixel."""
    if image.ndim == 2 and edge // 2 < min(image.shape):
        import cv2

        cv2.setNumThreads(1)
        return cv2.blur(np.ascontiguousarray(image), (edge, edge), borderType=cv2.BORDER_REFLECT)
    from scipy import ndimage

    # Sums run along the axis in double precision: float32 would drift over long rows.
    return ndimage.uniform_filter(image, edge, output=np.float64).astype(np.float32)
