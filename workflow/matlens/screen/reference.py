"""What is known already: the compositions of a table, which a new candidate must not have."""

import csv
from collections.abc import Iterator
from pathlib import Path

from matlens.crystal import compositions
from matlens.store import text_files

COLUMN = "formula"


def file_of(path: str | None) -> Path | None:
    """Name the file of a reference, with `~` as the user's home; None where there is none."""
    return Path(path).expanduser() if path else None


def rows(file: Path) -> Iterator[list[str]]:
    """Yield the cells of a table, header first, by commas, semicolons or tabs; formulas are ASCII in any encoding."""
    with open(file, encoding="utf-8-sig", errors="replace", newline="") as handle:
        head = handle.readline()
        handle.seek(0)
        for cells in csv.reader(handle, delimiter=text_files.delimiter_of(head)):
            yield [cell.strip() for cell in cells]


def fault(path: str | None) -> str:
    """Say what is wrong with a reference, so far as its header tells; "" where nothing is."""
    file = file_of(path)
    if file is None:
        return ""
    if not file.is_file():
        return f"there is no file '{path}'; name a CSV table with a column '{COLUMN}'"
    head = next(rows(file), [])
    return "" if COLUMN in head else f"'{path}' has no column '{COLUMN}'; it has {', '.join(head) or 'none'}"


def known(path: str | None) -> frozenset[tuple]:
    """Read the compositions of a table with a column `formula`, as `compositions.identities` names them.

    None or "" is no reference. ValueError where there is no such file or column, or a formula that is none.
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
            f"screen.reference: {path}, line {lines[bad]}: '{bad}' is no formula; correct it, or take it out"
        )
    return frozenset(compositions.identities(lines))
