"""Micrographs listed in a table (CSV or TSV): which files, which truth, which split, and what else is known of them."""

import csv
import os
from pathlib import Path

from matlens import columns
from matlens.ingest.files import read
from matlens.ingest.finding import digest, expanded, item_name, nearest, printable
from matlens.ingest.rows import as_numbers, check_columns, first_of_each, trouble
from matlens.registry import suggest

__all__ = ["listing", "plan", "read"]
KNOWN = (columns.ITEM, columns.FILE, columns.TRUTH_FILE, columns.SPLIT, columns.GROUP, columns.PIXEL_SIZE)
SPLITS = ("train", "val", "test")


def _rows(path: str) -> tuple[Path, list[str], list[dict]]:
    """Read a sheet: its file, its columns, its rows as text. ValueError says what is wrong with it."""
    sheet = Path(expanded(path))
    if not sheet.is_file():
        raise ValueError(f"path '{path}' is no file; {nearest(str(sheet))}")
    try:
        text = sheet.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"sheet '{path}' is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    except OSError as error:
        raise ValueError(f"sheet '{path}' cannot be read: {error.strerror}; change its access rights") from error
    first = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)  # a header holds no other of them; the comma where there is but one column
    try:
        table = list(csv.reader(text.splitlines(), delimiter=delimiter if first.count(delimiter) else ","))
    except csv.Error as error:
        raise ValueError(f"sheet '{path}' is no table ({error}); save it as CSV UTF-8") from error
    table = [[cell.strip() for cell in row] for row in table if any(cell.strip() for cell in row)]
    header = table[0] if table else []
    if columns.FILE not in header:
        hint = suggest(columns.FILE, header) if header else "it is empty"
        raise ValueError(f"sheet '{path}' has no column 'file'; its columns: {hint}")
    if len(set(header)) < len(header) or "" in header:
        raise ValueError(f"sheet '{path}' has a column without a name, or twice the same; its columns: {header}")
    check_columns(header, f"sheet '{path}'", allowed=KNOWN)
    if len(table) == 1:
        raise ValueError(f"sheet '{path}' has a header but no rows; add one row per image")
    return sheet, header, [dict(zip(header, row + [""] * len(header), strict=False)) for row in table[1:]]


def _located(sheet: Path, file: str) -> tuple[str, str | None]:
    """Say where a file of the sheet lies, relative to the sheet, and what is wrong with its name."""
    if ".." in Path(file).parts:
        return file, "the path leaves the folder of the sheet; write it without '..', or absolute"
    return str(sheet.parent / os.path.expanduser(file)), None


def listing(*, path: str) -> str:
    """Digest the sheet and the files it names; a ValueError says what is wrong with the sheet."""
    sheet, _, rows = _rows(path)
    named = [row[key] for row in rows for key in (columns.FILE, columns.TRUTH_FILE) if row.get(key)]
    return digest([sheet, *(Path(_located(sheet, name)[0]) for name in named)])


def _row(sheet: Path, row: dict) -> dict:
    """Make one row of the plan."""
    if not row[columns.FILE]:
        name = row.get(columns.ITEM) or "(no file)"
        return {columns.ITEM: name, columns.FILE: "", columns.REASON: "its row names no file; fill the column 'file'"}
    file, reason = _located(sheet, row[columns.FILE])
    truth = row.get(columns.TRUTH_FILE) or None
    if truth and not reason:
        truth, reason = _located(sheet, truth)
    if row.get(columns.SPLIT) and row[columns.SPLIT] not in SPLITS:
        reason = reason or f"its split is '{row[columns.SPLIT]}'; {suggest(row[columns.SPLIT], SPLITS)}"
    name = row.get(columns.ITEM) or item_name(Path(file), sheet.parent)
    reason = reason or trouble(Path(file))
    return {columns.ITEM: name, columns.FILE: printable(file), columns.TRUTH_FILE: truth, columns.REASON: reason}


def plan(*, path: str):
    """List the rows of a sheet as items.

    `path`: a CSV or TSV file in UTF-8, with a header. Columns: file (required; relative to the sheet, or absolute),
    item (default: the file without extension), truth_file, split (train, val, test), group, pixel_size_um; any other
    becomes a column of the index, numbers as floats. Returns a DataFrame; `reason` where a row cannot be used.
    ValueError when the sheet as a whole cannot be used.
    """
    import pandas as pd

    sheet, header, rows = _rows(path)
    frame = pd.DataFrame(first_of_each([_row(sheet, row) for row in rows]))
    for name in header:
        if name in (columns.SPLIT, columns.GROUP):
            frame[name] = pd.Series([row[name] or None for row in rows], dtype=object)
        elif name not in KNOWN or name == columns.PIXEL_SIZE:
            frame[name] = as_numbers([row[name] for row in rows])
    if columns.PIXEL_SIZE in frame and frame[columns.PIXEL_SIZE].dtype == object:
        raise ValueError(f"sheet '{path}': pixel_size_um holds text; give micrometres as plain numbers, or nothing")
    return frame if frame[columns.REASON].notna().any() else frame.drop(columns=columns.REASON)
