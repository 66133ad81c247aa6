"""ImageJ regions of interest: one .roi, or a .zip of them, of the image or of the frames of a stack.

The class is the name of the region up to the first digit or hyphen, or empty.
"""

import re
import zipfile
from pathlib import Path

from matlens.image.imagej_rois import FREEHAND, OVAL, POINTS, POLYGON, RECTANGLE, TRACED, Roi, decoded
from matlens.ingest.annotations import Page, Shape, box, ellipse, ring
from matlens.job.batch import BadItem

LARGEST = 1 << 26  # bytes of one region


def _frame(roi: Roi) -> int | None:
    """Return the frame of a region, from 0; None if it is of all frames."""
    number = roi.place[2] or roi.place[0]
    return number - 1 if number > 0 else None


def _shapes(data: bytes, file: str) -> list[Shape]:
    """Read one region; a region of points is one object per point."""
    roi = decoded(data)
    if roi is None:
        raise BadItem(f"{file}: no region of ImageJ; save it from the ROI manager again")
    name = roi.name or Path(file).stem
    same = {"label": re.split(r"[\d-]", name)[0].strip(" _"), "frame": _frame(roi)}
    left, top, right, bottom = roi.box
    try:
        if roi.path > 0:
            return [Shape(parts=(tuple(ring(y, x) for x, y in roi.outlines()),), **same)]
        if roi.kind == RECTANGLE:
            return [Shape(parts=box(top, left, bottom, right), **same)]
        if roi.kind == OVAL:
            middle = (top + bottom) / 2, (left + right) / 2
            return [Shape(parts=ellipse(*middle, (bottom - top) / 2, (right - left) / 2), **same)]
        if roi.kind in (POLYGON, FREEHAND, TRACED, POINTS):
            x, y = roi.corners()
            if roi.kind == POINTS:
                return [Shape(centre=place, **same) for place in zip(y.tolist(), x.tolist(), strict=True)]
            return [Shape(parts=((ring(y, x),),), **same)]
    except ValueError as error:
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
