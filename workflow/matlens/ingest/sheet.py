"""Micrographs in a table (CSV, TSV, Excel, JSON): their files, their truth, their split, and what is known of them."""

import os
from pathlib import Path

from matlens import columns
from matlens.ingest import spreadsheet
from matlens.ingest.files import read
from matlens.ingest.finding import digest, expanded, item_name, nearest, printable
from matlens.ingest.rows import as_numbers, check_columns, first_of_each, trouble
from matlens.registry import suggest

__all__ = ["listing", "plan", "read"]
NAMED = (columns.FILE, columns.TRUTH_FILE, columns.EXCLUDE_FILE)
SCALES = (columns.PIXEL_SIZE, columns.PIXEL_SIZE_Y, columns.PIXEL_SIZE_Z)
KNOWN = (columns.ITEM, *NAMED, columns.SPLIT, columns.GROUP, *SCALES)
SPLITS = ("train", "val", "test")


def _rows(path: str) -> tuple[Path, list[str], list[dict]]:
    """Read a sheet: its file, its columns, its rows as text. ValueError says what is wrong with it."""
    sheet = Path(expanded(path))
    if not sheet.is_file():
        raise ValueError(f"path '{path}' is no file; {nearest(str(sheet))}")
    header, rows = spreadsheet.read(sheet)
    if columns.FILE not in header:
        raise ValueError(
            f"sheet '{path}' has no column 'file'; {suggest(columns.FILE, header).replace('allowed', 'it has')}"
        )
    check_columns(header, f"sheet '{path}'", allowed=KNOWN)
    return sheet, header, [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows]


def _located(sheet: Path, file: str) -> tuple[str, str | None]:
    """Say where a file of the sheet lies, relative to the sheet, and what is wrong with its name."""
    if ".." in Path(file).parts:
        return file, "the path leaves the folder of the sheet; write it without '..', or absolute"
    return str(sheet.parent / os.path.expanduser(file)), None


def listing(*, path: str) -> str:
    """Digest the sheet and the files it names; a ValueError says what is wrong with the sheet."""
    sheet, _, rows = _rows(path)
    named = [row[key] for row in rows for key in NAMED if row.get(key)]
    return digest([sheet, *(Path(_located(sheet, name)[0]) for name in named)])


def columns_of(*, path: str) -> list[str]:
    """Name the columns of the index that a sheet gives; see `plan`."""
    return _rows(path)[1]


def _row(sheet: Path, row: dict) -> dict:
    """Make one row of the plan."""
    if not row[columns.FILE]:
        name = row.get(columns.ITEM) or "(no file)"
        return {columns.ITEM: name, columns.FILE: "", columns.REASON: "its row names no file; fill the column 'file'"}
    file, reason = _located(sheet, row[columns.FILE])
    truth = row.get(columns.TRUTH_FILE) or None
    if truth and not reason:
        truth, reason = _located(sheet, truth)
    outside = row.get(columns.EXCLUDE_FILE) or None
    if outside and not reason:
        outside, reason = _located(sheet, outside)
    if row.get(columns.SPLIT) and row[columns.SPLIT] not in SPLITS:
        reason = reason or f"its split is '{row[columns.SPLIT]}'; {suggest(row[columns.SPLIT], SPLITS)}"
    name = row.get(columns.ITEM) or item_name(Path(file), sheet.parent)
    reason = reason or trouble(Path(file))
    found = {columns.ITEM: name, columns.FILE: printable(file), columns.TRUTH_FILE: truth}
    return found | ({columns.EXCLUDE_FILE: outside} if columns.EXCLUDE_FILE in row else {}) | {columns.REASON: reason}


def plan(*, path: str):
    """List the rows of a sheet as items.

    `path`: a table with a header, see `spreadsheet.read`. Columns: file (required; relative to the sheet, or absolute),
    item (default: the file without extension), truth_file, exclude_file (a mask of pixels that are not measured),
    split (train, val, test), group, pixel_size_um, pixel_size_y_um, pixel_size_z_um; any other becomes a column of the
    index, numbers as floats. Returns a DataFrame; `reason` where a row cannot be used. Raises ValueError if the sheet
    as a whole cannot be used.
    """
    import pandas as pd

    sheet, header, rows = _rows(path)
    frame = pd.DataFrame(first_of_each([_row(sheet, row) for row in rows]))
    for name in header:
        if name in (columns.SPLIT, columns.GROUP):
            frame[name] = pd.Series([row[name] or None for row in rows], dtype=object)
        elif name not in KNOWN or name in SCALES:
            frame[name] = as_numbers([row[name] for row in rows])
    for name in frame.columns.intersection(SCALES):
        if frame[name].dtype == object:
            raise ValueError(f"sheet '{path}': {name} holds text; give micrometres as plain numbers, or nothing")
    return frame if frame[columns.REASON].notna().any() else frame.drop(columns=columns.REASON)
