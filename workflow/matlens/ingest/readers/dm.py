"""DigitalMicrograph DM3 and DM4 files: a tree of tags, read within its bounds.

Layout (all header numbers big-endian, 4 bytes in DM3 and 8 in DM4): version, length, byte order; then a group: sorted,
open, count; then `count` tags, each kind (20 group, 21 data), name, content. Data begins with `%%%%` and a description.
"""

import math
import mmap
import struct

import numpy as np

from matlens.ingest import Micrograph, grey
from matlens.ingest.readers.common import as_image, check_size, chosen, number, scaled, stack_axes, to_um, words
from matlens.job.batch import BadItem

SIMPLE = {2: "i2", 3: "i4", 4: "u2", 5: "u4", 6: "f4", 7: "f8", 8: "u1", 9: "i1", 10: "u1", 11: "i8", 12: "u8"}
PIXELS = {
    1: "i2",
    2: "f4",
    6: "u1",
    7: "i4",
    9: "i1",
    10: "u2",
    11: "u4",
    12: "f8",
    14: "u1",
    23: "u4",
    39: "i8",
    40: "u8",
}
RGB = 23
COMPLEX = (3, 5, 13)  # data types of Fourier transforms
DEEPEST = 64
MOST_TAGS = 2_000_000
LONGEST_TEXT = 4096  # letters; longer arrays of numbers are no text


class _Tags:
    """A cursor over the bytes of a file; a read beyond its end raises."""

    def __init__(self, data):
        self.data, self.at, self.count = data, 0, 0
        version, self.wide = self._take(">i"), False
        if version not in (3, 4):
            raise BadItem(f"DigitalMicrograph version {version} is not read; save the file as DM3 or DM4")
        self.wide = version == 4
        self._size()
        self.order = "<" if self._take(">i") == 1 else ">"

    def _take(self, code: str):
        (value,) = struct.unpack_from(code, self.data, self.at)
        self.at += struct.calcsize(code)
        return value

    def _size(self) -> int:
        return self._take(">q" if self.wide else ">i")

    def _skip(self, length: int) -> int:
        start, end = self.at, self.at + length
        if length < 0 or end > len(self.data):
            raise BadItem("the file is cut off: a tag reaches beyond its end; copy it again")
        self.at = end
        return start

    def group(self, depth: int = 0) -> dict:
        """Read a group as a dict; tags without a name are numbered."""
        if depth > DEEPEST:
            raise BadItem("its tags are nested too deeply: the file is broken; copy it again")
        self._skip(2)
        found = {}
        for position in range(self._size()):
            self.count += 1
            if self.count > MOST_TAGS:
                raise BadItem("it has too many tags: the file is broken; copy it again")
            kind, length = self._take(">B"), self._take(">H")
            start = self._skip(length)
            name = bytes(self.data[start : self.at]).decode("latin-1") or str(position)
            if self.wide:
                self._skip(8)
            if kind == 20:
                found[name] = self.group(depth + 1)
            elif kind == 21:
                found[name] = self._value(name)
            else:
                raise BadItem(f"a tag of kind {kind}: the file is broken; copy it again")
        return found

    def _value(self, name: str):
        """Read a value: a number, a text, or for the pixels of an image where they begin and their bytes."""
        if bytes(self.data[self._skip(4) : self.at]) != b"%%%%":
            raise BadItem("a tag without its mark: the file is broken; copy it again")
        count = self._size()
        start = self._skip(count * (8 if self.wide else 4))
        info = np.frombuffer(self.data, ">i8" if self.wide else ">i4", count, start).tolist()
        kind = info[0]
        if kind in SIMPLE:
            code = np.dtype(self.order + SIMPLE[kind])
            return np.frombuffer(self.data, code, 1, self._skip(code.itemsize))[0].item()
        if kind == 18:
            return self._text(self._skip(info[1]))
        if kind == 15:
            self._skip(self._width(info))
            return None
        if kind == 20 and (info[1] in SIMPLE or info[1] == 15):
            width = np.dtype(SIMPLE[info[1]]).itemsize if info[1] in SIMPLE else self._width(info[1:-1])
            start = self._skip(width * info[-1])
            if name == "Data":
                return start, width * info[-1]
            return self._text(start) if SIMPLE.get(info[1]) == "u2" and info[-1] <= LONGEST_TEXT else None
        raise BadItem(f"a tag of unknown type {kind}: the file is broken; copy it again")

    def _width(self, info: list[int]) -> int:
        """Count the bytes of a structure: [15, name length, fields, (name length, type) per field]."""
        return sum(np.dtype(SIMPLE[kind]).itemsize for kind in info[4 : 3 + 2 * info[2] : 2])

    def _text(self, start: int) -> str:
        """Decode the text between `start` and the cursor, in the byte order of the file."""
        return bytes(self.data[start : self.at]).decode("utf-16-le" if self.order == "<" else "utf-16-be", "replace")


