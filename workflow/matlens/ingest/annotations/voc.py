"""Pascal VOC: one XML per image with the boxes of its objects, as labelImg, CVAT and Roboflow write it.

Source: M. Everingham et al., Int. J. Comput. Vis. 88 (2010) 303. The files of that challenge count pixels from 1 and
name the last one; those of other programs have the edges of a box, and so 0 to 60 for all of 60 pixels.
"""

from matlens.ingest.annotations import Page, Shape, box, markup
from matlens.job.batch import BadItem

EDGES = ("ymin", "xmin", "ymax", "xmax")


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
    first = float(markup.text_of(root, "source/database").lower().startswith("the voc"))
    size = root.find("size")
    stated = None if size is None else markup.size_of({part.tag: part.text for part in size})
    name = markup.text_of(root, "filename").replace("\\", "/").rpartition("/")[2]
    return [Page(name, tuple(_shape(entry, first) for entry in root.findall("object")), stated)]
