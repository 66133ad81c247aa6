"""YOLO: one text file per image, a line per object: class and corners x, y, or class and box, in parts of the image.

Names of classes come from classes.txt, obj.names or data.yaml (key names) in the same folder, or above the folders
labels, train, val, test and obj_train_data that a set of YOLO is made of; without one the class is its number.
"""

import re
from dataclasses import replace
from pathlib import Path

from matlens.ingest.annotations import CLASS_LISTS, SCORED, Page, Shape, box, mot, ring, text_of
from matlens.job.batch import BadItem
from matlens.store.yaml_files import read_yaml

FOLDERS = ("labels", "train", "training", "val", "valid", "validation", "test", "testing")
FOLDERS += tuple(f"obj_{part}_data" for part in ("train", "valid", "validation", "test"))
LEVELS = 3  # of folders: labels/train, or train/labels, below that of the list
MOST_CLASSES = 10_000
BEYOND = 0.02  # part of the image by which a box may reach beyond it
POSE = "its line is of a pose, a box with key points; export boxes or polygons"
MAYBE = "its lines may be poses, boxes with key points; they were read as polygons"
SPIKE = 2  # a corner so many sizes of all the others away from them is the width and height of a box
NEEDLE = 8  # the same for a triangle, which may be a needle
SOME = 3  # lines that all could be poses; oriented boxes in one part of an image could be, too


def lists_near(file: str | Path) -> list[Path]:
    """List the files that may name the classes: in the folder, and above the folders that a set of YOLO is made of."""
    folder, found = Path(file).parent, []
    for _ in range(LEVELS):
        found += [folder / name for name in CLASS_LISTS]
        if folder.name.lower() not in FOLDERS:
            break
        folder = folder.parent
    return found


def names_beside(file: str) -> list[str]:
    """Return the names of the classes, in their order; nothing if no file says them. Raises BadItem if it is broken."""
    for path in lists_near(file):
        if path.is_file():
            lines = _named(path) if path.suffix in (".yaml", ".yml") else text_of(str(path)).splitlines()
            if lines:
                return [line.strip() for line in lines]
    return []


def _named(path: Path) -> list[str]:
    """Return the classes of a description of a data set, a list or a mapping from 0 on, under the key names."""
    try:
        _, top = read_yaml(path)
    except ValueError as error:
        raise BadItem(f"{error}; it should name the classes of YOLO") from error
    names = next((value for key, value in _pairs(top) if key.value == "names"), None)
    if names is None:
        return []
    if not _pairs(names) and isinstance(names.value, list):
        return [str(one.value) for one in names.value]
    numbered = {int(key.value): str(value.value) for key, value in _pairs(names) if str(key.value).isdecimal()}
    if not numbered or len(numbered) < len(names.value) or max(numbered) > MOST_CLASSES:
        raise BadItem(f"{path}: its names are neither a list nor numbered from 0; correct it")
    return [numbered.get(number, "") for number in range(max(numbered) + 1)]


def _pairs(node) -> list:
    """Return the keys and values of a node of YAML; [] if it is no mapping."""
    return node.value if node is not None and node.tag.endswith(":map") else []


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
        return POSE
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


def _bare_pose(words: list[str]) -> int:
    """Check whether a line may hold a box and key points, x and y, within it: 0 no, 1 yes, 2 and no polygon.

    As a polygon it would have a corner, the width and height of the box, far from all the others, or 0, 0 twice: key
    points that are not seen.
    """
    if len(words) < 7 or len(words) % 2 != 1:
        return 0
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        return 0
    (x, y, width, height), points = values[:4], list(zip(values[4::2], values[5::2], strict=True))
    seen = [point for point in points if point != (0.0, 0.0)]
    inside = all(abs(px - x) <= width / 2 and abs(py - y) <= height / 2 for px, py in seen)
    if not seen or not inside or max(x + width / 2, y + height / 2) > 1 + BEYOND:
        return 0
    sides = [(min(at), max(at)) for at in zip((x, y), *seen, strict=True)]
    away = max(max(low - n, n - high) for n, (low, high) in zip((width, height), sides, strict=True))
    far = NEEDLE if len(points) == 1 else SPIKE
    return 2 if len(points) - len(seen) > 1 or away > far * max(high - low for low, high in sides) else 1


def _poses(lines: list[list[str]]) -> str:
    """Return POSE if the lines of a file are poses without a mark of what is seen, MAYBE if they may be, else ""."""
    fits = [_bare_pose(words) for words in lines]
    if len(set(map(len, lines))) != 1 or min(fits) == 0:  # all poses have the same number of key points
        return ""
    if max(fits) > 1:
        return POSE
    return MAYBE if len(fits) >= SOME else ""


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
        fault = "its coordinates are no parts of the image (0 to 1); export it as YOLO, or write MOT with commas"
        return Shape(label=label, reason=fault)
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
        lines = [line for line in lines if not mot.is_row(line)]
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
    lines, names = [words for words in map(str.split, text_of(file).splitlines()) if words], names_beside(file)
    if (poses := _poses(lines)) == POSE:
        return [Page("", tuple(Shape(label=words[0], reason=POSE) for words in lines), relative=True)]
    shapes = tuple(_shape(words, names) for words in lines)
    scored = any(not one.reason and _scored(words) for one, words in zip(shapes, lines, strict=True))
    return [Page("", shapes, relative=True, note=SCORED if scored else poses)]


def _scored(words: list[str]) -> bool:
    """Check whether a line that could be read ends with a score, or with a score and a track."""
    tracked = len(words) == 7 and re.fullmatch(r"[1-9]\d*", words[6])
    return bool(tracked) or (len(words) % 2 == 0 and "." in words[-1])
