"""Property tables next to crystal files: tables with a header that name the files, and the id_prop.csv of CGCNN."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from matlens.ingest import spreadsheet
from matlens.ingest.formats.common import NAMES, column_of, decoded
from matlens.store import text_files

TARGETS_FILE = "id_prop.csv"  # of CGCNN: a line "file name without .cif, value, ..." per structure
TABLES = {".csv", ".tsv", ".xlsx"}
REMEDY = "write decimals with a point"
PACKED = (".gz", ".bz2", ".xz")
SEPARATORS = (",", "\t", ";", "|", " ")  # of an id_prop.csv; a blank stands for any number of blanks and tabs
FILES = ("file", "filename", "cif_file", *NAMES)  # columns that may name files, the likeliest first


def tables(paths: Iterable[Path]) -> dict[Path, list[tuple[Path | None, str, dict]]]:
    """Find the tables that name files. Returns per row the file (None if missing), its name, the other values."""
    found = {path: _named(path) for path in paths if path.suffix.lower() in TABLES and path.is_file()}
    return {path: rows for path, rows in found.items() if rows}


def _named(path: Path) -> list[tuple[Path | None, str, dict]]:
    """Read the rows of a table; empty if it holds structures itself or names no existing file."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            first = lines.readline(1 << 16) if path.suffix.lower() != ".xlsx" else ""
        if column_of([name.strip().strip('"') for name in first.split(text_files.delimiter_of(first))]):
            return []
        header, rows = spreadsheet.read(path)
    except (OSError, ValueError):
        return []
    there = _files(path.parent)
    for wanted in FILES:
        column = next((name for name in header if name.lower() == wanted), None)
        if column is None:
            continue
        words = [str(row[column] if row[column] is not None else "").strip() for row in rows]
        files = [_located(word, path.parent, there) for word in words]
        if any(files) or wanted in ("file", "filename", "cif_file"):
            others = [{name: value for name, value in row.items() if name != column} for row in rows]
            return list(zip(files, words, others, strict=True))
    return []


def fault(path: Path) -> str | None:
    """Return the reason why a table cannot be read, such as a row with too many cells; None if it can."""
    try:
        spreadsheet.read(path)
    except ValueError as error:
        return str(error)
    return None


def _files(folder: Path) -> dict[str, Path]:
    """Index the files of a folder by name, and by name without extension (a CIF, if several share it)."""
    every = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() not in TABLES)
    short = {p.stem: p for p in sorted(every, key=lambda p: p.suffix.lower() == ".cif")}
    return short | {p.name: p for p in every}


def _located(word: str, folder: Path, there: Mapping[str, Path]) -> Path | None:
    """Find a named file: in the folder of the table, or by a path relative to it."""
    if word in there:
        return there[word]
    path = Path(os.path.normpath(folder / Path(word).expanduser()))
    return path if word and path.is_file() else None


def names_of(file: Path) -> list[str]:
    """List the names by which an id_prop.csv may name a file: whole, without extension, without that of a packer."""
    stem = Path(file.stem).stem if file.suffix.lower() in PACKED else file.stem
    return list(dict.fromkeys((file.name, file.stem, stem)))


def of_cgcnn(folder: Path) -> dict[str, tuple[dict, str | None]]:
    """Read the values y, y2, ... of an id_prop.csv by file name; empty if there is none.

    Each row comes with its fault or None, and "" with the fault of the whole table. A row with an unusual number of
    fields (a decimal comma) has no values, nor has any row of a table whose commas may all be decimal commas, nor a
    file with two rows that differ.
    """
    path = folder / TARGETS_FILE
    if not path.is_file():
        return {}
    try:
        lines, separator = _rows_of(path)
    except (OSError, ValueError, csv.Error) as error:
        return {"": ({}, f"{TARGETS_FILE} cannot be read ({error}); save it as CSV UTF-8")}
    if not lines:
        return {"": ({}, f"{TARGETS_FILE} names no file of its folder; write a file's name, a comma, its value")}
    counts = Counter(map(len, lines))
    usual = min(counts, key=lambda count: (-counts[count], count), default=0)
    unclear = separator == "," and usual == 3 and all(cell.strip().isdigit() for line in lines for cell in line[2:])
    whole = all(re.fullmatch(r"[-+]?\d+", line[1].strip()) for line in lines if len(line) > 1)
    found: dict[str, tuple[dict, str | None]] = {}
    for line in lines:
        values = {"y" if k == 1 else f"y{k}": value.strip() for k, value in enumerate(line[1:], 1)}
        note = None
        if usual < 2:
            note = f"its row in {TARGETS_FILE} has no value; write the name, a comma, the value"
        elif len(line) != usual:
            note = f"its row in {TARGETS_FILE} has {len(line)} fields, the others {usual}: no value is taken; {REMEDY}"
        elif unclear and whole:
            note = f"in {TARGETS_FILE} {line[1]},{line[2]} may be one number or two: no value is taken; {REMEDY}"
        before = found.get(line[0])
        if before and not note and not before[1] and before[0] != values:
            note = f"it has two rows in {TARGETS_FILE} that differ: no value is taken; delete one"
        found[line[0]] = ({} if note else values, note)
    return found


def _rows_of(path: Path) -> tuple[list[list[str]], str]:
    """Read the rows that name a file of the folder, by its stem or name, and the separator with which most do."""
    data = path.read_bytes()
    code = text_files.encoding(data, "")
    text = (data.decode(code) if code else decoded(data)).splitlines()
    text = [line for line in text if line.strip(" \t,;|")]
    names = {name for file in path.parent.iterdir() if file != path for name in names_of(file)}
    tried = []
    for separator in SEPARATORS:
        if separator == " ":
            cells = [line.split() for line in text]
        else:
            cells = [[cell.strip() for cell in line] for line in csv.reader(text, delimiter=separator)]
        named = [[Path(line[0]).name, *line[1:]] for line in cells if line]
        tried.append([line for line in named if line[0] in names])
    # A row without a second field is no match: "a;1" has but one by commas.
    scores = [sum(len(line) > 1 for line in lines) for lines in tried]
    at = scores.index(max(scores)) if max(scores) else max(range(len(tried)), key=lambda k: len(tried[k]))
    lines, separator = tried[at], SEPARATORS[at]
    if lost := len(text) - len(lines):
        print(f"{path.name}: {lost} of its {len(text)} rows name no file of its folder")
    if separator != ",":
        spreadsheet.check_thousands(path, lines, [])
        lines = [[line[0], *map(spreadsheet.pointed, line[1:])] for line in lines]
    while lines and all(len(line) > 2 and not line[-1] for line in lines):
        lines = [line[:-1] for line in lines]  # separators at the ends of all lines
    return lines, separator
