"""Micrographs listed in a table (CSV, TSV, Excel, JSON), with truth, split and further columns."""

import os
import re
from pathlib import Path

from matlens import columns
from matlens.ingest import annotated, blocks, files, spreadsheet
from matlens.ingest.blocks import WHOLE, Blocks
from matlens.ingest.file_search import digest, expanded, item_name, nearest, printable
from matlens.ingest.files import read
from matlens.ingest.plan_rows import (
    SCALES,
    as_numbers,
    check_columns,
    first_of_each,
    is_missing,
    other_scale,
    trouble,
)
from matlens.registry import suggest

__all__ = ["listing", "plan", "read"]
BESIDE = (columns.OBJECTS_FILE, columns.EXCLUDE_FILE, columns.CLEAN_FILE)  # files of an item, in columns of a sheet
NAMED = (columns.FILE, columns.TRUTH_FILE, *BESIDE)
KNOWN = (columns.ITEM, *NAMED, columns.SPLIT, columns.GROUP, *SCALES)
MASKS = ("mask", "masks", "mask_file", "truth_mask")  # what columns of truth_file are called elsewhere
SPLITS = ("train", "val", "test")
CALLED = {"training": "train", "validation": "val", "valid": "val", "dev": "val", "testing": "test"}


def _rows(path: str, tell: bool = False) -> tuple[Path, list[str], list[dict]]:
    """Read a sheet: its path, columns and rows as text. Raises ValueError if it cannot be used.

    `tell`: print that a row of units below the header is left out.
    """
    sheet = Path(expanded(path))
    if not sheet.is_file():
        raise ValueError(f"path '{path}' is no file; {nearest(str(sheet))}")
    header, rows = spreadsheet.read(sheet, columns.FILE)
    if columns.FILE not in header:
        raise ValueError(
            f"sheet '{path}' has no column 'file'; {suggest(columns.FILE, header).replace('allowed', 'it has')}"
            + spreadsheet.note_of_sheets(sheet, "; ")
        )
    check_columns(header, f"sheet '{path}'", allowed=KNOWN)
    for name in header:
        if meant := _meant(name):
            other = f"if it is another thing, my_{name}"
            raise ValueError(f"sheet '{path}': the column '{name}' is not read; call it '{meant}' or, {other}")
    rows = [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows]
    if _states_units(rows):
        if tell:
            print(
                f"the row below the header of '{path}' has units, and is no item: {', '.join(rows[0].values())[:100]}"
            )
        rows = rows[1:]
    return sheet, header, rows


def _states_units(rows: list[dict]) -> bool:
    """Check whether the first row names units of columns: no file, and words over numbers."""
    first, file = rows[0], rows[0][columns.FILE].strip()
    if len(rows) < 2 or not (is_missing(file) or re.fullmatch(r"[(\[].*[)\]]", file)):
        return False
    words = [name for name, cell in first.items() if name not in NAMED and not is_missing(cell)]
    over = [as_numbers([row[name] for row in rows[1:]])[0] for name in words]
    return (
        bool(words)
        and all(isinstance(as_numbers([first[name]])[0], str) for name in words)
        and (any(isinstance(value, float) for value in over))
    )


def _meant(name: str) -> str:
    """Return the column that a header means in another spelling, or a scale in another unit; "" for other columns."""
    low = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
    if name in KNOWN:
        return ""
    if low in KNOWN:
        return low
    if other_scale(name):
        return columns.PIXEL_SIZE
    return columns.TRUTH_FILE if low in MASKS else ""


def _located(sheet: Path, file: str) -> tuple[str, str | None]:
    """Resolve a file name relative to the sheet. Returns the path and the reason if it cannot be used."""
    if ".." in Path(file).parts:
        return file, "the path leaves the folder of the sheet; remove '..', or give an absolute path"
    place = str(sheet.parent / os.path.expanduser(file))
    other = str(sheet.parent / file.replace("\\", "/"))  # a sheet that was written on Windows
    return (other if not os.path.lexists(place) and os.path.lexists(other) else place), None


def listing(*, path: str) -> str:
    """Digest the sheet and its files. Raises ValueError if the sheet cannot be used."""
    sheet, _, rows = _rows(path)
    named = [row[key] for row in rows for key in NAMED if row.get(key)]
    return digest([sheet, *(Path(_located(sheet, name)[0]) for name in named)])


