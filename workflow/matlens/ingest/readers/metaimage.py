"""MetaImage of ITK: an image or volume with a text header, in one file (.mha) or with the pixels elsewhere (.mhd).

Source: the MetaIO documentation, https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

import re
from pathlib import Path

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, grey
from matlens.ingest.readers import raw_volume
from matlens.ingest.readers.common import as_image, scaled, to_um
from matlens.job.batch import BadItem

TYPES = {
    "char": "int8", "uchar": "uint8", "short": "int16", "ushort": "uint16", "int": "int32", "uint": "uint32",
    "long_long": "int64", "ulong_long": "uint64", "float": "float32", "double": "float64",
}  # fmt: skip
HEAD = 1 << 16
OWN = "LOCAL"
WRITTEN = "ElementDataFile"  # the last entry of a header
UNIT = "mm"  # of the format


def header(path: str) -> tuple[dict[str, str], list[str], int]:
    """Read the header of a file: its entries in small letters, the lines behind it, and the byte at which it ends."""
    with open(path, "rb") as handle:
        head = handle.read(HEAD)
    last = re.search(rf"^\s*{WRITTEN}\s*=[^\n]*(\n|$)".encode(), head, re.MULTILINE | re.IGNORECASE)
    if not last:
        raise BadItem(f"its MetaImage header has no {WRITTEN}; save the file again")
    lines = head[: last.end()].decode("utf-8", "replace").splitlines()
    found = {k.strip().lower(): v.strip() for k, _, v in (line.partition("=") for line in lines)}
    local = found[WRITTEN.lower()].upper() == OWN
    return found, [] if local else head[last.end() :].decode("utf-8", "replace").splitlines(), last.end()


def files(path: str) -> list[Path]:
    """List the files that hold the pixels of a header; [] if it holds them itself."""
    found, after, _ = header(path)
    name = found[WRITTEN.lower()]
    return [] if name.upper() == OWN else raw_volume.named_files(name, Path(path).parent, after)


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read a MetaImage as (y, x) or (z, y, x). The spacing is `ElementSpacing`, in millimetres as the format says.

    A spacing of exactly 1 along all axes is what programs write when they do not know. Raises BadItem if pixels are
    missing or of a type that is not read.
    """
    found, _, end = header(path)
    kind = TYPES.get(found.get("elementtype", "").upper().removeprefix("MET_").lower())
    sizes = [int(word) for word in found.get("dimsize", "").split()]
    if kind is None or not sizes:
        raise BadItem(
            f"its MetaImage header has no DimSize, or the type {found.get('elementtype', '?')}; save it again"
        )
    channels = int(found.get("elementnumberofchannels", 1))
    big = found.get("binarydatabyteordermsb", found.get("elementbyteordermsb", "False")).lower() == "true"
    packed = found.get("compresseddata", "False").lower() == "true"
    text = found.get("binarydata", "True").lower() == "false"
    elsewhere, skip = files(path), int(found.get("headersize", 0))
    shape = (*sizes[::-1], channels) if channels > 1 else tuple(sizes[::-1])
    start = skip if elsewhere else end
    layout = raw_volume.Layout(
        elsewhere or [path], start, 0, np.dtype(kind).newbyteorder(">" if big else "<"), shape,
        "text" if text else "gzip" if packed else "raw",
    )  # fmt: skip
    pixels = raw_volume.pixels(layout, max_pixels)
    pixels = as_image(grey.one_channel(pixels) if channels > 1 else pixels, "the MetaImage")
    return _placed(pixels, found.get("elementspacing", found.get("elementsize", "")))


def _placed(pixels: np.ndarray, spacing: str) -> Micrograph:
    """Give an array (slowest axis first) the spacing that a header states (x first)."""
    sizes = [float(word) for word in spacing.split()]
    sizes = [] if set(sizes) == {1.0} else sizes
    um = [*(to_um(size, UNIT) for size in sizes[:3]), None, None, None]
    size, source = scaled(um[0], um[1], "MetaImage header", um[2] if pixels.ndim == 3 else None)
    meta = {"format": "metaimage", **source}
    if sizes and not size:
        stated = " x ".join(f"{length:g}" for length in sizes)
        meta[columns.SCALE_NOTE] = f"its header states a spacing of {stated} mm (x, y, z), implausible; give spacing_um"
    return Micrograph(pixels, "yx" if pixels.ndim == 2 else "zyx", spacing_um=size, meta=meta)
