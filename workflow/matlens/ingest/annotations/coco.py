"""COCO: images, categories and annotations in one JSON; polygons in parts, run lengths, or boxes alone.

Source: T.-Y. Lin et al., ECCV 2014, and the data format of cocodataset.org. Run lengths go down the columns.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from matlens.ingest.annotations import SCORED, Page, Shape, box, document, ring, turned
from matlens.job.batch import BadItem

LEAST_OVERLAP = 0.5  # intersection over union of the box that is stated and that of the outline, each wider by a pixel
SAME_AREA = 0.01  # part by which an area that is stated may differ from that of a box


def counts_of(text: str) -> list[int]:
    """Decode compressed run lengths: 5 bits per character from '0' on, and differences to the count before the last."""
    found, at = [], 0
    while at < len(text):
        value = shift = 0
        more = True
        while more:
            code = ord(text[at]) - 48
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            at, shift = at + 1, shift + 5
            if not more and code & 0x10:
                value -= 1 << shift
        found.append(value + (found[-2] if len(found) > 2 else 0))
    return found


def mask_of(runs: dict, image: tuple[int, int] | None) -> tuple[int, int, np.ndarray]:
    """Return the mask of run lengths: (0, 0, bool (height, width)); `image`: size of the image, if it is stated."""
    height, width = (int(n) for n in runs["size"])
    if image is not None and image != (height, width):
        raise BadItem(f"its run lengths are of {width} x {height} pixels, its image has {image[1]} x {image[0]}")
    counts = counts_of(runs["counts"]) if isinstance(runs["counts"], str) else [int(n) for n in runs["counts"]]
    if min(counts, default=0) < 0 or sum(counts) != height * width:
        raise BadItem(f"its run lengths sum to {sum(counts)}, not to {height} x {width} pixels")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return 0, 0, flat.reshape(width, height).T


def _id(value):
    """Return an identity; a text that is a whole number is that number."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _shape(entry: dict, names: dict, image: tuple[int, int] | None) -> Shape:
    """Read one annotation; one whose category the file does not define has the reason, and its pixels are known."""
    number, given = _id(entry.get("category_id")), entry.get("segmentation")
    same = {"label": names.get(number, str(number)), "number": entry.get("track_id", entry.get("instance_id"))}
    same["crowd"] = _id(entry.get("iscrowd")) not in (None, 0, "")
    shape = _outlined(entry, given, same, image)
    if names and number not in names and not shape.reason:
        return replace(shape, reason=f"its category_id {number} is not defined in the list 'categories'")
    return shape


def _outlined(entry: dict, given, same: dict, image: tuple[int, int] | None) -> Shape:
    """Read the outline of an annotation: run lengths, polygons, or else its box."""
    try:
        if isinstance(given, dict):
            mask = mask_of(given, image)
            return Shape(mask=mask, **same, reason=_elsewhere(entry, np.argwhere(mask[2]), 1))
        if given:
            parts = tuple((ring(part[1::2], part[0::2]),) for part in _polygons(given) if len(part) >= 6)
            corners = np.concatenate([np.zeros((0, 2)), *(corners for part in parts for corners in part)])
            return Shape(parts=parts, **same, reason=_fault(parts) or _elsewhere(entry, corners, 0))
        if entry.get("bbox"):
            return Shape(parts=_box(entry), **same)
    except (BadItem, ValueError, TypeError, KeyError, IndexError) as error:
        return Shape(label=same["label"], reason=f"its outline cannot be read: {error}")
    if entry.get("keypoints"):
        return Shape(**same, reason="it has key points alone, and neither polygon nor box")
    if "segments_info" in entry:
        return Shape(**same, reason="a panoptic annotation has its objects in a PNG; give that as masks")
    return Shape(**same, reason="it has neither polygon nor box")


def _polygons(given: list) -> list[list[float]]:
    """Return the polygons of an annotation as lists x, y, x, y; also one that is not in a list, or is of pairs."""
    given = [given] if not isinstance(given[0], (list, tuple)) else given
    flat = [[n for pair in part for n in pair] if part and isinstance(part[0], list) else list(part) for part in given]
    if any(len(part) % 2 for part in flat):
        raise BadItem("its polygon has an odd number of coordinates")
    return flat


