"""Compositions without structures, from a table of formulas or of element columns."""

import json
import math
from collections.abc import Mapping

from matlens import columns
from matlens.crystal import formulas as notation
from matlens.crystal.compositions import SYMBOLS, identity
from matlens.crystal.formulas import SHORT, checked
from matlens.ingest import cell_values, element_columns, spreadsheet, table_sets
from matlens.ingest.element_columns import COLUMN_ELEMENTS, PART
from matlens.ingest.plan_rows import RESERVED, check_units
from matlens.job.batch import BadItem
from matlens.registry import suggest

KIND = "compositions"  # of tables in the catalogue
INDEX = ("formula", "elements")
NAMES = ("id", "item", "name", "mbid", "material_id", "mpid", "jid", "entry_id", "auid")
COMPARED = 1000  # rows in which two columns of formulas are compared
TRUE = {"true": 1.0, "false": 0.0}


def listing(*, path: str | None = None, set: str | None = None) -> str:
    """Digest the table; for a set its catalogue entry, which a download does not change."""
    return table_sets.listing(KIND, path, set)


def columns_of(
    *,
    path: str | None = None,
    set: str | None = None,
    composition: str | None = None,
    unit: str = "mole_fraction",
    item: str | None = None,
    targets: list[str] | None = None,
) -> list[str]:
    """List the index columns of a table; see `plan`. Raises ValueError if it cannot be used."""
    header, table, below = _table(file := table_sets.present(KIND, path, set))
    table_sets.require(file, header, [item, *(targets or [])])
    formulas = _formula_column(header, composition, unit, str(file))
    parts = {} if formulas else element_columns.of(header, unit, str(file), below)
    if formulas and not composition:
        _check_one_meaning(header, table, formulas, str(file))
    beside = [_column(name) for name in header if name not in parts and name != "formula"]
    return [*INDEX, *beside, *(PART + symbol for symbol in COLUMN_ELEMENTS)]


def plan(
    *,
    path: str | None = None,
    set: str | None = None,
    composition: str | None = None,
    unit: str = "mole_fraction",
    item: str | None = None,
    targets: list[str] | None = None,
    tolerance: float = 0.02,
):
    """List the rows of a table as items with mole fractions.

    `path` or `set`: the table. `composition`: the column of formulas ("Ni3Al", "Fe70.5Co29.5": amounts of atoms); None:
    the one called composition or formula, else the columns called like elements ("Ni", "x_Ni", "Ni (wt%)"), in `unit`:
    mole fractions, at% or wt%. There an empty cell or "-" is 0, and "bal" is the balance. Sums may deviate by
    `tolerance`. `item`: column of names. Returns a DataFrame with item, formula, x_<symbol> for every element, the
    other columns (targets as numbers, true and false as 1 and 0), and `reason` where a row cannot be used. Raises
    ValueError if the table cannot be used.
    """
    import pandas as pd

    file = table_sets.find(KIND, path, set)
    header, table, below = _table(file)
    check_units(table, targets)
    formulas = _formula_column(header, composition, unit, str(file))
    parts = {} if formulas else element_columns.of(header, unit, str(file), below)
    if below:
        print(f"{file}: the row below the header has units ({', '.join(below.values())[:100]})")
    names = next((name for name in ([item] if item else NAMES) if name in header), None)
    table_sets.require(file, header, [item, *(targets or [])])
    capitals = notation.unclear(cells[formulas] for cells in table) if formulas else {}
    rows, found, wrong, chance = [], [], 0, []
    for number, cells in enumerate(table, 1):
        row = {columns.ITEM: table_sets.name_of(cells.get(names), file, number), columns.REASON: None, "formula": None}
        try:
            if formulas:
                amounts = notation.amounts(cells[formulas], capitals)
            else:
                amounts = element_columns.amounts(cells, parts, unit, tolerance)
                chance += [] if element_columns.has_balance(cells, parts) else [row]
            row["formula"] = formula(amounts)
            total = sum(amounts.values())
            found.append({symbol: amount / total for symbol, amount in amounts.items()})
        except BadItem as error:
            row[columns.REASON] = str(error)
            wrong += isinstance(error, element_columns.WrongSum)
            found.append({})
        rows.append(row)
    _no_sum_by_chance(chance, wrong, len(table), unit)
    beside = [name for name in header if name not in (names, *parts)]
    made = {_column(name): _values(table, rows, name, targets or []) for name in beside if name != "formula"}
    _once(rows)
    there = sorted({symbol for part in found for symbol in part}, key=SYMBOLS.index)
    shares = {PART + symbol: [part.get(symbol, 0.0) for part in found] for symbol in there}
    return pd.concat([pd.DataFrame(rows), pd.DataFrame({**shares, **made})], axis=1)


def _table(file) -> tuple[list[str], list[dict], dict[str, str]]:
    """Read a table: its columns, its rows of values, and the units in the row below the header, by column."""
    header, rows = spreadsheet.read(file)
    below = cell_values.units_below(header, rows)
    return header, rows[bool(below) :], below


