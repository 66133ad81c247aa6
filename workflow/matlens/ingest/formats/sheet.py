"""CSV tables with a column of structures (cif, or structure as JSON) and other columns beside it."""

import csv
import io
import sys
from collections.abc import Iterator

from matlens.crystal.structures import Crystal
from matlens.ingest import spreadsheet
from matlens.ingest.formats import document
from matlens.ingest.formats.common import (
    Record,
    Source,
    decoded,
    name_of,
    note_column,
    printed_columns,
    scalars_of,
)
from matlens.job.batch import BadItem
from matlens.store import text_files


def _rows(source: Source) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (offset, length, cells) of every row; a row may span many lines."""
    csv.field_size_limit(min(sys.maxsize, 1 << 30))
    taken = 0

    def lines():
        nonlocal taken
        for offset, line in source.lines():
            taken += len(line)
            text = line.decode("utf-8", "replace")
            yield text.removeprefix("\ufeff") if offset == 0 else text

    start = 0
    for cells in csv.reader(lines(), delimiter=_delimiter(source)):
        yield start, taken - start, cells
        start = taken


def _delimiter(source: Source) -> str:
    return text_files.delimiter_of(source.line(0).decode("utf-8", "replace"))


def _held(source: Source) -> tuple[list[str], list[str]]:
    """Return the header, and its columns that hold structures, the first of which is read."""
    rows = (cells for _, _, cells in _rows(source) if any(cells))
    header = [name.strip() for name in next(rows)]
    return header, printed_columns(header, next(rows, []))


def records(source: Source) -> Iterator[Record]:
    """List the rows; the first unnamed column is taken for the number of the row that pandas writes.

    Where the delimiter is no comma, a comma is the decimal mark. Raises BadItem if a column has decimal commas and a
    number such as 1.234.
    """
    header, held = _held(source)
    found = list(_listed(source, header, held))
    if _delimiter(source) == ",":
        return iter(found)
    names = [name for name in header if name and name not in held]
    cells = [[one.scalars.get(name) or "" for name in names] for one in found]
    try:
        spreadsheet.check_thousands(source.path, cells, names)
    except ValueError as error:
        raise BadItem(str(error)) from error
    return (
        one._replace(scalars={name: spreadsheet.pointed(cell) for name, cell in one.scalars.items()}) for one in found
    )


def _listed(source: Source, header: list[str], held: list[str]) -> Iterator[Record]:
    rows = _rows(source)
    next(rows)
    for row, (offset, length, cells) in enumerate((r for r in rows if any(r[2])), 0):
        if len(cells) != len(header):
            reason = f"row {row + 1} has {len(cells)} cells, the header {len(header)}; it may be truncated"
            yield Record(offset, length, row, None, {}, reason)
            continue
        values = {name: cell for name, cell in zip(header, cells, strict=True) if name and name not in held}
        yield Record(offset, length, row, name_of(values), scalars_of(values))


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one row."""
    header, held = _held(source)
    text = io.StringIO(decoded(source.read(record.offset, record.length)), newline="")
    cells = next(csv.reader(text, delimiter=_delimiter(source)), [])
    if len(cells) != len(header):
        raise BadItem(f"its row has {len(cells)} cells, the header {len(header)}")
    if held[1:]:
        note_column(held[0], held[1:], notes)
    return document.from_cell(cells[header.index(held[0])], disorder, max_atoms, notes)
