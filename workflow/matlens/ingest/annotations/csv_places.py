"""CSV of places: points (y, x, class) or tracks (frame, track, y, x), of one image or of many (column image).

Columns are known by the names of trackpy, TrackMate, napari and this project. Here pixel i lies at i, as such programs
count, and is moved to i + 0.5. A column radius_px or diameter_px makes discs; else an object is one pixel.
"""

import csv
import io
import re

import numpy as np

from matlens.ingest.annotations import Page, Shape, text_of
from matlens.job.batch import BadItem
from matlens.store import text_files

UNITS = {"pixel": None, "pixels": None, "px": None, "micron": 1.0, "microns": 1.0, "um": 1.0, "\u00b5m": 1.0,
         "\u03bcm": 1.0, "nm": 1e-3, "nanometer": 1e-3, "mm": 1e3}  # fmt: skip
PART = re.compile(r"crop|thumb|patch|snip|mask|overlay", re.I)  # pictures of single objects
PICTURE = re.compile(r".+\.(tiff?|png|jpe?g|bmp|gif)", re.I)
FRACTION = r"\s*\d*\.\d*[1-9]\d*\s*"
SIZE = re.compile(r"(radius|diameter).*")
KNOWN = {
    "y": ("y_px", "y", "position_y"),
    "x": ("x_px", "x", "position_x"),
    "frame": ("frame", "frame_number", "frame_index", "t", "position_t", "axis_0"),
    "track": ("track", "track_id", "trackid", "particle", "particle_id", "object", "object_id"),
    "class": ("class", "label", "type"),
    "image": ("image", "item", "file", "filename", "image_name", "file_name", "image_file"),
    "radius": ("radius_px", "radius", "r"),
    "diameter": ("diameter_px", "diameter"),
}


def _named(header: list[str]) -> list[str]:
    """Return the names of columns in small letters, with one line between words: "Y [px]" is y_px."""
    return [re.sub("[^a-z0-9]+", "_", name.lower()).strip("_") for name in header]


def _columns(header: list[str]) -> dict[str, int]:
    """Find the columns that are known, by their names in any case."""
    names = _named(header)
    if "axis_0" in names and "shape_type" not in names:  # points of napari: the last two axes are y and x
        axes = [name for name in names if re.fullmatch(r"axis_\d", name)]
        named = dict(zip(["axis_0", "y", "x"][-len(axes) :], axes, strict=False)) if len(axes) in (2, 3) else {}
        names = [next((key for key, axis in named.items() if axis == name), name) for name in names]
    if "position_x" in names:  # the label of TrackMate is a name of each spot
        names = ["" if name == "label" else name for name in names]
    found = {key: next((names.index(n) for n in given if n in names), None) for key, given in KNOWN.items()}
    twice = next((names[at] for at in found.values() if at is not None and names.count(names[at]) > 1), None)
    if twice:
        raise BadItem(f"two columns are named '{twice}'; rename one of them")
    return {key: at for key, at in found.items() if at is not None}


def _check_meaning(header: list[str]) -> None:
    """Raise BadItem if columns x and y may be something else than the places of centres in pixels."""
    names = _named(header)
    if (header[0] == " " or {"Area", "X", "Y"} <= {*header}) and "area" in names and "x_px" not in names:
        raise BadItem(
            "a table of results of ImageJ has x and y in a unit that it does not state; save the regions (RoiSet.zip), "
            "or name the columns y_px and x_px, where pixel i lies at i"
        )
    if {"x", "y"} <= set(names) and ({"width", "height"} <= set(names) or {"w", "h"} <= set(names)):
        raise BadItem("x and y beside a width and a height may be a corner; name those of centres y_px and x_px")
    if not {*KNOWN["radius"], *KNOWN["diameter"]} & {*names} and (size := next(filter(SIZE.fullmatch, names), None)):
        given = header[names.index(size)].strip()
        raise BadItem(f"sizes in '{given}' are of an unknown unit; give radius_px or diameter_px, in pixels")


def _cells(rows: list[list[str]], column: int) -> list[str]:
    """Return the cells of a column that are not empty."""
    return [row[column].strip() for row in rows if len(row) > column and row[column].strip()]


