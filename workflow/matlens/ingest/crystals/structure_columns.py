"""Index columns of crystals: values, names, unique item names."""

import math
from difflib import get_close_matches
from pathlib import Path

from matlens import columns
from matlens.ingest import cell_values
from matlens.ingest.crystals import target_tables
from matlens.ingest.plan_rows import RESERVED, check_units
from matlens.registry import suggest

FORMAT, OFFSET, LENGTH, ROW = "format", "_offset", "_length", "_row"  # where a structure is in its file
INDEX = ("formula", "atoms", "elements", "volume_a3", "volume_a3_per_atom")


def add_targets(rows: list[dict], beside_each: list[dict]) -> None:
    """Add the values of id_prop.csv (y, y2, ...) to the structures of its folder; a remark if a row has none."""
    tables = {}
    for row, values in zip(rows, beside_each, strict=True):
        file = Path(row[columns.FILE])
        if file.parent not in tables:
            tables[file.parent] = target_tables.of_cgcnn(file.parent)
        table = tables[file.parent]
        named = next((name for name in target_tables.names_of(file) if name in table), "")
        own, note = table.get(named, ({}, None))
        values |= own
        row[columns.REMARK] = note


def add(rows: list[dict], beside_each: list[dict], targets: list[str] | None) -> None:
    """Add the scalars as columns; reserved names become `source_...`. Raises ValueError if a target is missing."""
    names = dict.fromkeys(name for beside in beside_each for name in beside)
    missing = [name for name in targets or [] if name not in names]
    if missing:
        near = get_close_matches(missing[0], list(names), 3, 0.3)
        hint = f"the nearest are {', '.join(near)}; " if near else ""
        there = suggest(missing[0], names) if names else "the structures have no columns"
        there += next((f"; {why}" for why in map(_of_table, rows) if why), "")
        raise ValueError(f"targets: no structure has a column '{missing[0]}'; {hint}{there}")
    check_units(beside_each, targets)
    taken = RESERVED | {FORMAT, OFFSET, LENGTH, ROW, *INDEX}
    for name in names:
        cells = [beside.get(name) for beside in beside_each]
        if name in (targets or []):
            for row, value in zip(rows, cells, strict=True):
                if value is None and row.get(columns.REMARK):
                    row[columns.REASON] = row[columns.REASON] or row[columns.REMARK]
            cells = [_number(value, name, row) for value, row in zip(cells, rows, strict=True)]
        for row, value in zip(rows, _as_column(cells), strict=True):
            row[f"source_{name}" if name in taken else name] = value


def _of_table(row: dict) -> str | None:
    """Return what is wrong with the table of values of a structure, or with a file that is one."""
    table = Path(row[columns.FILE]).suffix.lower() in target_tables.TABLES
    return row.get(columns.REMARK) or (row.get(columns.REASON) if table else None)


def _number(value, name: str, row: dict) -> float:
    """Read a target value. An item is rejected if the value is not a number, and kept if it is empty."""
    if cell_values.is_number(value):
        return cell_values.number(value)
    row[columns.REASON] = row[columns.REASON] or cell_values.fault(name, value)
    return math.nan


def _as_column(cells: list) -> list:
    """Convert a column of numbers to floats and any other to text, so that all shards have one type."""
    if all(cell is None or isinstance(cell, bool) for cell in cells):
        return [None if cell is None else float(cell) for cell in cells]
    return cell_values.column(cells)


def first_of_each(rows: list[dict]) -> None:
    """Reject the second and later structures of one name; a suffix with their number keeps the names unique."""
    seen = {}
    for row in rows:
        if row[columns.REASON]:
            continue
        if row[columns.ITEM] in seen:
            both = f"{seen[row[columns.ITEM]]} and {row[columns.FILE]} (number {row[ROW] + 1})"
            row[columns.REASON] = f"two structures have the same id: {both}; rename one"
        else:
            seen[row[columns.ITEM]] = f"{row[columns.FILE]} (number {row[ROW] + 1})"
