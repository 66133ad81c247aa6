"""Readers of instrument files, one module per family, chosen by file content and not by name.

A reader is `read(path, *, max_pixels) -> Micrograph`: pixels in the file's own numbers, `spacing_um` only if the file
states a physical length (None for other axes), and `meta` with other metadata (format, instrument, detector,
beam_energy_kev, magnification, pixel_size_source). Raises BadItem, before decoding, if an image has more than
`max_pixels` pixels.
"""

from functools import partial
from typing import TYPE_CHECKING

from matlens import registry
from matlens.ingest.readers.sniff import sniff
from matlens.job.batch import BadItem, _is_machine_fault

if TYPE_CHECKING:  # imported so that the code digest includes the readers of the tables
    from matlens.ingest.readers import (  # noqa: F401
        ang,
        crc,
        ctf,
        dm,
        emd,
        h5ebsd,
        h5oina,
        hdf5,
        isolated,
        metaimage,
        mrc,
        npy,
        nrrd,
        omezarr,
        raster,
        tia,
        tiff,
        video,
    )

FORMATS = {
    "tiff": "matlens.ingest.readers.tiff:read",
    "png": "matlens.ingest.readers.raster:read",
    "jpeg": "matlens.ingest.readers.raster:read",
    "bmp": "matlens.ingest.readers.raster:read",
    "gif": "matlens.ingest.readers.raster:read",
    "dm": "matlens.ingest.readers.dm:read",
    "ser": "matlens.ingest.readers.tia:read",
    "emi": "matlens.ingest.readers.tia:read",
    "hdf5": "matlens.ingest.readers.hdf5:read",
    "mrc": "matlens.ingest.readers.mrc:read",
    "omezarr": "matlens.ingest.readers.omezarr:read",
    "video": "matlens.ingest.readers.video:read",
    "npy": "matlens.ingest.readers.npy:read",
    "npz": "matlens.ingest.readers.npy:read_npz",
    "nrrd": "matlens.ingest.readers.nrrd:read",
    "metaimage": "matlens.ingest.readers.metaimage:read",
    "ang": "matlens.ingest.readers.ang:read",
    "ctf": "matlens.ingest.readers.ctf:read",
    "cpr": "matlens.ingest.readers.crc:read",
}
ISOLATED = ("hdf5", "video")  # their C libraries hang and crash on some broken files
LABELS = {
    "tiff": "matlens.ingest.readers.tiff:read_labels",
    "png": "matlens.ingest.readers.raster:read_labels",
    "jpeg": "matlens.ingest.readers.raster:read_labels",
    "bmp": "matlens.ingest.readers.raster:read_labels",
    "gif": "matlens.ingest.readers.raster:read_labels",
}
COLOURS = {
    "tiff": "matlens.ingest.readers.tiff:read_colour",
    "png": "matlens.ingest.readers.raster:read_colour",
    "jpeg": "matlens.ingest.readers.raster:read_colour",
    "bmp": "matlens.ingest.readers.raster:read_colour",
}


def _guarded(function, path: str, name: str, max_pixels: int):
    """Call a reader. Raises BadItem on any error except faults of the machine."""
    try:
        return function(path, max_pixels=max_pixels)
    except BadItem:
        raise
    except Exception as error:
        if _is_machine_fault(error):
            raise
        text = " ".join(str(error).split())[:300]
        raise BadItem(
            f"its {name} content is broken ({type(error).__name__}: {text}); "
            "copy the file again from its source, or save it again as TIFF or PNG"
        ) from error


def load_reader(name: str):
    """Load the reader of a format."""
    return registry.load(FORMATS, name)


def _reader(name: str):
    """Choose the reader of a format, or the one that calls it in a process of its own."""
    if name in ISOLATED:
        from matlens.ingest.readers import isolated

        return partial(isolated.read, name)
    return load_reader(name)


def read(path: str, *, max_pixels: int):
    """Read one file or OME-Zarr folder as a Micrograph. Raises BadItem, with cause and fix, if it cannot be read."""
    name, path = sniff(path)
    found = _guarded(_reader(name), path, name, max_pixels)
    found.meta.setdefault("format", name)
    return found


def read_labels(path: str, *, max_pixels: int):
    """Read one file as labels: an integer array (y, x) or (stack, y, x) of the numbers as stored.

    Palette images return their indices; colours return 65536 R + 256 G + B, unless they are grey.
    """
    name, path = sniff(path)
    if name in LABELS:
        return _guarded(registry.load(LABELS, name), path, name, max_pixels)
    return _guarded(_reader(name), path, name, max_pixels).pixels


def read_colour(path: str, *, max_pixels: int):
    """Read the red, green and blue of one flat image, (3, y, x) in uint8 or uint16; None where there is no colour."""
    name, path = sniff(path)
    if name not in COLOURS:
        return None
    return _guarded(registry.load(COLOURS, name), path, name, max_pixels)