def _check_rows(header: list[str], rows: list[list[str]], at: dict[str, int]) -> None:
    """Raise BadItem if places lie in several planes of a volume, or objects have numbers that may be no tracks."""
    names = _named(header)
    for name in {"z", "z_px", "position_z"} & {*names}:
        planes = [cell for cell in _cells(rows, names.index(name)) if re.fullmatch(r"-?\d+\.?\d*", cell)]
        if len({*map(float, planes)}) > 1:
            raise BadItem(
                f"the column '{header[names.index(name)]}' has several values: places of a volume are not read"
            )
    if "frame" in at and "track" not in at and "id" in names:
        numbers = _cells(rows, names.index("id"))
        if len({*numbers}) < len(numbers):
            given = header[names.index("id")]
            raise BadItem(f"'{given}' may number tracks, or the objects of each frame; name it track, or leave it out")


def _clock(header: list[str], rows: list[list[str]], at: dict[str, int]) -> str:
    """Return the name of a column that may have the times, in a table that has no frames; "" where it has them.

    Columns t and position_t, and the first axis of napari, may be either: fractions are times, and so is a t of several
    whole numbers of which none follow each other. A column of one time is taken out of `at`. Raises BadItem if it has
    several.
    """
    if "frame" in at:
        name, cells = _named(header)[at["frame"]], _cells(rows, at["frame"])
        if name.startswith("frame") or not _are_times(cells, napari=name == "axis_0"):
            return ""
        name = header[at.pop("frame")].strip()
        if len({*cells}) > 1:
            raise BadItem(f"it has the column '{name}' and no frames; add the column frame, which counts from 0")
        return name
    known = {column for key, column in at.items() if key != "track"}
    return next((name.strip() or "1" for place, name in enumerate(header) if place not in known), "")


def _are_times(cells: list[str], napari: bool) -> bool:
    """Check whether the numbers of a column are times instead of frames."""
    if any(re.fullmatch(FRACTION, cell) for cell in cells):
        return True
    numbers = sorted({float(cell) for cell in cells if re.fullmatch(r"\d+(\.0*)?", cell)})
    return not napari and len(numbers) > 1 and min(np.diff(numbers)) > 1


def _unit(cell: str) -> str:
    """Return the unit that a cell below the header states: um of "(um)"; "" if it states none."""
    unit = cell.strip().lower()
    if unit[:1] + unit[-1:] in ("()", "[]"):
        return unit[1:-1].strip()
    return unit if unit in UNITS else ""


def _shape(row: list[str], at: dict[str, int], line: int) -> Shape:
    """Read one row."""

    def text(key: str) -> str:
        return row[at[key]].strip() if key in at else ""

    def number(key: str) -> float | None:
        return float(text(key)) if text(key) else None

    def whole(value: float | None) -> int | None:
        if value is not None and not (np.isfinite(value) and value == round(value) and value >= 0):
            raise BadItem(f"line {line}: the frame {value:g} is no number from 0 on")
        return None if value is None else round(value)

    label = text("class")
    try:
        y, x, frame = (number(key) for key in ("y", "x", "frame"))
        if "frame" in at and frame is None:
            return Shape(label=label, reason=f"line {line} has no frame; fill it")
        radius = number("radius") or (number("diameter") or 0.0) / 2
        time = {"frame": whole(frame), "number": _track(text("track"), line)}
    except BadItem as error:
        return Shape(label=label, reason=str(error))
    except ValueError as error:
        return Shape(label=label, reason=f"line {line} holds a word where a number belongs: {error}")
    if y is None or x is None or not np.isfinite([y, x]).all():
        return Shape(label=label, reason=f"line {line} has no place; fill y and x")
    if not (np.isfinite(radius) and radius >= 0):
        return Shape(label=label, reason=f"line {line}: the radius {radius:g} is no length from 0 on")
    return Shape(label=label, centre=(y + 0.5, x + 0.5), radius=radius, **time)


