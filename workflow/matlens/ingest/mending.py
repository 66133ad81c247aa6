"""Masks that were drawn a little beside their image, or not up to its border."""

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.job.batch import BadItem
from matlens.masked import unlabelled

SIGMA_PX = 1.0


def mend(found: Micrograph, shift_px: int, margin_px: int) -> None:
    """Move the truth of an image to where its edges are, by at most `shift_px`, and forget it near the border.

    The move is in `meta`, in pixels along y and x; the truth of what came from beyond its mask is 255, not known, and
    so is that nearer than `margin_px` to the border: there people often leave out what the border cuts.
    """
    if found.truth is None or not (shift_px or margin_px):
        return
    if found.truth.dtype not in (np.uint8, np.int32):
        raise BadItem(
            "a truth of more than 256 phases is neither moved nor cut; leave out truth_shift_px and _margin_px"
        )
    if shift_px:
        if found.axes != "yx":
            raise BadItem("only the truth of a flat image can be moved; leave out truth_shift_px")
        move = offset(found.pixels, found.truth, shift_px)
        found.truth = moved(found.truth, move)
        found.meta |= {columns.TRUTH_SHIFT_Y: move[0], columns.TRUTH_SHIFT_X: move[1]}
    if margin_px:
        inside = tuple(slice(margin_px, -margin_px) if axis in "zyx" else slice(None) for axis in found.axes)
        known = np.full_like(found.truth, unlabelled(found.truth.dtype))
        known[inside] = found.truth[inside]
        found.truth = known


def offset(image: np.ndarray, truth: np.ndarray, most_px: int) -> tuple[int, int]:
    """Find the move (rows, columns) of a mask after which its outlines lie where the image is steepest on average.

    `image`, `truth`: (y, x). The steepness is the length of the gradient of the image, smoothed by a pixel. Of equal
    moves the shortest is taken; a mask without outlines stays. The prediction of a method plays no part.
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
    """Move a mask by whole pixels; where nothing came from, it is not known."""
    out = np.full_like(truth, unlabelled(truth.dtype))
    (to_rows, rows), (to_cols, cols) = (_overlap(step, length) for step, length in zip(move, truth.shape, strict=True))
    out[to_rows, to_cols] = truth[rows, cols]
    return out


def _overlap(step: int, length: int) -> tuple[slice, slice]:
    """Slice an axis where the moved one lies, and where that came from."""
    return slice(max(step, 0), length + min(step, 0)), slice(max(-step, 0), length - max(step, 0))
