"""Read label files as stored, from any tool. Nothing is unpickled."""

from pathlib import Path

import numpy as np

from matlens.image.orientation import oriented
from matlens.job.batch import BadItem

ORIENTATION = 274  # tag of TIFF and EXIF
HDF5 = (".h5", ".hdf5")
CELLPOSE = (
    "it is a pickle (so is _seg.npy of cellpose), which is never opened; let cellpose save its masks as PNG or TIFF "
    "(File > Save masks, or --save_tif), or save the array with numpy.save"
)


def read(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read labels as whole numbers. `shape`: that of the image, on which ROIs are drawn."""
    suffix = file.suffix.lower()
    try:
        if suffix in (".zip", ".roi"):
            from matlens.segment import rois

            return rois.read(file, shape)
        found = {".npy": _npy, ".npz": _npz, ".h5": _hdf5, ".hdf5": _hdf5, ".png": _png}.get(suffix, _tiff)(file)
    except BadItem as error:
        raise BadItem(f"its labels {file}: {error}") from error
    except (OSError, ValueError, KeyError, IndexError, EOFError) as error:
        raise BadItem(f"its labels {file} cannot be read ({' '.join(str(error).split())[:200]}); save again") from error
    if not found.size:
        raise BadItem(f"its labels {file} cannot be read (no pixels); save them again")
    return _whole(_squeezed(found, len(shape)), file)


def _squeezed(array: np.ndarray, axes: int) -> np.ndarray:
    """Drop axes of length one until there are as many as the image has."""
    for axis in reversed(range(array.ndim)):
        if array.ndim > axes and array.shape[axis] == 1:
            array = array.squeeze(axis)
    return array


def _whole(array: np.ndarray, file: Path) -> np.ndarray:
    """Take numbers as integers; not a number is -1."""
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        array = np.where(np.isfinite(array), array, -1)
        if (array == np.round(array)).all():
            return array.astype(np.int64)
    if array.dtype.kind in "iu":
        return array
    raise BadItem(f"its labels {file} are {array.dtype} and not whole numbers; export label numbers, not probabilities")


def _npy(file: Path) -> np.ndarray:
    try:
        return np.load(file, allow_pickle=False)
    except ValueError as error:
        raise BadItem(CELLPOSE if "pickle" in str(error).lower() else str(error)) from error


def _npz(file: Path) -> np.ndarray:
    with np.load(file, allow_pickle=False) as arrays:
        names = [name for name in ("labels", "masks") if name in arrays.files] or arrays.files
        if len(names) != 1:
            raise BadItem(f"it holds {len(names)} arrays ({', '.join(names[:5])}); save the labels alone")
        return arrays[names[0]]


def _png(file: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(file, formats=("PNG",)) as image:
        if image.mode not in ("L", "P", "1", "I", "I;16", "I;16B"):
            raise BadItem(f"it is a colour picture ({image.mode}); export label numbers in one channel")
        return oriented(np.array(image), image.getexif().get(ORIENTATION, 1))


def _tiff(file: Path) -> np.ndarray:
    import tifffile

    with tifffile.TiffFile(file) as opened:
        series = opened.series[0]
        found, flag = series.asarray(maxworkers=1), series.keyframe.tags.valueof(ORIENTATION)
    return oriented(found, flag, series.axes.index("Y"))


def _hdf5(file: Path) -> np.ndarray:
    import h5py

    with h5py.File(file, "r") as root:
        names = [name for name in ("exported_data", "labels", "masks") if name in root] or list(root)
        if len(names) != 1 or not isinstance(root[names[0]], h5py.Dataset):
            raise BadItem("it has no data set 'exported_data' (ilastik) or 'labels'; export the labels again")
        return np.asarray(root[names[0]][...])
