"""VIA, the VGG image annotator: polygons, rectangles, circles, ellipses and points, of many images in one JSON.

Source: A. Dutta, A. Zisserman, ACM Multimedia 2019. The class is the attribute class, label, type or name, or the only
one.
"""

import numpy as np

from matlens.ingest.annotations import Page, Shape, box, document, ellipse, ring

CLASSES = ("class", "label", "type", "name", "category")


def label_of(attributes: dict) -> str:
    """Return the class of a region; of a checkbox the one that is set."""
    if not isinstance(attributes, dict) or not attributes:
        return ""
    known = {key.strip().lower(): value for key, value in attributes.items()}
    value = next((known[name] for name in CLASSES if name in known), None)
    if value is None and len(known) == 1:
        value = next(iter(known.values()))
    if isinstance(value, dict):
        value = next((key for key, chosen in value.items() if chosen), "")
    return str(value or "").strip()


def opening(x: list, y: list) -> str:
    """Say why a polyline is no outline: its ends are farther apart than its segments are long ("" if it is closed)."""
    corners = np.column_stack([x, y]).astype(float)
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    apart = float(np.linalg.norm(corners[-1] - corners[0])) if len(corners) else 0.0
    if len(steps) < 2 or apart > steps.max():
        return "its shape is an open line; draw a polygon"
    return ""


def shape_of(region: dict) -> Shape:
    """Read one region; one that cannot be read has the reason."""
    try:
        return _outlined(region)
    except (KeyError, TypeError, ValueError) as error:
        said = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        return Shape(
            label=label_of(region.get("region_attributes") or {}), reason=f"its outline cannot be read: {said}"
        )


def _outlined(region: dict) -> Shape:
    """Read the outline and the class of a region."""
    about, label = region["shape_attributes"], label_of(region.get("region_attributes") or {})
    name = about.get("name")
    if name in ("polygon", "polyline"):
        x, y = about["all_points_x"], about["all_points_y"]
        if len(x) != len(y):
            return Shape(label=label, reason=f"its outline has {len(x)} x and {len(y)} y")
        if name == "polyline" and (gap := opening(x, y)):
            return Shape(label=label, reason=gap)
        return Shape(label=label, parts=((ring(y, x),),))
    if name == "rect":
        y, x = float(about["y"]), float(about["x"])
        return Shape(label=label, parts=box(y, x, y + float(about["height"]), x + float(about["width"])))
    if name == "circle":
        return Shape(label=label, parts=ellipse(about["cy"], about["cx"], about["r"], about["r"]))
    if name == "ellipse":
        turn = float(about.get("theta") or 0.0)
        return Shape(label=label, parts=ellipse(about["cy"], about["cx"], about["ry"], about["rx"], turn))
    if name == "point":
        return Shape(label=label, centre=(float(about["cy"]), float(about["cx"])))
    return Shape(label=label, reason=f"its shape is '{name}'; draw a polygon, rectangle, circle, ellipse or point")


def read(file: str) -> list[Page]:
    """Return a page per image; `regions` is a list, or a dictionary in projects of version 1."""
    content = document(file)
    pages = []
    for entry in content.get("_via_img_metadata", content).values():
        regions = entry["regions"]
        regions = regions.values() if isinstance(regions, dict) else regions
        pages.append(Page(str(entry["filename"]), tuple(shape_of(region) for region in regions)))
    return pages