def _walk(tree, *names, default=None):
    for name in names:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return default if tree is None else tree


def _axes(image: dict) -> list[dict]:
    """Return the calibrations of the axes of an image, in the order of its array."""
    steps = _walk(image, "ImageData", "Calibrations", "Dimension", default={})
    return [axis if isinstance(axis, dict) else {} for axis in steps.values()][::-1] if isinstance(steps, dict) else []


def _spectral(image: dict) -> bool:
    """Check whether an axis of an image is an energy."""
    return any("ev" in str(axis.get("Units", "")).lower() for axis in _axes(image))


def _principal(tree: dict) -> tuple[dict, int]:
    """Choose the largest image that is no thumbnail, real ones first; returns its tags and how many others there are.

    Fourier transforms and spectrum images come last.
    """
    images = _walk(tree, "ImageList", default={})
    thumbnails = {str(_walk(t, "ImageIndex")) for t in _walk(tree, "Thumbnails", default={}).values()}
    found = []
    for key, image in images.items():
        shape = list(_walk(image, "ImageData", "Dimensions", default={}).values())
        if len(shape) > 1 and (key not in thumbnails or len(images) == 1):
            real = _walk(image, "ImageData", "DataType") in PIXELS and not _spectral(image)
            found.append((real, np.prod([float(n) for n in shape]), image))
    if not found:
        raise BadItem("no image in the file (spectra only?); export an image")
    return max(found, key=lambda entry: entry[:2])[2], len(found) - 1


def _pixels(data: dict, raw, order: str, max_pixels: int) -> np.ndarray:
    """Take the pixels of one image out of the file."""
    shape = [int(n) for n in _walk(data, "Dimensions").values()][::-1]
    kind = int(_walk(data, "DataType", default=0))
    if kind in COMPLEX:
        raise BadItem("its image is complex, a Fourier transform; export a real image")
    if kind not in PIXELS:
        raise BadItem(f"DigitalMicrograph data type {kind} is not an image; convert it to a real image")
    code = np.dtype(order + PIXELS[kind])
    check_size(shape, max_pixels, code.itemsize)
    stored = _walk(data, "Data")
    if not isinstance(stored, tuple):
        raise BadItem("the image has no data; save it again")
    start, length = stored
    if length != math.prod(shape) * code.itemsize:
        raise BadItem(f"the image holds {length} bytes, not those of {shape} pixels; copy it again")
    pixels = np.frombuffer(raw, code, math.prod(shape), start).reshape(shape).astype(code.newbyteorder("="))
    if kind == RGB:
        return grey.one_channel(np.stack([(pixels >> shift).astype(np.uint8) for shift in (16, 8, 0)], axis=-1))
    return pixels


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read the largest image of a DM3 or DM4 file; a third axis is depth where its unit is a length, else a series."""
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        data = memoryview(raw)
        try:
            tags = _Tags(data)
            tree = tags.group()
            image, others = _principal(tree)
            pixels = _pixels(image["ImageData"], data, tags.order, max_pixels)
        finally:
            tags = None
            data.release()
    axes = _axes(image)
    axes = ([{}] * (pixels.ndim - len(axes)) + axes)[-pixels.ndim :]
    if _spectral(image):
        raise BadItem("the data are spectra (an axis in eV); export an image")
    um = [to_um(abs(number(axis.get("Scale"), 0.0)), axis.get("Units")) for axis in axes[-pixels.ndim :]]
    front = next((k for k in range(pixels.ndim - 2) if pixels.shape[k] > 1), None)  # the axis that as_image keeps
    lead = "yx" if front is None else stack_axes(axes[front].get("Units"), "")
    size, source = scaled(um[-1], um[-2], "DigitalMicrograph calibration", um[front] if lead == "zyx" else None)
    pixels = as_image(pixels, "the DigitalMicrograph file")
    about = _walk(image, "ImageTags", "Microscope Info", default={})
    voltage = number(about.get("Voltage"), 0.0)
    meta = words(
        format="dm",
        instrument=about.get("Microscope") or about.get("Name"),
        detector=_walk(image, "ImageTags", "Acquisition", "Device", "Name")
        or _walk(image, "ImageTags", "DataBar", "Device Name"),
        beam_energy_kev=voltage / 1000 if voltage > 0 else None,
        magnification=number(about.get("Indicated Magnification"), 0.0) or None,
        other_signals=others or None,
        remark=chosen(others + 1, image.get("Name")),
    )
    return Micrograph(pixels, lead, spacing_um=size, meta=meta | source)
