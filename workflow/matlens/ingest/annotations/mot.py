"""MOT, tracks as rows of numbers without a header: frame, track, left, top, width, height.

Behind them may be a confidence (0: the object does not count), a class and its visibility; -1 stands for unknown.
Source: P. Dendorfer et al., Int. J. Comput. Vis. 129 (2021) 845: frames, tracks and pixels count from 1.
"""

from matlens.ingest.annotations import Page, Shape, box, text_of
from matlens.job.batch import BadItem


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
        parts = box(top - 1, left - 1, top - 1 + height, left - 1 + width)
    except BadItem as error:
        return Shape(**same, reason=f"line {line}: {error}")
    unused = more and more[0] == 0
    return Shape(
        **same, parts=parts, reason=f"line {line}: its confidence is 0, so that it does not count" * bool(unused)
    )


def read(file: str) -> list[Page]:
    """Return the page of the one video. Raises BadItem if its frames count from 0: all would be one frame early."""
    lines = [
        (line, text.strip().rstrip(",").split(",")) for line, text in enumerate(text_of(file).splitlines(), start=1)
    ]
    lines = [(line, cells) for line, cells in lines if cells != [""]]
    if zero := next((line for line, cells in lines if cells[0].strip() in ("0", "0.0")), None):
        raise BadItem(f"{file}: line {zero} is of frame 0; frames, tracks and pixels of MOT count from 1")
    return [Page("", tuple(_shape(cells, line) for line, cells in lines))]
