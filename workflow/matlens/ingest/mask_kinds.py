"""What a mask is, where its numbers alone may mislead: pictures of one bit, numbers of objects, smoothed edges."""

from collections.abc import Mapping

import numpy as np

WHITE = 255
PIECES = 2.0  # separate pieces for each number, from which on the numbers are hardly those of objects
ONE_BIT = "its mask has 0 and 1, as a picture of one bit: 1 is taken for the value 255"


def of_one_bit(mask: np.ndarray, table: Mapping[int, int]) -> np.ndarray | None:
    """Return a mask of 0 and 1 as 0 and 255, where 255 is listed and 1 is not; None where it stays as it is.

    Pictures of one bit are shown in black and white, and their numbers are 0 and 1.
    """
    if WHITE not in table or 1 in table or mask.dtype.kind == "f" or mask.max() != 1 or mask.min() < 0:
        return None
    return mask.astype(np.uint8) * np.uint8(WHITE)


def doubt_of_regions(regions: np.ndarray) -> str | None:
    """Return a remark if the numbers of a region map (int32) lie in so many pieces that they are none of objects."""
    import cc3d

    numbers = len(np.unique(regions[regions > 0]))
    if not numbers:
        return None
    inside = np.ascontiguousarray(np.maximum(regions, 0).astype(np.uint32))
    pieces = int(cc3d.connected_components(inside, connectivity=8 if regions.ndim == 2 else 26, return_N=True)[1])
    if pieces <= PIECES * numbers:
        return None
    return (
        f"the {numbers} numbers of its mask lie in {pieces} separate pieces; "
        "for a mask of phases, set masks_are: phases; "
        "a mask whose edges were smoothed (resized, JPEG) has numbers of no object, save it in its own size"
    )
