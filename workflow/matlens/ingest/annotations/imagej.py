"""ImageJ regions of interest: one .roi, or a .zip of them, of the image or of the frames of a stack.

The class is the name of the region up to the first digit or hyphen, or empty.
"""

import re
import zipfile
from pathlib import Path, PurePosixPath

from matlens.image.imagej_rois import FREEHAND, OVAL, POINTS, POLYGON, RECTANGLE, TRACED, Roi, decoded
from matlens.ingest.annotations import Page, Shape, box, ellipse, ring
from matlens.job.batch import BadItem

SUBTYPE, DRAWINGS = 48, (1, 4)  # byte of the sort of a rectangle, of which these are a text and a picture
LARGEST = 1 << 26  # bytes of one region


def _axis(rois: list[Roi]) -> int:
    """Return which number of their places is the frame of regions: frame, slice of a stack without frames, or image."""
    return next((axis for axis in (2, 1) if any(roi.place[axis] > 1 for roi in rois)), 2)


def _frame(roi: Roi, axis: int) -> int | None:
    """Return the frame of a region, from 0; None if it is of all frames."""
    number = roi.place[axis] or roi.place[0]
    return number - 1 if number > 0 else None


def _decoded(data: bytes, file: str) -> Roi:
    """Decode one region; one without a name has that of its file."""
    roi = decoded(data)
    if roi is None:
        raise BadItem(f"{file}: no region of ImageJ; save it from the ROI manager again")
    return roi._replace(name=roi.name or Path(file).stem)


def _shapes(roi: Roi, axis: int) -> list[Shape]:
    """Read one region; a region of points is one object per point."""
    same = {"label": re.split(r"[\d-]", roi.name)[0].strip(" _"), "frame": _frame(roi, axis)}
    left, top, right, bottom = roi.box
    try:
        if roi.path > 0:
            return [Shape(parts=(tuple(ring(y, x) for x, y in roi.outlines()),), **same)]
        if roi.kind == RECTANGLE and int.from_bytes(roi.data[SUBTYPE : SUBTYPE + 2], "big") in DRAWINGS:
            return [Shape(**same, reason=f"its region '{roi.name}' is a text or a picture; draw an area or points")]
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
        return [Shape(**same, reason=f"its region '{roi.name}' cannot be read: {error}")]
    return [Shape(**same, reason=f"its region '{roi.name}' is a line or an angle; draw an area or points")]


def read(file: str) -> list[Page]:
    """Return the page of the one image."""
    if Path(file).suffix.lower() == ".roi":
        roi = _decoded(Path(file).read_bytes(), file)
        return [Page("", tuple(_shapes(roi, _axis([roi]))))]
    rois = []
    try:
        with zipfile.ZipFile(file) as archive:
            for member in sorted(archive.infolist(), key=lambda one: one.filename):
                own = PurePosixPath(member.filename).name
                if own.lower().endswith(".roi") and not own.startswith(".") and member.file_size < LARGEST:
                    rois.append(_decoded(archive.read(member), member.filename))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadItem(f"{file}: a damaged archive ({error}); save it from the ROI manager again") from error
    if not rois:
        raise BadItem(f"{file}: no region of ImageJ (.roi) is in this archive; save it from the ROI manager")
    return [Page("", tuple(shape for roi in rois for shape in _shapes(roi, _axis(rois))))]