def _check_one_meaning(header: list[str], table: list[dict], formulas: str, file: str) -> None:
    """Raise ValueError if two columns of formulas have different compositions: one of them is not the one meant."""
    others = [name for name in header if name != formulas and notation.column_in([name])]
    for name in others:
        for number, cells in enumerate(table[:COMPARED], 1):
            try:
                one, other = (identity(notation.amounts(cells[column])) for column in (formulas, name))
            except BadItem:
                continue
            if one != other:
                raise ValueError(
                    f"table '{file}': the columns '{formulas}' and '{name}' have other compositions in row {number} "
                    f"({str(cells[formulas])[:SHORT]}, {str(cells[name])[:SHORT]}); name the one that is meant by "
                    f"'composition: {formulas}'"
                )


def _no_sum_by_chance(rows: list[dict], wrong: int, count: int, unit: str) -> None:
    """Reject rows whose amounts sum to the whole where more do not: additions to an element that the table leaves out.

    wrong: of the `count` rows, those that do not sum to it. rows: those that do, without a balance.
    """
    for row in rows if wrong > len(rows) else ():
        row[columns.REASON] = (
            f"its amounts sum to {element_columns.WHOLE[unit]:g} by chance, as {wrong} of {count} rows do not: "
            "is a column missing, that of the base element?"
        )


def _formula_column(header: list[str], composition: str | None, unit: str, file: str) -> str | None:
    if composition is not None and composition not in header:
        said = f"composition: the table has no column '{composition}'; {suggest(composition, header)}"
        raise ValueError(said + spreadsheet.note_of_sheets(file, "; "))
    amounts = len([name for name in header if element_columns.named(name)[0] in COLUMN_ELEMENTS]) > 1
    wanted = notation.COLUMNS[:2] if amounts else notation.COLUMNS  # beside amounts, a compound is a name
    column = composition or notation.column_in(header, wanted)
    if column is not None and unit == "wt%":
        raise ValueError(f"unit: the formulas of the column '{column}' count atoms; wt% needs a column per element")
    return column


def _column(name: str) -> str:
    return f"source_{name}" if name in RESERVED | {*INDEX} or name.startswith(PART) else name


def _values(table: list[dict], rows: list[dict], name: str, targets: list[str]) -> list:
    """Build a column: floats if all values are numbers or booleans. A target that is not a number rejects its row."""
    cells = [cells.get(name) for cells in table]
    cells = [TRUE.get(str(cell).strip().lower(), cell) for cell in cells]
    cells = [json.dumps(cell) if isinstance(cell, (Mapping, list)) else cell for cell in cells]
    if name in targets:
        for row, cell in zip(rows, cells, strict=True):
            if not cell_values.is_number(cell):
                row[columns.REASON] = row[columns.REASON] or cell_values.fault(name, cell)
        return [cell_values.number(cell) if cell_values.is_number(cell) else math.nan for cell in cells]
    return cell_values.column(cells)


def _once(rows: list[dict]) -> None:
    """Reject the second and later rows of one name."""
    seen = {}
    for number, row in enumerate(rows, 1):
        if row[columns.REASON] is None:
            first = seen.setdefault(row[columns.ITEM], number)
            if first != number:
                row[columns.REASON] = f"two rows have the same name: rows {first} and {number}; rename one"


def formula(amounts: Mapping[str, float]) -> str:
    """Format a composition with elements by symbol: whole amounts reduced ("Al3Ni"), others as mole fractions."""
    symbols, values = zip(*sorted(amounts.items()), strict=True)
    if all(value == round(value) and value < 1e6 for value in values):
        divisor = math.gcd(*(round(value) for value in values))
        parts = ["" if value == divisor else str(round(value) // divisor) for value in values]
    else:
        total = sum(values)
        parts = ["" if len(values) == 1 else f"{value / total:.9f}".rstrip("0").rstrip(".") for value in values]
    return "".join(symbol + part for symbol, part in zip(symbols, parts, strict=True) if part != "0")


def read(item: dict) -> tuple[dict[str, float], dict]:
    """Return the mole fractions of one plan row, by symbol, and no scalars. Raises BadItem if they are invalid."""
    shares = {name.removeprefix(PART): value for name, value in item.items() if name.startswith(PART)}
    return checked(shares), {}


def index_row(shares: Mapping[str, float], item: dict, meta: dict) -> dict:
    """Make the index row of an item: its plan, formula, mole fractions (0 for absent elements), other columns."""
    total = sum(shares.values())
    zero = {name: 0.0 for name in item if name.startswith(PART)}
    there = {PART + symbol: share / total for symbol, share in shares.items()}
    named = {"formula": item.get("formula") or formula(shares), "elements": len(shares)}
    return {**item, **named, **zero, **there, **meta}


def index_table(rows: list[dict], items: list[dict]):
    """Stack the rows of an index; an empty index keeps the columns of the plan."""
    import pandas as pd

    leading = dict.fromkeys([columns.KEY, columns.ITEM, *INDEX, *(items[0] if items else ())])
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*leading, *(name for name in frame.columns if name not in leading)])
