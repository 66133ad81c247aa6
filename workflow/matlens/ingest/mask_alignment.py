"""Align hand-drawn masks with their images, and ignore them near the border."""

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.job.batch import BadItem
from matlens.masked import unlabelled

SIGMA_PX = 1.0


def align(found: Micrograph, shift_px: int, margin_px: int) -> None:
    """Shift the truth by at most `shift_px` onto the edges of its image, and ignore it near the border.

    `meta` records the shift in pixels along y and x. Pixels shifted in from outside the mask are unlabelled, and so are
    pixels nearer than `margin_px` to the border, where people often leave out cut objects.
    """
    if found.truth is None or not (shift_px or margin_px):
        return
    if found.truth.dtype not in (np.uint8, np.int32):
        raise BadItem("a truth of more than 256 phases cannot be aligned; remove truth_shift_px and truth_margin_px")
    if shift_px:
        if found.axes != "yx":
            raise BadItem("only the truth of a flat image can be aligned; remove truth_shift_px")
        move = offset(found.pixels, found.truth, shift_px)
        found.truth = moved(found.truth, move)
        found.meta |= {columns.TRUTH_SHIFT_Y: move[0], columns.TRUTH_SHIFT_X: move[1]}
    if margin_px:
        inside = tuple(slice(margin_px, -margin_px) if axis in "zyx" else slice(None) for axis in found.axes)
        known = np.full_like(found.truth, unlabelled(found.truth.dtype))
        known[inside] = found.truth[inside]
        found.truth = known


def offset(image: np.ndarray, truth: np.ndarray, most_px: int) -> tuple[int, int]:
    """Find the shift (rows, columns) of a mask that maximises the mean image gradient along its outlines.

    `image`, `truth`: (y, x). The gradient is that of the image smoothed with sigma 1 pixel. Of equal shifts the
    shortest is taken; a mask without outlines is not shifted. No prediction is used.
    """
    from scipy import ndimage

    steep = ndimage.gaussian_gradient_magnitude(image.astype(np.float32), SIGMA_PX)
    outline = ndimage.maximum_filter(truth, 3) != ndimage.minimum_filter(truth, 3)
    frame = np.zeros(truth.shape, bool)
    frame[most_px + 1 : -most_px - 1, most_px + 1 : -most_px - 1] = True
    rows, cols = np.nonzero(outline & frame)
    if not len(rows):
        return 0, 0
    moves = [(y, x) for y in range(-most_px, most_px + 1) for x in range(-most_px, most_px + 1)]
    found = {move: float(steep[rows + move[0], cols + move[1]].mean()) for move in moves}
    return max(moves, key=lambda move: (found[move], -abs(move[0]) - abs(move[1])))


def moved(truth: np.ndarray, move: tuple[int, int]) -> np.ndarray:
    """Shift a mask by whole pixels; uncovered pixels are unlabelled."""
    out = np.full_like(truth, unlabelled(truth.dtype))
    (to_rows, rows), (to_cols, cols) = (_overlap(step, length) for step, length in zip(move, truth.shape, strict=True))
    out[to_rows, to_cols] = truth[rows, cols]
    return out


def _overlap(step: int, length: int) -> tuple[slice, slice]:
    """Return the slices of one axis after and before the shift."""
    return slice(max(step, 0), length + min(step, 0)), slice(max(-step, 0), length - max(step, 0))
