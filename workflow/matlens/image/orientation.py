"""Turn images as their orientation flag says that they are shown."""

import numpy as np


def oriented(array: np.ndarray, orientation, rows: int = -2) -> np.ndarray:
    """Apply an orientation flag (TIFF tag 274, EXIF) to an image; flag 1 or an invalid flag changes nothing.

    `rows`: the axis of the rows; that of the columns follows it. Source: TIFF 6.0, section Orientation.
    """
    if orientation not in range(2, 9):
        return array
    rows %= array.ndim
    if orientation >= 5:
        array = np.swapaxes(array, rows, rows + 1)
    if orientation in (3, 4, 7, 8):
        array = np.flip(array, rows)
    if orientation in (2, 3, 6, 7):
        array = np.flip(array, rows + 1)
    return np.ascontiguousarray(array)
