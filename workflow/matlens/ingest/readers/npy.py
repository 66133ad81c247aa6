"""Arrays saved by NumPy."""

import numpy as np

from matlens.ingest import Micrograph, grey, lazy_arrays
from matlens.ingest.readers.common import as_image, check_size
from matlens.job.batch import BadItem


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read a .npy array: (y, x), (t, y, x) or 8-bit colour (y, x, 3 or 4); objects are never unpickled."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "Python objects" in str(error):
            raise BadItem("it holds Python objects (a pickle), which are never opened; save numbers") from error
        raise
    if array.ndim < 2:
        raise BadItem(f"the array has {array.ndim} axes; save an array with axes y, x")
    check_size(array.shape, max_pixels, array.dtype.itemsize)
    array = lazy_arrays.of_map(array)
    if isinstance(array, lazy_arrays.Parts):
        return Micrograph(array, "yx" if array.ndim == 2 else "tyx", meta={"format": "npy"})
    if array.ndim == 3 and array.shape[-1] in (3, 4) and array.dtype == np.uint8:
        array = grey.one_channel(array)
    array = as_image(array, "the array")
    return Micrograph(array, "yx" if array.ndim == 2 else "tyx", meta={"format": "npy"})
