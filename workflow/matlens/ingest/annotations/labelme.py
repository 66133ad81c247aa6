"""labelme: one JSON per image, with polygons, rectangles, circles, points and masks; a group is one object.

Source: B. C. Russell et al., Int. J. Comput. Vis. 77 (2008) 157, and the format of github.com/wkentaro/labelme.
"""

import base64
import binascii
from itertools import chain
from pathlib import PurePath

import numpy as np

from matlens.ingest.annotations import Page, Shape, box, document, ellipse, ring

OUTLINES = ("polygon", "oriented_rectangle", "rotation")  # by their corners; the last is of programs that followed


def _mask(entry: dict) -> tuple[int, int, np.ndarray]:
    """Decode a mask: a PNG in base64, whose upper left corner is the first point."""
    import cv2

    packed = np.frombuffer(base64.b64decode(entry["mask"]), np.uint8)
    pixels = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise ValueError("its mask is no PNG")
    (x, y), *_ = entry["points"]
    return round(y), round(x), pixels > 0


def _shapes(entry: dict) -> list[Shape]:
    """Read one shape; one of points is an object per point."""
    label = str(entry.get("label", "")).strip()
    try:
        points = np.asarray(entry.get("points") or np.zeros((0, 2)), float)
    except (ValueError, TypeError) as error:
        return [Shape(label=label, reason=f"its points cannot be read: {error}")]
    if points.ndim != 2 or points.shape[1] != 2:
        return [Shape(label=label, reason="its points are no pairs of x and y")]
    if entry.get("shape_type") == "points":
        return [Shape(label=label, centre=(y, x)) for x, y in points.tolist()]
    return [_shape(entry, label, points)]


def _shape(entry: dict, label: str, points: np.ndarray) -> Shape:
    """Read one shape of `points` (n, 2), x and y."""
    kind = entry.get("shape_type") or "polygon"
    if kind == "mask":
        try:
            return Shape(label=label, mask=_mask(entry))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            return Shape(label=label, reason=f"its mask cannot be read: {error}")
    if kind in OUTLINES:
        return Shape(label=label, parts=((ring(points[:, 1], points[:, 0]),),))
    if kind == "point" and len(points) == 1:
        return Shape(label=label, centre=(points[0, 1], points[0, 0]))
    if kind == "rectangle" and len(points) >= 2:
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        return Shape(label=label, parts=box(y0, x0, y1, x1))
    if kind == "circle" and len(points) == 2:
        radius = float(np.linalg.norm(points[1] - points[0]))
        return Shape(label=label, parts=ellipse(points[0, 1], points[0, 0], radius, radius))
    return Shape(label=label, reason=f"its shape is '{kind}'; draw a polygon, rectangle, circle, point or mask")


def read(file: str) -> list[Page]:
    """Return the page of the one image; shapes of one `group_id` and label are parts of one object."""
    content, single, groups = document(file), [], {}
    for entry in content["shapes"]:
        group = entry.get("group_id")
        for shape in _shapes(entry):
            if group is None or not shape.parts:
                single.append(shape)
            else:
                groups.setdefault((group, shape.label), []).append(shape)
    joined = [
        Shape(label=label, parts=tuple(chain.from_iterable(one.parts for one in shapes)))
        for (_, label), shapes in groups.items()
    ]
    sides = [content.get(key) for key in ("imageHeight", "imageWidth")]
    name = PurePath(str(content.get("imagePath") or "").replace("\\", "/")).name
    return [Page(name, (*single, *joined), tuple(map(int, sides)) if all(sides) else None)]