def _fault(parts: tuple) -> str:
    """Say why polygons cannot be used ("" if they can)."""
    if not parts:
        return "its polygon has fewer than three corners"
    if max(float(np.abs(corners).max()) for part in parts for corners in part) <= 1.0:
        return "its coordinates seem to be parts of the image (0 to 1); COCO counts pixels"
    return ""


def _elsewhere(entry: dict, places: np.ndarray, side: int) -> str:
    """Say that an outline is not where the box of its annotation is ("" if it is, or no box is stated).

    `places` (n, 2), y and x: corners of the outline, or the upper left corners of its pixels of `side` 1. A box of two
    corners, or of a centre and sizes, is taken as such.
    """
    stated = entry.get("bbox")
    if not len(places) or not isinstance(stated, list) or len(stated) != 4 or None in stated:
        return ""
    x, y, width, height = (float(n) for n in stated)
    own = np.array([places.min(0) - 1, places.max(0) + side + 1])
    place, size = np.array([y, x]), np.array([height, width])
    for low, high in ((place, place + size), (place, size), (place - size / 2, place + size / 2)):
        box_ = np.array([low - 1, high + 1])
        both = np.prod(np.maximum(np.minimum(own[1], box_[1]) - np.maximum(own[0], box_[0]), 0.0))
        if both >= LEAST_OVERLAP * (np.prod(own[1] - own[0]) + np.prod(box_[1] - box_[0]) - both):
            return ""
    if min(width, height) <= 0:
        return ""
    return f"its box {stated} lies elsewhere than its outline; x and y, or rows and columns, may be exchanged"


def _box(entry: dict) -> tuple:
    """Return the parts of the box of an annotation, turned about its centre where CVAT has given it a rotation.

    Raises BadItem if its area says that the box holds two corners instead of a corner and sides.
    """
    if len(entry["bbox"]) != 4:
        raise BadItem(f"its box has {len(entry['bbox'])} numbers; x, y, width and height belong there")
    x, y, width, height = (float(n) for n in entry["bbox"])
    area, between = entry.get("area"), (width - x) * (height - y)
    if area and width > x and height > y and abs(between - area) < SAME_AREA * area < abs(width * height - area):
        raise BadItem(f"its box {entry['bbox']} seems to be two corners, by its area of {area:g}; COCO has x, y, w, h")
    parts, about = box(y, x, y + height, x + width), entry.get("attributes")
    if fault := _fault(parts):
        raise BadItem(fault)
    return turned(parts, float(about.get("rotation") or 0.0) if isinstance(about, dict) else 0.0)


def read(file: str) -> list[Page]:
    """Return a page per image of the list `images`; an image without annotations has no object."""
    content = document(file)
    names = {}
    for entry in content.get("categories", []):
        name = str(entry["name"]).strip()
        if names.setdefault(_id(entry["id"]), name) != name:
            raise BadItem(f"{file}: the categories '{names[_id(entry['id'])]}' and '{name}' have the id {entry['id']}")
    sizes = {}
    for image in content["images"]:
        if _id(image["id"]) in sizes:
            raise BadItem(f"{file}: two images have the id {image['id']}; number the list 'images' anew")
        stated = image.get("height") and image.get("width")
        sizes[_id(image["id"])] = (int(image["height"]), int(image["width"])) if stated else None
    own = defaultdict(list)
    for entry in content["annotations"]:
        number = _id(entry["image_id"])
        own[number].append(_shape(entry, names, sizes.get(number)))
    scores = {entry.get("score", 1) for entry in content["annotations"]}
    pages, note = [], SCORED if scores - {0, 1, None} else ""
    for image in content["images"]:
        shapes, size = tuple(own.pop(_id(image["id"]), ())), sizes[_id(image["id"])]
        masks = {one.mask[2].shape for one in shapes if one.mask is not None}
        size = size or (masks.pop() if len(masks) == 1 else None)
        pages.append(Page(str(image["file_name"]), shapes, size, note=note if shapes else ""))
    if own:
        raise BadItem(f"{file}: {sum(map(len, own.values()))} annotations are of images that its list 'images' lacks")
    return pages