def check(
    phases: list[str],
    *,
    path: str,
    object_classes: dict | None = None,
    truth_values: dict | None = None,
    masks_are: str | None = None,
    exclude: list | None = None,
    block_px: list[int] | None = None,
    most_blocks: int | None = None,
    min_side_px: int = 8,
) -> None:
    """Raise ValueError if options contradict each other, or classes of its objects are of no phase."""
    blocks.check(block_px, most_blocks, min_side_px)
    files.check(phases, truth_values=truth_values, masks_are=masks_are, exclude=exclude)
    sheet, _, rows = _rows(path)
    for name in sorted({row[columns.OBJECTS_FILE] for row in rows if row.get(columns.OBJECTS_FILE)}):
        place, reason = _located(sheet, name)
        if reason is None and os.path.isfile(place):
            annotated.check_classes(place, phases, object_classes)


def columns_of(*, path: str, block_px: list[int] | None = None) -> list[str]:
    """List the index columns of a sheet; see `plan`."""
    header = _rows(path)[1]
    return [*header, columns.GROUP] if block_px and columns.GROUP not in header else header


def _row(sheet: Path, row: dict) -> dict:
    """Make one row of the plan."""
    if not row[columns.FILE]:
        name = row.get(columns.ITEM) or "(no file)"
        return {columns.ITEM: name, columns.FILE: "", columns.REASON: "its row names no file; fill the column 'file'"}
    file, reason = _located(sheet, row[columns.FILE])
    truth = row.get(columns.TRUTH_FILE) or None
    if truth and not reason:
        truth, reason = _located(sheet, truth)
    beside = {name: row[name] or None for name in BESIDE if name in row}
    for option, named in beside.items():
        if named and not reason:
            beside[option], reason = _located(sheet, named)
    if row.get(columns.SPLIT) and split_of(row[columns.SPLIT]) not in SPLITS:
        reason = reason or f"its split is '{row[columns.SPLIT]}'; {suggest(row[columns.SPLIT], SPLITS)}"
    name = row.get(columns.ITEM) or item_name(Path(file), sheet.parent)
    reason = reason or trouble(Path(file))
    found = {columns.ITEM: name, columns.FILE: printable(file), columns.TRUTH_FILE: truth}
    return found | beside | {columns.REASON: reason}


def split_of(text: str) -> str:
    """Spell the use of an item as it is read: training is train, validation val, in letters of either case."""
    low = text.strip().lower()
    return CALLED.get(low, low if low in SPLITS else text)


def plan(*, path: str, parts: Blocks = WHOLE):
    """List the rows of a sheet as items, or the blocks that they are cut into.

    `path`: a table with a header, see `spreadsheet.read`. Columns: file (required; relative to the sheet, or absolute),
    item (default: the file without extension), truth_file, objects_file (see `annotations`), exclude_file (a mask of
    pixels that are not measured), clean_file (the image without noise), split (train, val, test), group,
    pixel_size_um, pixel_size_y_um, pixel_size_z_um; any other becomes a column of the index, numbers as floats.
    `parts`: see `blocks.Blocks`. Returns a DataFrame; `reason` where a row cannot be used. Raises ValueError if the
    sheet as a whole cannot be used.
    """
    import pandas as pd

    sheet, header, rows = _rows(path, tell=True)
    frame = pd.DataFrame(first_of_each([_row(sheet, row) for row in rows]))
    for name in header:
        if name in (columns.SPLIT, columns.GROUP):
            own = split_of if name == columns.SPLIT else str
            frame[name] = pd.Series([own(row[name]) if row[name] else None for row in rows], dtype=object)
        elif name not in KNOWN or name in SCALES:
            frame[name] = as_numbers([row[name] for row in rows])
    for name in frame.columns.intersection(SCALES):
        if frame[name].dtype == object:
            cell = next(cell for row in rows if isinstance(as_numbers([cell := row[name]])[0], str))
            raise ValueError(f"sheet '{path}': {name} holds '{cell}'; give micrometres as numbers, or empty cells")
    frame = frame if frame[columns.REASON].notna().any() else frame.drop(columns=columns.REASON)
    return blocks.divided(frame, parts, read)
