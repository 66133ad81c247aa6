"""Read known compositions from a reference table, to exclude them from a shortlist."""

import csv
from collections.abc import Iterator
from pathlib import Path

from matlens.crystal import compositions
from matlens.store import text_files

COLUMN = "formula"


def file_of(path: str | None) -> Path | None:
    """Return the path of a reference table, with `~` expanded; None if no reference is set."""
    return Path(path).expanduser() if path else None


def rows(file: Path) -> Iterator[list[str]]:
    """Yield the rows of a CSV table, header first; the delimiter is a comma, semicolon or tab."""
    with open(file, encoding="utf-8-sig", errors="replace", newline="") as handle:
        head = handle.readline()
        handle.seek(0)
        for cells in csv.reader(handle, delimiter=text_files.delimiter_of(head)):
            yield [cell.strip() for cell in cells]


def fault(path: str | None) -> str:
    """Return the fault of a reference table, by its header; "" if it has none."""
    file = file_of(path)
    if file is None:
        return ""
    if not file.is_file():
        return f"file '{path}' does not exist; name a CSV file with a column '{COLUMN}'"
    head = next(rows(file), [])
    return "" if COLUMN in head else f"'{path}' has no column '{COLUMN}'; it has {', '.join(head) or 'none'}"


def known(path: str | None) -> frozenset[tuple]:
    """Read the compositions of a table with a column `formula`, as `compositions.identities` names them.

    None or "": no reference. Raises ValueError if file or column is missing, or a formula is invalid.
    """
    if why := fault(path):
        raise ValueError(f"screen.reference: {why}")
    if not path:
        return frozenset()
    table = rows(file_of(path))
    at = next(table).index(COLUMN)
    lines = {}
    for number, cells in enumerate(table, 2):
        if len(cells) > at and cells[at]:
            lines.setdefault(cells[at], number)
    bad = next((formula for formula in lines if not compositions.readable(formula)), None)
    if bad is not None:
        raise ValueError(
            f"screen.reference: {path}, line {lines[bad]}: '{bad}' is not a formula; correct or remove the line"
        )
    return frozenset(compositions.identities(lines))
