"""CVAT 1.1, for images and for videos: boxes, polygons, ellipses, masks and points in one XML.

Source: docs.cvat.ai, XML annotation format. The run lengths of a mask go along its rows and begin with what is outside.
"""

from dataclasses import replace
from itertools import chain, pairwise

import numpy as np

from matlens.ingest.annotations import Page, Shape, box, ellipse, markup, ring, turned, via
from matlens.job.batch import BadItem

NONE = ("tag", "attribute")  # of an image as a whole, or of a shape
EDGES = ("ytl", "xtl", "ybr", "xbr")


def _corners(given: dict) -> np.ndarray:
    """Return the corners (n, 2), x and y, of a text "x,y;x,y"."""
    try:
        return np.array([pair.split(",") for pair in given.get("points", "").split(";")], float).reshape(-1, 2)
    except ValueError as error:
        raise BadItem(f"its points are no pairs of x and y: '{given.get('points', '')[:40]}'") from error


def _mask(given: dict) -> tuple[int, int, np.ndarray]:
    """Decode a mask: run lengths in a rectangle."""
    top, left, height, width = (int(n) for n in markup.numbers(given, ("top", "left", "height", "width")))
    try:
        counts = [int(n) for n in given.get("rle", "").split(",")]
    except ValueError as error:
        raise BadItem(f"its run lengths hold a word: '{given.get('rle', '')[:40]}'") from error
    if min(counts) < 0 or sum(counts) != height * width:
        raise BadItem(f"its run lengths sum to {sum(counts)}, not to {height} x {width} pixels")
    return top, left, np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)


def _read(kind: str, given: dict, same: dict) -> list[Shape]:
    """Read one shape; one of points is an object per point."""
    turn = float(given.get("rotation") or 0.0)
    if kind == "box":
        return [Shape(parts=turned(box(*markup.numbers(given, EDGES)), turn), **same)]
    if kind == "ellipse":
        y, x, half_y, half_x = markup.numbers(given, ("cy", "cx", "ry", "rx"))
        return [Shape(parts=ellipse(y, x, half_y, half_x, np.radians(turn)), **same)]
    if kind == "mask":
        return [Shape(mask=_mask(given), **same)]
    if kind not in ("polygon", "polyline", "points"):
        return [Shape(**same, reason=f"its shape is '{kind}'; draw a polygon, box, ellipse, mask or points")]
    x, y = _corners(given).T
    if kind == "points":
        return [Shape(centre=place, **same) for place in zip(y.tolist(), x.tolist(), strict=True)]
    return [Shape(parts=((ring(y, x),),), **same, reason=via.opening(x, y) if kind == "polyline" else "")]


def _shapes(entry, label: str, **more) -> list[Shape]:
    """Read the shape of an element; one that cannot be read has the reason."""
    same = {"label": label, **more}
    try:
        return _read(entry.tag, entry.attrib, same)
    except (BadItem, ValueError, OverflowError) as error:
        return [Shape(**same, reason=f"its outline cannot be read: {error}")]


def _image(entry) -> Page:
    """Read one image; shapes of one `group_id` and label are parts of one object."""
    single, groups = [], {}
    for part in entry:
        label, group = part.get("label", "").strip(), part.get("group_id") or "0"
        for shape in _shapes(part, label) if part.tag not in NONE else ():
            if group == "0" or not shape.parts or shape.reason:
                single.append(shape)
            else:
                groups.setdefault((group, label), []).append(shape)
    joined = [replace(own[0], parts=tuple(chain.from_iterable(one.parts for one in own))) for own in groups.values()]
    return Page(entry.get("name", ""), (*single, *joined), markup.size_of(entry.attrib))


def _check_frames(track) -> None:
    """Raise BadItem if a track has key frames alone: CVAT writes the frames between them, some programs do not."""
    parts = [(int(part.get("frame")), part) for part in track if part.tag not in NONE]
    for (one, before), (other, after) in pairwise(sorted(parts, key=lambda part: part[0])):
        keys = before.get("keyframe") == after.get("keyframe") == "1" and before.get("outside", "0") != "1"
        if keys and other - one > 1:
            raise BadItem(
                f"track {track.get('id')} has the key frames {one} and {other} and none between; export it from CVAT"
            )


def _video(root, tracks: list) -> Page:
    """Read the tracks of a video; where a shape is `outside`, the object is not there.

    Raises BadItem if frames between key frames are not written, unless the video was annotated in steps.
    """
    for track in () if markup.text_of(root, "meta//frame_filter") else tracks:
        _check_frames(track)
    shapes = []
    for track in tracks:
        for part in track:
            if part.tag not in NONE and part.get("outside", "0") != "1":
                same = {"frame": int(part.get("frame")), "number": int(track.get("id"))}
                shapes += _shapes(part, track.get("label", "").strip(), **same)
    size = root.find("meta//original_size")
    name = markup.text_of(root, "meta//source").replace("\\", "/").rpartition("/")[2]
    return Page(name, tuple(shapes), None if size is None else markup.size_of({one.tag: one.text for one in size}))


def read(file: str) -> list[Page]:
    """Return a page per image, or the page of the one video. Raises BadItem if it has both, or neither."""
    root = markup.root_of(file)
    images, tracks = root.findall("image"), root.findall("track")
    if images and tracks:
        raise BadItem(f"{file}: it has images and tracks; export it from CVAT for images, or for videos")
    if not images and not tracks and root.find("meta") is None:
        raise BadItem(f"{file}: it has neither images nor tracks of CVAT; export it again")
    try:
        return [_image(entry) for entry in images] or [_video(root, tracks)]
    except BadItem as error:
        raise BadItem(f"{file}: {error}") from error
