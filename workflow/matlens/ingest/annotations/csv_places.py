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
FRACTION = r"\s*\d*\.\d*[1-9]\d*\s*"
CLOCK = re.compile(r"time.*|t[ _(\[].*|slice|seconds|ms")
SIZE = re.compile(r"(radius|diameter).*")
KNOWN = {
    "y": ("y_px", "y", "position_y"),
    "x": ("x_px", "x", "position_x"),
    "frame": ("frame", "t", "position_t"),
    "track": ("track", "track_id", "particle", "object"),
    "class": ("class", "label", "type"),
    "image": ("image", "item", "file", "filename"),
    "radius": ("radius_px", "radius", "r"),
    "diameter": ("diameter_px", "diameter"),
}


def _columns(header: list[str]) -> dict[str, int]:
    """Find the columns that are known, by their names in any case."""
    names = [name.strip().lower() for name in header]
    if "axis-0" in names and "shape-type" not in names:  # points of napari: the last two axes are y and x
        axes = [name for name in names if name.startswith("axis-")]
        named = dict(zip(["frame", "y", "x"][-len(axes) :], axes, strict=False)) if len(axes) in (2, 3) else {}
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
    names = [name.strip().lower() for name in header]
    if header[0] == " " and "area" in names and "x_px" not in names:
        raise BadItem(
            "a table of results of ImageJ has x and y in a unit that it does not state; save the regions (RoiSet.zip), "
            "or name the columns y_px and x_px, where pixel i lies at i"
        )
    if {"x", "y"} <= set(names) and ({"width", "height"} <= set(names) or {"w", "h"} <= set(names)):
        raise BadItem("x and y beside a width and a height may be a corner; name those of centres y_px and x_px")
    if not {*KNOWN["radius"], *KNOWN["diameter"]} & {*names} and (size := next(filter(SIZE.fullmatch, names), None)):
        raise BadItem(f"sizes in '{size}' are of an unknown unit; give radius_px or diameter_px, in pixels")


def _clock(rows: list[list[str]], at: dict[str, int]) -> str:
    """Return the name of a column of times where none has frames, "" where one has.

    Columns t and position_t may be either: fractions are times, and that column is taken out of `at`.
    """
    if not rows:
        return ""
    if "frame" not in at:
        return next((name for name in rows[0] if CLOCK.fullmatch(name.strip().lower())), "")
    name = rows[0][at["frame"]].strip()
    if name.lower() == "frame" or not any(re.fullmatch(FRACTION, r[at["frame"]]) for r in rows if len(r) > at["frame"]):
        return ""
    del at["frame"]
    return name


def _unit(rows: list[list[str]], at: dict[str, int]) -> float | None:
    """Return the unit of places of TrackMate in micrometres, from the lines below the header; None for pixels."""
    for row in rows[1:4]:
        text = row[at["x"]].strip() if at["x"] < len(row) else ""
        if text.startswith("(") and text.endswith(")"):
            unit = text[1:-1].strip().lower()
            if unit not in UNITS:
                raise BadItem(f"places are in '{unit}'; known are {', '.join(UNITS)}")
            return UNITS[unit]
    return None


def _shape(row: list[str], at: dict[str, int], line: int) -> Shape:
    """Read one row."""

    def number(key: str) -> float | None:
        text = row[at[key]].strip() if key in at else ""
        return None if not text or (key == "track" and text.lower() in ("none", "nan")) else float(text)

    def whole(key: str, value: float | None) -> int | None:
        if value is not None and not (np.isfinite(value) and value == round(value) and value >= 0):
            raise BadItem(f"line {line}: the {key} {value:g} is no number from 0 on")
        return None if value is None else round(value)

    label = row[at["class"]].strip() if "class" in at else ""
    try:
        y, x, frame, track = (number(key) for key in ("y", "x", "frame", "track"))
        radius = number("radius") or (number("diameter") or 0.0) / 2
        time = {"frame": whole("frame", frame), "number": whole("track", track)}
    except BadItem as error:
        return Shape(label=label, reason=str(error))
    except ValueError as error:
        return Shape(label=label, reason=f"line {line} holds a word where a number belongs: {error}")
    if y is None or x is None or not np.isfinite([y, x]).all():
        return Shape(label=label, reason=f"line {line} has no place; fill y and x")
    if not (np.isfinite(radius) and radius >= 0):
        return Shape(label=label, reason=f"line {line}: the radius {radius:g} is no length from 0 on")
    return Shape(label=label, centre=(y + 0.5, x + 0.5), radius=radius, **time)


def read(file: str) -> list[Page]:
    """Return a page per image; the delimiter is a comma, semicolon or tab."""
    text = text_of(file)
    first = text.partition("\n")[0]
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=text_files.delimiter_of(first)))
    at = _stated(rows[0], file) if rows else {}
    clock = _clock(rows, at)
    if "y" not in at or "x" not in at:
        raise BadItem(f"{file}: no columns y_px and x_px (or y, x); the first line is '{first.strip()[:80]}'")
    pages: dict[str, list] = {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        _check_decimals(file, row, at, line, len(rows[0]))
        row = row + [""] * (len(rows[0]) - len(row))
        try:
            float(row[at["y"]] or "nan")
        except ValueError:
            if line <= 4:  # TrackMate writes names and units in three lines below the header
                continue
        pages.setdefault(row[at["image"]].strip() if "image" in at else "", []).append(_shape(row, at, line))
    if any(shape.number == 0 for page in pages.values() for shape in page):  # 0 is the background of a map
        pages = {name: [_later(shape) for shape in page] for name, page in pages.items()}
    unit = _unit(rows, at) if "position_x" in first.lower() else None
    return [Page(name, tuple(page), unit_um=unit, clock=clock) for name, page in pages.items()] or [Page("", ())]


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


def _later(shape: Shape) -> Shape:
    """Count the tracks from 1."""
    from dataclasses import replace

    return shape if shape.number is None else replace(shape, number=shape.number + 1)
