"""Evidence for grain boundaries: whether an image has lines of one side, and whether regions are parted by lines."""

import numpy as np

from matlens import masked
from matlens.segment import histogram
from matlens.segment.features import hessian

LEAST_RATIO = 1.25  # ASSUME: noise and texture have 0.8 to 1.2, etched boundaries 1.3 and more
LEAST_ON_LINES = 0.8  # ASSUME: part of the length of boundaries; etched boundaries with few gaps have 0.94 and more
NO_LINES = (
    "its {own} lines are no stronger than its {other} ones, as in noise or in grains that differ by colour: regions "
    "are no grains, and sizes mean nothing; see the overlay, learn boundaries from masks (unet, output: grains)"
)
WRONG_SIDE = "its {other} lines are stronger than its {own} ones; see the overlay, and try boundary: {other}"
CLOSED = (
    "more than a fifth of the length of its boundaries follows no line (etched in part, noise, or closed gaps); "
    "see the overlay, and try another sigma_px or prominence_px"
)


def lines(image: np.ndarray, boundary: str, sigma_px: float) -> np.ndarray:
    """Return the mask (uint8) of dark or bright lines: curvature across the line above its own Otsu threshold."""
    curvature = np.maximum(hessian(image if boundary == "dark" else -image, sigma_px)[0], 0.0)
    if curvature.min() == curvature.max():
        return np.zeros(image.shape, np.uint8)
    (threshold,) = histogram.otsu_thresholds(*histogram.histogram(curvature), 2)
    return (curvature > np.float32(threshold)).view(np.uint8)


def ratio(image: np.ndarray, sigma_px: float, known: np.ndarray | None = None) -> float:
    """Return the mean strength of dark lines over that of bright lines, of an image (y, x).

    Strength: what a closing (dark) or an opening (bright) of the smoothed image, by a square of four `sigma_px`,
    changes (bottom hat and top hat, F. Meyer, J. Histochem. Cytochem. 27 (1979) 128). Noise, texture and steps between
    grains have as much of both. NaN without either. `known`: pixels that count.
    """
    from scipy import ndimage

    size = 2 * round(2 * sigma_px) + 1
    smooth = histogram.smooth(image, sigma_px)
    dark = ndimage.grey_closing(smooth, (size, size)) - smooth
    bright = smooth - ndimage.grey_opening(smooth, (size, size))
    dark, bright = (float(hat.mean() if known is None else hat[known].mean()) for hat in (dark, bright))
    if not dark + bright > 1e-6:
        return np.nan
    return dark / max(bright, 1e-9)


def on_lines(regions: np.ndarray, found: np.ndarray) -> float:
    """Return the part of the boundaries between regions (y, x) that lies on lines; NaN without a boundary."""
    count = total = 0
    for axis in (0, 1):
        marks, line = np.moveaxis(regions, axis, 0), np.moveaxis(found, axis, 0)
        edge = (marks[1:] != marks[:-1]) & (marks[1:] > 0) & (marks[:-1] > 0)
        total += int(edge.sum())
        count += int((edge & ((line[1:] > 0) | (line[:-1] > 0))).sum())
    return count / total if total else np.nan


def doubt(image: np.ndarray, regions: np.ndarray, ignore, *, boundary: str = "dark", sigma_px: float = 2.0) -> str:
    """Return a remark if the regions of `boundary_grains` have no lines between them; "" if they have.

    `image`, `regions`, `ignore` (or None): (y, x), or stacks of which the middle plane is judged.
    """
    if image.ndim > 2:
        at = len(image) // 2
        image, regions, ignore = image[at], regions[at], None if ignore is None else ignore[at]
    if min(image.shape) < 4 * sigma_px + 1 or len(np.unique(regions[regions > 0])) < 2:
        return ""
    known = None
    if ignore is not None:
        image, known = masked.filled(image, ignore > 0), ignore == 0
    names = {"own": boundary, "other": "bright" if boundary == "dark" else "dark"}
    strength = ratio(image if boundary == "dark" else -image, sigma_px, known)
    if strength < 1 / LEAST_RATIO:
        return WRONG_SIDE.format(**names)
    if strength < LEAST_RATIO:
        return NO_LINES.format(**names)
    return CLOSED if on_lines(regions, lines(image, boundary, sigma_px)) < LEAST_ON_LINES else ""
