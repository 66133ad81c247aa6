"""Pascal VOC: one XML per image with the boxes of its objects, as labelImg, CVAT and Roboflow write it.

Source: M. Everingham et al., Int. J. Comput. Vis. 88 (2010) 303. The files of that challenge count pixels from 1 and
name the last one; those of other programs have the edges of a box, and so 0 to 60 for all of 60 pixels. A coordinate 0
shows edges; without one, and without the name of the challenge, a remark says what was taken.
"""

import re

from matlens.ingest.annotations import Page, Shape, box, markup
from matlens.job.batch import BadItem

EDGES = ("ymin", "xmin", "ymax", "xmax")
UNSURE = (
    "no box has a coordinate 0: boxes were taken as edges, counted from 0; if they count pixels from 1, as those of "
    "the VOC challenge do, they begin one pixel late"
)


def _has_zero(root) -> bool:
    """Check whether a box begins at 0, where pixels cannot be counted from 1."""
    found = (edges.findtext(name) or "" for edges in root.iter("bndbox") for name in EDGES[:2])
    return any(re.fullmatch(r"\s*-?0*\.?0*\s*", text) and "0" in text for text in found)


def _shape(entry, first: float) -> Shape:
    """Read one object; `first`: number of the first pixel."""
    label, edges = markup.text_of(entry, "name"), entry.find("bndbox")
    if edges is None:
        return Shape(label=label, reason="it has no upright box (bndbox); export boxes, or polygons as COCO or labelme")
    try:
        y0, x0, y1, x1 = markup.numbers({part.tag: part.text for part in edges}, EDGES)
        if max(map(abs, (y0, x0, y1, x1))) <= 1.0:
            raise BadItem("its coordinates seem to be parts of the image (0 to 1); Pascal VOC counts pixels")
        return Shape(label=label, parts=box(y0 - first, x0 - first, y1, x1))
    except BadItem as error:
        return Shape(label=label, reason=str(error))


def read(file: str) -> list[Page]:
    """Return the page of the one image."""
    root = markup.root_of(file)
    zero, named = _has_zero(root), markup.text_of(root, "source/database").lower().startswith("the voc")
    first = float(named and not zero)
    size = root.find("size")
    stated = None if size is None else markup.size_of({part.tag: part.text for part in size})
    name = markup.text_of(root, "filename").replace("\\", "/").rpartition("/")[2]
    shapes = tuple(_shape(entry, first) for entry in root.findall("object"))
    unsure = not zero and not named and any(not shape.reason for shape in shapes)
    return [Page(name, shapes, stated, note=UNSURE if unsure else "")]
