"""Read files of objects: COCO, VIA, labelme, QuPath, YOLO, MOT, ImageJ, Pascal VOC, CVAT, TrackMate, and CSV.

`read(file)` returns one `Page` per annotated image. Coordinates are continuous: pixel i reaches from i to i + 1, the
convention of all these formats. Raises BadItem if a file cannot be read, with the cause and the fix.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from matlens.job.batch import BadItem
from matlens.registry import load
from matlens.store import text_files

READERS = {
    "coco": "matlens.ingest.annotations.coco:read",
    "via": "matlens.ingest.annotations.via:read",
    "via_csv": "matlens.ingest.annotations.via_csv:read",
    "via3": "matlens.ingest.annotations.via3:read",
    "labelme": "matlens.ingest.annotations.labelme:read",
    "geojson": "matlens.ingest.annotations.geojson:read",
    "voc": "matlens.ingest.annotations.voc:read",
    "cvat": "matlens.ingest.annotations.cvat:read",
    "trackmate": "matlens.ingest.annotations.trackmate:read",
    "yolo": "matlens.ingest.annotations.yolo:read",
    "mot": "matlens.ingest.annotations.mot:read",
    "imagej": "matlens.ingest.annotations.imagej:read",
    "csv": "matlens.ingest.annotations.csv_places:read",
}
TEXTS = (".txt", ".csv", ".tsv")
SUFFIXES = {".txt": "yolo", ".roi": "imagej", ".zip": "imagej", ".csv": "csv", ".tsv": "csv"}
SCORED = "its objects have scores: a program has found them, nobody drew them; they are no independent truth"
CLASS_LISTS = ("classes.txt", "obj.names", "data.yaml", "data.yml", "dataset.yaml")  # names of the classes of YOLO


@dataclass(frozen=True)
class Shape:
    """One annotated object: its class, where it is, and why it cannot be used (`reason`; empty if it can).

    `parts`: the object is the union of them; each is a list of rings (n, 2) of y and x, filled by the even-odd rule, so
    that a ring within a ring is a hole. `mask`: (y0, x0, bool array) of an object that is given as pixels. `centre`: y
    and x of a point. `frame`: number of the frame of a video, from 0. `number`: its track, by any name in a reader, and
    by a number from 1 after `read`. `crowd`: a group that is not told apart: its pixels are unlabelled.
    """

    label: str = ""
    parts: tuple = ()
    mask: tuple | None = None
    centre: tuple | None = None
    radius: float = 0.0
    frame: int | None = None
    number: int | str | None = None
    crowd: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Page:
    """The objects of one image: its file name ("" if the file has but one image, of its own name) and size, if stated.

    `relative`: coordinates are parts of height and width. `unit_um`: places are in units of so many micrometres, not in
    pixels. `clock`: name of a column that may have the times, in a file that does not say the frames. `from_one`: the
    format counts pixels from 1, and programs that write it may count from 0; places are as in the file. `note`: a
    remark for the image.
    """

    image: str
    shapes: tuple
    size: tuple[int, int] | None = None
    relative: bool = False
    unit_um: float | None = None
    clock: str = ""
    from_one: bool = False
    note: str = ""


def text_of(file: str) -> str:
    """Return a text file, UTF-8 or UTF-16 with a byte order mark. Raises BadItem if it is neither."""
    data = Path(file).read_bytes()
    try:
        return data.decode(text_files.encoding(data))
    except UnicodeDecodeError as error:
        raise BadItem(f"{file}: its text is neither UTF-8 nor UTF-16 with a mark; save it as UTF-8") from error


def _kind_of_table(file: str) -> str:
    """Name the format of a text of rows: `mot` without a header, `via_csv`, else `csv`, or `yolo` for .txt."""
    from matlens.ingest.annotations import mot

    first = next((line for line in text_of(file).splitlines() if line.strip()), "")
    if mot.is_row(first):
        return "mot"
    usual = SUFFIXES[Path(file).suffix.lower()]
    return "via_csv" if usual == "csv" and "region_shape_attributes" in first else usual


def kind_of(file: str) -> str:
    """Name the format of a file by its extension or, of JSON, by its keys."""
    suffix = Path(file).suffix.lower()
    if suffix in TEXTS:
        return _kind_of_table(file)
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix == ".xml":
        from matlens.ingest.annotations import markup

        return markup.kind_of(file)
    if suffix not in (".json", ".geojson"):
        known = ".json, .geojson, .xml, .txt, .roi, .zip or .csv"
        raise BadItem(f"'{suffix or Path(file).name}' is no format of objects; give {known}")
    return _kind_of_json(file)


def _kind_of_json(file: str) -> str:
    """Name the format of a JSON by its keys."""
    content = document(file)
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(first, dict) and (first.get("type") == "Feature" or "features" in first):
        return "geojson"
    if isinstance(content, dict):
        if "annotations" in content and "images" in content:
            return "coco"
        if "shapes" in content:
            return "labelme"
        entries = content.get("_via_img_metadata", content)
        if isinstance(entries, dict) and all(isinstance(e, dict) and "regions" in e for e in entries.values()):
            return "via"
        if {"file", "view", "metadata"} <= set(content):
            return "via3"
    raise BadItem(f"{file}: {_seen(content)}; export the objects as COCO, VIA or labelme")


def _seen(content) -> str:
    """Say which other format a JSON seems to be of."""
    if isinstance(content, dict) and {"videos", "annotations"} <= set(content):
        return "COCO of videos is not read"
    held = content["annotations"] if isinstance(content, dict) and "annotations" in content else content
    first = held[0] if isinstance(held, list) and held else content
    keys = set(first) if isinstance(first, dict) else set()
    if isinstance(held, list) and "image_id" in keys and keys & {"category_id", "score"}:
        said = "a list of COCO results names images by numbers alone, without the lists 'images' and 'categories'"
        return f"{said}, and its scores are of detections of a program, no truth" if "score" in keys else said
    if "geometry" in keys:
        return "objects of GeoJSON are of the type 'Feature'"
    return "this JSON is none of COCO, VIA or labelme"


@lru_cache(maxsize=4)
def _parsed(file: str, changed: float):
    try:
        with open(file, encoding="utf-8-sig") as handle:
            return json.load(handle)
    except (ValueError, RecursionError) as error:
        raise BadItem(f"{file}: not JSON ({error}); export it again") from error


def document(file: str):
    """Read a JSON file; the last ones are kept, since one file serves many images."""
    return _parsed(str(file), Path(file).stat().st_mtime)


@lru_cache(maxsize=64)
def _pages(file: str, changed: float) -> tuple[Page, ...]:
    from matlens.ingest.annotations import tracks

    try:
        return tracks.numbered(load(READERS, kind_of(file))(file))
    except BadItem:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError) as error:
        said = f"{type(error).__name__}: {error}"
        raise BadItem(f"{file}: an entry has not the form of its format ({said}); export it again") from error


def read(file: str) -> tuple[Page, ...]:
    """Return the pages of a file. Raises BadItem if it cannot be read."""
    try:
        return _pages(str(file), Path(file).stat().st_mtime)
    except OSError as error:
        raise BadItem(f"{file}: {error.strerror}; restore the file of objects") from error


def ring(y, x) -> np.ndarray:
    """Return the ring (n, 2) of the coordinates of an outline; a repeated first corner at its end is dropped."""
    corners = np.column_stack([np.asarray(y, float), np.asarray(x, float)])
    return corners[:-1] if len(corners) > 1 and (corners[0] == corners[-1]).all() else corners


def box(y0: float, x0: float, y1: float, x1: float) -> tuple:
    """Return the parts of a rectangle. Raises BadItem if a side is negative."""
    if y1 < y0 or x1 < x0:
        raise BadItem(
            f"its box has the width {x1 - x0:.6g} and the height {y1 - y0:.6g}; both count from its corner on"
        )
    return ((ring([y0, y0, y1, y1], [x0, x1, x1, x0]),),)


def turned(parts: tuple, degrees: float) -> tuple:
    """Turn the parts of a rectangle about its centre, from x towards y: clockwise on the screen."""
    if not degrees:
        return parts
    turn, corners = np.radians(degrees), parts[0][0]
    middle, sin, cos = corners.mean(0), np.sin(turn), np.cos(turn)
    dy, dx = (corners - middle).T
    return ((middle + np.column_stack([dx * sin + dy * cos, dx * cos - dy * sin]),),)


def ellipse(y: float, x: float, half_y: float, half_x: float, turn_rad: float = 0.0) -> tuple:
    """Return the parts of an ellipse of equal area with 72 corners; `turn_rad`: from x towards y.

    Raises BadItem if an axis is negative.
    """
    if half_y < 0 or half_x < 0:
        raise BadItem(f"its half axes are {half_x:.6g} and {half_y:.6g}; give lengths from 0 on")
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wide = np.sqrt(2 * np.pi / 72 / np.sin(2 * np.pi / 72))  # of a polygon to the area of its circle
    dy, dx = wide * half_y * np.sin(angle), wide * half_x * np.cos(angle)
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    return ((ring(y + dx * sin + dy * cos, x + dx * cos - dy * sin),),)
