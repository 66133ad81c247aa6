"""YOLO: one text file per image, a line per object: class and corners x, y, or class and box, in parts of the image.

Names of classes come from classes.txt or obj.names in the same folder; without one the class is its number.
"""

from pathlib import Path

from matlens.ingest.annotations import CLASS_LISTS, Page, Shape, box, ring


def names_beside(file: str) -> list[str]:
    """Return the names of the classes, in their order; nothing if no file says them."""
    for name in CLASS_LISTS:
        path = Path(file).with_name(name)
        if path.is_file():
            return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    return []


def _shape(words: list[str], names: list[str]) -> Shape:
    """Read one line: 5 numbers are a box (centre, width, height), an odd number of 7 or more are corners."""
    label = words[0]
    if label.isdigit() and int(label) < len(names):
        label = names[int(label)]
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        return Shape(label=label, reason=f"its line holds words that are no numbers: {' '.join(words)[:60]}")
    if max(map(abs, values), default=0.0) > 1.5:
        return Shape(label=label, reason="its coordinates are no parts of the image (0 to 1); export it as YOLO")
    if len(values) in (4, 5):  # a fifth number is the score of a prediction
        x, y, width, height = values[:4]
        return Shape(label=label, parts=box(y - height / 2, x - width / 2, y + height / 2, x + width / 2))
    if len(values) < 6:
        return Shape(label=label, reason=f"its line has {len(values)} numbers; a polygon needs three corners")
    if len(values) % 2:
        values.pop()  # the score of a prediction
    return Shape(label=label, parts=((ring(values[1::2], values[0::2]),),))


def read(file: str) -> list[Page]:
    """Return the page of the one image; an empty file has no object."""
    lines = [line.split() for line in Path(file).read_text(encoding="utf-8-sig").splitlines()]
    names = names_beside(file)
    return [Page("", tuple(_shape(words, names) for words in lines if words), relative=True)]
