"""XML files of objects: read without entities, so that a short file cannot become a long text or name other files."""

import re
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from matlens.job.batch import BadItem
from matlens.store import text_files

FORMATS = {"annotation": "voc", "annotations": "cvat", "TrackMate": "trackmate", "Tracks": "trackmate"}
HEAD = 4096  # bytes of a file in which its first element is looked for


def _first(data: bytes) -> str:
    """Return the name of the first element of a text, "" if it has none."""
    text = data.decode(text_files.encoding(data), errors="replace")
    text = re.sub(r"<!--.*?(-->|\Z)|<\?.*?(\?>|\Z)", "", text, flags=re.S)
    found = re.search(r"<([A-Za-z_][\w.:-]*)", text)
    return found[1] if found else ""


def holds_objects(path: str | Path) -> bool:
    """Check whether an XML file is of a format of objects, by its first element; others lie beside images, too."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as handle:
        return _first(handle.read(HEAD)) in FORMATS


def kind_of(file: str) -> str:
    """Name the format of an XML file. Raises BadItem if it is none of objects."""
    root = root_of(file)
    if root.tag in FORMATS:
        return FORMATS[root.tag]
    raise BadItem(
        f"{file}: an XML file of '{root.tag}' is none of Pascal VOC, CVAT or TrackMate; export the objects as COCO"
    )


@lru_cache(maxsize=4)
def _parsed(file: str, changed: float) -> ElementTree.Element:
    def refuse(name, *_):
        raise BadItem(f"{file}: it defines the entity '{name}', which no file of objects needs; export it again")

    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()
    parser.buffer_text, parser.EntityDeclHandler = True, refuse
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(Path(file).read_bytes(), True)
    except BadItem:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BadItem(f"{file}: its XML is cut off or damaged ({error}); export it again") from error
    return builder.close()


def root_of(file: str) -> ElementTree.Element:
    """Parse an XML file; the last ones are kept. Raises BadItem if it is damaged or defines an entity."""
    return _parsed(str(file), Path(file).stat().st_mtime)


def text_of(element: ElementTree.Element, path: str) -> str:
    """Return the text of an element below another, without blanks at its ends; "" if there is none."""
    return (element.findtext(path) or "").strip()


def numbers(given: dict, names: tuple[str, ...]) -> list[float]:
    """Return numbers by their names. Raises BadItem for one that is absent or a word."""
    found = []
    for name in names:
        try:
            found.append(float(given.get(name) or "none"))
        except ValueError as error:
            said = f"'{given[name]}' as its {name}" if given.get(name) else f"no {name}"
            raise BadItem(f"it has {said}; a number belongs there") from error
    return found


def size_of(given: dict, names: tuple[str, str] = ("height", "width")) -> tuple[int, int] | None:
    """Return height and width of an image, None if they are not stated or 0."""
    try:
        sides = [int(float(given.get(name) or 0)) for name in names]
    except ValueError:
        return None
    return (sides[0], sides[1]) if min(sides) > 0 else None
