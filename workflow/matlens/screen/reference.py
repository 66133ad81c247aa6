"""Read known compositions from a reference table, to exclude them from a shortlist."""

import csv
from collections.abc import Iterator
from pathlib import Path

from matlens.crystal import compositions, formulas
from matlens.store import text_files

COLUMN = "formula"
SHOWN = 80  # characters of a header that a message quotes
SODIUM_NITRIDE = {"NaN": "Na1N1"}  # in other tables, NaN is an empty cell


def file_of(path: str | None) -> Path | None:
    """Return the path of a reference table, with `~` expanded; None if no reference is set."""
    return Path(path).expanduser() if path else None


def rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV table that are not empty, header first, each with the number of its last line."""
    with open(file, "rb") as handle:
        encoding = text_files.encoding(handle.read(2))
    with open(file, encoding=encoding, errors="replace", newline="") as handle:
        head = next((line for line in handle if line.strip()), "")
        handle.seek(0)
        reader = csv.reader((line.replace("\0", " ") for line in handle), delimiter=text_files.delimiter_of(head))
        for cells in reader:
            if any(map(str.strip, cells)):
                yield reader.line_num, [cell.strip() for cell in cells]


def fault(path: str | None) -> str:
    """Return the fault of a reference table: no file, no column of formulas, or the first line that has none.

    Returns "" if there is none.
    """
    file = file_of(path)
    if file is None:
        return ""
    if not file.is_file():
        return f"file '{path}' does not exist; name a CSV file with a column '{COLUMN}'"
    _, head = next(rows(file), (0, []))
    if _column_of(head) is None:
        there = ", ".join(head)[:SHOWN] or "it is empty"
        there = there if there.isprintable() else "it is no text"
        return f"'{path}' has no column '{COLUMN}' in its first line ({there}); give a CSV file with one"
    lines = _lines(file)
    bad = formulas.fault_in(lines)
    return f"'{path}', line {lines[bad[0]]}: {bad[1]}, or remove the line" if bad else ""


def _column_of(head: list[str]) -> str | None:
    """Return the column of formulas: that called formula, else one by another usual name, such as formula_pretty."""
    return COLUMN if COLUMN in head else formulas.column_in(head)


def _lines(file: Path) -> dict[str, int]:
    """Return the formulas of a table, each with its first line."""
    table = rows(file)
    head = next(table)[1]
    at = head.index(_column_of(head))
    lines: dict[str, int] = {}
    for number, cells in table:
        if len(cells) > at and cells[at]:
            lines.setdefault(SODIUM_NITRIDE.get(cells[at], cells[at]), number)
    return lines


def known(path: str | None) -> frozenset[tuple]:
    """Read the compositions of a table with a column of formulas, as `compositions.identities` names them.

    None or "": no reference. Raises ValueError if file or column is missing, or a formula is invalid.
    """
    if why := fault(path):
        raise ValueError(f"screen.reference: {why}")
    if not path:
        return frozenset()
    return frozenset(compositions.identity(formulas.amounts(formula)) for formula in _lines(file_of(path)))
