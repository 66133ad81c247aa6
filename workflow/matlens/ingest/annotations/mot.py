"""MOT, tracks as rows of numbers without a header: frame, track, left, top, width, height.

Commas, semicolons, tabs or blanks part them; where it is no comma, a comma is the decimal mark.
Behind them may be a confidence (0: the object does not count), a class and its visibility; -1 stands for unknown.
Source: P. Dendorfer et al., Int. J. Comput. Vis. 129 (2021) 845: frames, tracks and pixels count from 1.
"""

import re

from matlens.ingest.annotations import SCORED, Page, Shape, box, text_of
from matlens.job.batch import BadItem

NUMBER = re.compile(r"-?[\d.]+([eE][-+]?\d+)?")
WHOLE = re.compile(r"-?\d+(\.0*)?")
YOLO_LARGEST = 1.5  # sides of boxes in parts of the image, as YOLO has them in rows with blanks, are below it


def _cells(line: str) -> list[str]:
    """Split a row into its cells."""
    line = line.strip()
    if ";" in line:
        return [cell.strip().replace(",", ".") for cell in line.rstrip(";").split(";")]
    if re.search(r"\d\.?\s+[-\d.]", line):
        return line.replace(",", ".").split()
    return [cell.strip() for cell in line.rstrip(",").split(",")]


def is_row(line: str) -> bool:
    """Check whether a line is a row of MOT: 6 to 10 numbers, from the whole numbers of a frame and a track on.

    One with blanks must have a confidence, and no class or visibility that cannot be one: it may be of YOLO in pixels.
    """
    cells = _cells(line)
    if not 6 <= len(cells) <= 10 or not all(map(NUMBER.fullmatch, cells)) or not all(map(WHOLE.fullmatch, cells[:2])):
        return False
    if cells[0].startswith("-"):
        return False
    if "," in line or ";" in line:
        return True
    try:
        width, height, *more = map(float, cells[4:])
    except ValueError:
        return False
    bounded = all(-1 <= value <= 1 for value in [*more[:1], *(more[2:3] if len(more) < 4 else [])])
    return bool(more) and bounded and not any(n % 1 for n in more[1:2]) and min(width, height) > YOLO_LARGEST


def _shape(cells: list[str], line: int) -> Shape:
    """Read one row; one that cannot be read has the reason."""
    try:
        frame, track, left, top, width, height, *more = (float(cell) for cell in cells)
    except ValueError:
        return Shape(reason=f"line {line} has not the six numbers frame, track, left, top, width, height")
    label = f"{more[1]:g}" if len(more) > 1 and more[1] > 0 and len(more) < 4 else ""
    if frame < 1 or frame % 1 or track % 1:
        return Shape(label=label, reason=f"line {line}: the frame {frame:g} or track {track:g} is no number from 1 on")
    same = {"label": label, "frame": int(frame) - 1, "number": int(track)}
    try:
        parts = box(top, left, top + height, left + width)
    except BadItem as error:
        return Shape(**same, reason=f"line {line}: {error}")
    unused = more and more[0] == 0
    return Shape(
        **same, parts=parts, reason=f"line {line}: its confidence is 0, so that it does not count" * bool(unused)
    )


def read(file: str) -> list[Page]:
    """Return the page of the one video. Raises BadItem if its frames count from 0: all would be one frame early."""
    lines = [(line, _cells(text)) for line, text in enumerate(text_of(file).splitlines(), start=1) if text.strip()]
    if zero := next((line for line, cells in lines if cells[0] in ("0", "0.0")), None):
        raise BadItem(f"{file}: line {zero} is of frame 0; frames, tracks and pixels of MOT count from 1")
    scored = any(re.fullmatch(r"0?\.\d*[1-9]\d*", cells[6]) for _, cells in lines if len(cells) > 6)
    shapes = tuple(_shape(cells, line) for line, cells in lines)
    return [Page("", shapes, from_one=True, note=SCORED if scored else "")]