def _track(text: str, line: int) -> int | str | None:
    """Return the track that a cell names: a number if it is one, else a word; None for none and for -1."""
    try:
        track = float(text or "nan")
    except ValueError:
        return None if text.lower() == "none" else text
    if np.isnan(track) or track == -1:
        return None
    if track < 0 or track % 1:
        raise BadItem(f"line {line}: the track {track:g} is no number from 0 on")
    return int(track)


def read(file: str) -> list[Page]:
    """Return a page per image; the delimiter is a comma, semicolon or tab."""
    text = text_of(file)
    first = text.partition("\n")[0]
    rows = _once(list(csv.reader(io.StringIO(text, newline=""), delimiter=text_files.delimiter_of(first))))
    at = _stated(rows[0], file) if rows else {}
    at |= {} if "image" in at else _pictures(rows, at)
    if "y" not in at or "x" not in at:
        raise BadItem(f"{file}: no columns y_px and x_px (or y, x); the first line is '{first.strip()[:80]}'")
    unit, parts = None, {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        _check_decimals(file, row, at, line, len(rows[0]))
        row = row + [""] * (len(rows[0]) - len(row))
        if line <= 4 and (stated := _unit(row[at["x"]])):
            if stated not in UNITS:
                raise BadItem(f"{file}: places are in '{stated}'; known are {', '.join(UNITS)}")
            unit = UNITS[stated]
        elif line > 4 or "position_x" not in first.lower() or re.search(r"\d|^\s*$", row[at["y"]]):
            parts.setdefault(row[at["image"]].strip() if "image" in at else "", []).append((line, row))
    return [_page(file, rows[0], name, own, at, unit) for name, own in parts.items()] or [Page("", ())]


def _once(rows: list[list[str]]) -> list[list[str]]:
    """Leave out columns that are there before with the same name and cells, as frames are in tables of trackpy."""
    header, kept = rows[0] if rows else [], []
    for at, name in enumerate(header):
        same = [k for k in kept if header[k] == name]
        if not any(all(row[k : k + 1] == row[at : at + 1] for row in rows) for k in same):
            kept.append(at)
    if len(kept) == len(header):
        return rows
    return [[row[k] for k in kept if k < len(row)] + row[len(header) :] for row in rows]


def _pictures(rows: list[list[str]], at: dict[str, int]) -> dict[str, int]:
    """Find the column of names of pictures, under whatever name; without it, places of many would be of one image."""
    for column, name in enumerate(rows[0]) if rows else ():
        cells = _cells(rows[1:], column) if column not in at.values() and not PART.search(name) else []
        if cells and all(map(PICTURE.fullmatch, cells)):
            return {"image": column}
    return {}


def _page(file: str, header: list[str], name: str, lines: list[tuple], at: dict[str, int], unit: float | None) -> Page:
    """Make the page of an image of its lines: (number of the line, cells)."""
    rows, at = [row for _, row in lines], dict(at)
    try:
        _check_rows(header, rows, at)
        clock = _clock(header, rows, at)
    except BadItem as error:
        raise BadItem(f"{file}: {error}") from error
    return Page(name, tuple(_shape(row, at, line) for line, row in lines), unit_um=unit, clock=clock)


def _stated(header: list[str], file: str) -> dict[str, int]:
    """Find the columns of a header, see `_columns`. Raises BadItem if it is not known what they are."""
    try:
        at = _columns(header)
        if "y" in at and "x" in at:
            _check_meaning(header)
        return at
    except BadItem as error:
        raise BadItem(f"{file}: {error}") from error


def _check_decimals(file: str, row: list[str], at: dict[str, int], line: int, width: int) -> None:
    """Raise BadItem if a number has a decimal comma, or commas give a line more cells than the header has."""
    if len(row) > width and any(cell.strip() for cell in row[width:]):
        raise BadItem(f"{file}: line {line} has {len(row)} cells, the header {width}; a decimal comma must be a point")
    for key in ("y", "x", "radius", "diameter"):
        if key in at and at[key] < len(row) and re.fullmatch(r"\s*[+-]?\d+,\d+\s*", row[at[key]]):
            raise BadItem(
                f"{file}: line {line} has the decimal comma of '{row[at[key]].strip()}'; write decimal points"
            )
