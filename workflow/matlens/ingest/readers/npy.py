"""Arrays saved by NumPy."""

import zipfile

import numpy as np

from matlens import columns
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


PAIRS = (("image", columns.CLEAN), ("x", "y"))  # names of an image and of the same without noise


def shapes(path: str) -> dict[str, tuple[tuple, np.dtype]]:
    """Read shape and type of every array of an .npz, without the arrays."""
    found = {}
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            with bundle.open(name) as handle:
                version = np.lib.format.read_magic(handle)
                header = getattr(np.lib.format, f"read_array_header_{version[0]}_0")(handle)
                found[name.removesuffix(".npy")] = (header[0], header[2])
    return found


def read_npz(path: str, *, max_pixels: int) -> Micrograph:
    """Read an .npz: its only array, or its arrays image and clean, or x and y, the second without noise.

    Axes as in .npy. Raises BadItem if it has other arrays.
    """
    known = shapes(path)
    pair = next((pair for pair in PAIRS if set(known) == set(pair)), None)
    if pair is None and len(known) != 1:
        raise BadItem(
            f"this bundle of NumPy arrays (.npz) holds {', '.join(sorted(known)[:8]) or 'nothing'}; name two arrays "
            "image and clean, or x and y (the same without noise), or save the one that is the image by numpy.save"
        )
    for name, (shape, kind) in known.items():
        if kind.hasobject:
            raise BadItem("it holds Python objects (a pickle), which are never opened; save numbers")
        if len(shape) < 2:
            raise BadItem(f"its array {name} has {len(shape)} axes; save an array with axes y, x")
        check_size(shape, max_pixels, kind.itemsize)
    with np.load(path, allow_pickle=False) as bundle:
        arrays = [as_image(bundle[name], f"the array {name}") for name in pair or known]
    layers = {columns.CLEAN: arrays[1]} if pair else {}  # `cleaned` looks whether it is one of the image
    return Micrograph(arrays[0], "yx" if arrays[0].ndim == 2 else "tyx", layers=layers, meta={"format": "npz"})
