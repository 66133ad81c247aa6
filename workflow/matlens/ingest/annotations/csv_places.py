"""CSV of places: points (y, x, class) or tracks (frame, track, y, x), of one image or of many (column image).

Columns are known by the names of trackpy, TrackMate and this project. Here pixel i lies at i, as such programs count,
and is moved to i + 0.5. A column radius_px or diameter_px makes discs; else an object is one pixel.
"""

import csv
import re

import numpy as np

from matlens.ingest.annotations import Page, Shape
from matlens.job.batch import BadItem

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
    found = {key: next((names.index(n) for n in given if n in names), None) for key, given in KNOWN.items()}
    return {key: at for key, at in found.items() if at is not None}


def _shape(row: list[str], at: dict[str, int], line: int) -> Shape:
    """Read one row."""

    def number(key: str) -> float | None:
        return float(row[at[key]]) if key in at and row[at[key]].strip() else None

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
    with open(file, encoding="utf-8-sig", newline="") as handle:
        first = handle.readline()
        handle.seek(0)
        rows = list(csv.reader(handle, delimiter=max(",;\t", key=first.count)))
    at = _columns(rows[0]) if rows else {}
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
    return [Page(name, tuple(page)) for name, page in pages.items()] or [Page("", ())]


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
