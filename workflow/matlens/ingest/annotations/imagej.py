"""ImageJ regions of interest: one .roi, or a .zip of them, of the image or of the frames of a stack.

Source: the layout in ij/io/RoiDecoder.java (public domain). Big-endian; the class is the name of the region up to the
first digit or hyphen, or empty.
"""

import re
import struct
import zipfile
from pathlib import Path

import numpy as np

from matlens.ingest.annotations import Page, Shape, box, ellipse, ring
from matlens.job.batch import BadItem

POLYGON, RECTANGLE, OVAL, FREEHAND, TRACED, POINT = 0, 1, 2, 7, 8, 10
SUBPIXEL = 128  # bit of the options: coordinates are floats, after the integers
HEAD = 64  # bytes before the coordinates
LARGEST = 1 << 26  # bytes of one region


def _name(data: bytes, file: str) -> str:
    """Return the name of a region from its second header, or of its file."""
    (at,) = struct.unpack_from(">i", data, 60)
    if 0 < at <= len(data) - 24:
        start, length = struct.unpack_from(">ii", data, at + 16)
        if start > 0 and length > 0 and start + 2 * length <= len(data):
            return data[start : start + 2 * length].decode("utf-16-be", "replace")
    return Path(file).stem


def _frame(data: bytes) -> int | None:
    """Return the frame of a region, from 0; None if it is of all frames."""
    (position,), (at,) = struct.unpack_from(">i", data, 56), struct.unpack_from(">i", data, 60)
    time = struct.unpack_from(">i", data, at + 12)[0] if 0 < at <= len(data) - 16 else 0
    number = time or position
    return number - 1 if number > 0 else None


def _composite(data: bytes, count: int) -> tuple:
    """Read the rings of a composite region: segments of moves (0), lines (1), curves (2, 3) and closes (4)."""
    values = np.frombuffer(data, ">f4", count, HEAD).astype(float)
    rings, at, corners = [], 0, []
    while at < len(values):
        step, length = int(values[at]), {0: 3, 1: 3, 2: 5, 3: 7, 4: 1}.get(int(values[at]), 0)
        if not length or at + length > len(values):
            raise BadItem("its path ends in the middle of a segment")
        if step == 0 and corners:
            rings.append(corners)
            corners = []
        if step != 4:
            corners = [*corners, values[at + length - 2 : at + length]]
        at += length
    rings.append(corners)
    return (tuple(ring([y for _, y in one], [x for x, _ in one]) for one in rings if len(one) > 2),)


def _corners(data: bytes, top: int, left: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x of the corners of a region."""
    (options,) = struct.unpack_from(">h", data, 50)
    if options & SUBPIXEL and struct.unpack_from(">h", data, 4)[0] >= 222:
        x, y = np.frombuffer(data, ">f4", 2 * count, HEAD + 4 * count).reshape(2, count)
        return y.astype(float), x.astype(float)
    x, y = np.frombuffer(data, ">i2", 2 * count, HEAD).reshape(2, count)
    return y.astype(float) + top, x.astype(float) + left


def _shapes(data: bytes, file: str) -> list[Shape]:
    """Read one region; a region of points is one object per point."""
    if len(data) < HEAD or data[:4] != b"Iout":
        raise BadItem(f"{file}: no region of ImageJ; save it from the ROI manager again")
    kind, name = data[6], _name(data, file)
    same = {"label": re.split(r"[\d-]", name)[0].strip(" _"), "frame": _frame(data)}
    top, left, bottom, right, count = struct.unpack_from(">hhhhH", data, 8)
    (segments,) = struct.unpack_from(">i", data, 36)
    try:
        if segments > 0:
            return [Shape(parts=_composite(data, segments), **same)]
        if kind == RECTANGLE:
            return [Shape(parts=box(top, left, bottom, right), **same)]
        if kind == OVAL:
            middle = (top + bottom) / 2, (left + right) / 2
            return [Shape(parts=ellipse(*middle, (bottom - top) / 2, (right - left) / 2), **same)]
        if kind in (POLYGON, FREEHAND, TRACED, POINT):
            y, x = _corners(data, top, left, count)
            if kind == POINT:
                return [Shape(centre=place, **same) for place in zip(y.tolist(), x.tolist(), strict=True)]
            return [Shape(parts=((ring(y, x),),), **same)]
    except (BadItem, ValueError, struct.error) as error:
        return [Shape(**same, reason=f"its region '{name}' cannot be read: {error}")]
    return [Shape(**same, reason=f"its region '{name}' is a line or an angle; draw an area or points")]


def read(file: str) -> list[Page]:
    """Return the page of the one image."""
    if Path(file).suffix.lower() == ".roi":
        return [Page("", tuple(_shapes(Path(file).read_bytes(), file)))]
    found = []
    try:
        with zipfile.ZipFile(file) as archive:
            for member in sorted(archive.infolist(), key=lambda one: one.filename):
                if member.filename.lower().endswith(".roi") and member.file_size < LARGEST:
                    found += _shapes(archive.read(member), member.filename)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadItem(f"{file}: a damaged archive ({error}); save it from the ROI manager again") from error
    return [Page("", tuple(found))]
