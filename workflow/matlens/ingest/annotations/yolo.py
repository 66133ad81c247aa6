"""YOLO: one text file per image, a line per object: class and corners x, y, or class and box, in parts of the image.

Names of classes come from classes.txt or obj.names in the same folder; without one the class is its number.
"""

import re
from dataclasses import replace
from pathlib import Path

from matlens.ingest.annotations import CLASS_LISTS, Page, Shape, box, ring, text_of

BEYOND = 0.02  # part of the image by which a box may reach beyond it


def names_beside(file: str) -> list[str]:
    """Return the names of the classes, in their order; nothing if no file says them."""
    for name in CLASS_LISTS:
        path = Path(file).with_name(name)
        if path.is_file():
            return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    return []


def _shape(words: list[str], names: list[str]) -> Shape:
    """Read one line: 5 numbers are a box (centre, width, height), an odd number of 7 or more are corners."""
    label = words[0].removesuffix(".0")
    if fault := _strange(words, names):
        return Shape(label=label, reason=fault)
    if label.isdigit() and int(label) < len(names):
        label = names[int(label)]
    shape = _outlined(label, words)
    if names and label not in names and not shape.reason:
        return replace(shape, reason=f"its class {label} is not in the list of {len(names)} classes, from 0 on")
    return shape


def _strange(words: list[str], names: list[str]) -> str:
    """Say why a line is not one of YOLO ("" if it is): commas, a class that is no number, a box with key points."""
    if "," in words[0]:
        return f"its line has commas, where YOLO has blanks: {' '.join(words)[:60]}"
    if words[0] not in names and re.fullmatch(r"-\d+|-?\d*\.(?!0+$)\d+", words[0]):
        return f"its line begins with {words[0]}, which is no class; the class is a whole number in front of the others"
    if _is_pose(words):
        return "its line is of a pose, a box with key points; export boxes or polygons"
    return ""


def _is_pose(words: list[str]) -> bool:
    """Check whether a line holds a box and key points: x, y and whether it is seen (0, 1, 2), within the box."""
    if len(words) < 8 or len(words) % 3 != 2 or not all(re.fullmatch(r"[012](\.0+)?", seen) for seen in words[7::3]):
        return False
    try:
        middle_x, middle_y, width, height = map(float, words[1:5])
        points = [(float(x), float(y)) for x, y, seen in zip(words[5::3], words[6::3], words[7::3], strict=True)
                  if float(seen)]  # fmt: skip
    except ValueError:
        return False
    return all(abs(x - middle_x) <= width / 2 and abs(y - middle_y) <= height / 2 for x, y in points)


def _outlined(label: str, words: list[str]) -> Shape:
    """Read the box or the corners of a line."""
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        return Shape(label=label, reason=f"its line holds words that are no numbers: {' '.join(words)[:60]}")
    track = int(words[-1]) if len(values) in (5, 6) and re.fullmatch(r"[1-9]\d*", words[-1]) else None
    if track is not None:  # the track that a tracker has written behind the box, and behind its score
        values.pop()
    if max(map(abs, values), default=0.0) > 1.5:
        return Shape(label=label, reason="its coordinates are no parts of the image (0 to 1); export it as YOLO")
    if len(values) in (4, 5):  # a fifth number is the score of a prediction
        x, y, width, height = values[:4]
        if min(width, height) < 0:
            return Shape(label=label, reason=f"its box has the width {width:.6g} and the height {height:.6g}")
        if width > x and height > y and max(x + width / 2, y + height / 2) > 1 + BEYOND:
            return Shape(label=label, reason="its box reaches beyond the image; its numbers seem to be two corners")
        parts = box(y - height / 2, x - width / 2, y + height / 2, x + width / 2)
        return Shape(label=label, parts=parts, number=track)
    if len(values) < 6:
        return Shape(label=label, reason=f"its line has {len(values)} numbers; a polygon needs three corners")
    if len(values) % 2:
        values.pop()  # the score of a prediction
    return Shape(label=label, parts=((ring(values[1::2], values[0::2]),),))


def check(files: list[Path]) -> None:
    """Raise ValueError if classes seem to be counted from 1: none is 0, and one is the number of the names."""
    used: dict[Path, set] = {}
    for path in files:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        used.setdefault(path.parent, set()).update(words[0] for words in map(str.split, lines) if words)
    for folder, labels in used.items():
        names = names_beside(str(folder / "any.txt"))
        if names and str(len(names)) in labels and "0" not in labels:
            raise ValueError(
                f"{folder}: no object has the class 0 and some have {len(names)}, beside a list of {len(names)} names; "
                "classes of YOLO count from 0: subtract 1"
            )


def read(file: str) -> list[Page]:
    """Return the page of the one image; an empty file has no object."""
    lines = [line.split() for line in text_of(file).splitlines()]
    names = names_beside(file)
    return [Page("", tuple(_shape(words, names) for words in lines if words), relative=True)]
