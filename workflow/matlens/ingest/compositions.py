"""Compositions without structures, from a table of formulas or of element columns."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache

from matlens import columns
from matlens.crystal import formulas as notation
from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.formulas import NOTHING, SHORT, checked
from matlens.ingest import spreadsheet, table_sets
from matlens.ingest.plan_rows import RESERVED, as_numbers, check_units
from matlens.job.batch import BadItem
from matlens.registry import suggest

KIND = "compositions"  # of tables in the catalogue
PART = "x_"  # a column of mole fractions: x_Ni
INDEX = ("formula", "elements")
FORMULAS = ("composition", "formula", "pretty_formula", "formula_pretty", "chemical_formula", "reduced_formula")
FORMULAS += ("chemical_formula_reduced", "composition_reduced", "compound")
NAMES = ("id", "item", "name", "mbid", "material_id", "mpid", "jid", "entry_id", "auid")
WHOLE = {"mole_fraction": 1.0, "at%": 100.0, "wt%": 100.0}
STATED = {"at": "at%", "mol": "at%", "wt": "wt%", "mass": "wt%"}
_OF_UNIT = r"(at|wt|mol|mass)\.?[\s_-]*(?:%|pct|percent)?"
ELEMENT_COLUMN = re.compile(rf"(?:x_)?([A-Z][a-z]?)(?:[\s_,/|]*[(\[]?\s*(?:{_OF_UNIT}|%)\s*[)\]]?)?")  # Ni, Ni (wt%)
UNIT_FIRST = re.compile(rf"{_OF_UNIT}[\s_,/|]+([A-Z][a-z]?)")  # wt% Ni
_SHARE = (
    r"(?:%|percent|pct|content|pp[mb](?![A-Za-z])|[\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}mn]g\s*/\s*k?g\b|fraction)"
)
PERCENT_OF = re.compile(
    rf"([A-Z][a-z]?)(?:\b.*|_){_SHARE}.*|.*{_SHARE}(?:.*\b|.*_)([A-Z][a-z]?)"
)  # an amount that is not read?
CAPITALS = re.compile(r"[A-Z]{2}")
OXIDE = re.compile(r"([A-Z][a-z]?)\d?O\d?\d?(?:\W.*|_.*)?")
METALS = set(SYMBOLS[:98]) - {"H", "C", "N", "O", "F", "S", "Cl", "Br", "I"}
AMOUNT_OF = re.compile(  # w(Al), X(AL), x(Al,LIQUID), w%(Al), w_Al; Al (g); Al..wt.. as R writes Al (wt%)
    r"(?i:[wxcmn])%?\s*[(\[]\s*([A-Za-z]{1,2})\s*[,)\]].*|[wxcWXC]_([A-Z][a-z]?)|"
    r"([A-Z][a-z]?)\s*[(\[]\s*[km]?g\s*[)\]]|([A-Z][a-z]?)\.+(?:wt|at|mol|mass)\.*|"
    r"([A-Z][a-z]?)[\s_](?:weight|mass)(?![A-Za-z]).*|(?i:weight|mass|mole)[\s_](?:\w+[\s_])?([A-Z][a-z]?)"
)
STABLE = {*SYMBOLS[:83], "Th"} - {"Tc", "Pm"}  # TC is a temperature, RA a reduction of area
COLUMN_ELEMENTS = SYMBOLS[:98]  # "No" is a column of row numbers, not nobelium
BALANCE = ("bal", "bal.", "balance", "rest", "remainder")
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
    file, header = table_sets.header(KIND, path, set)
    table_sets.require(file, header, [item, *(targets or [])])
    formulas = _formula_column(header, composition, unit, str(file))
    parts = {} if formulas else _element_columns(header, unit, str(file))
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
    header, table = spreadsheet.read(file)
    check_units(table, targets)
    formulas = _formula_column(header, composition, unit, str(file))
    parts = {} if formulas else _element_columns(header, unit, str(file))
    names = next((name for name in ([item] if item else NAMES) if name in header), None)
    table_sets.require(file, header, [item, *(targets or [])])
    capitals = notation.unclear(cells[formulas] for cells in table) if formulas else {}
    rows, found = [], []
    for number, cells in enumerate(table, 1):
        row = {columns.ITEM: table_sets.name_of(cells.get(names), file, number), columns.REASON: None, "formula": None}
        try:
            amounts = (
                notation.amounts(cells[formulas], capitals) if formulas else of_cells(cells, parts, unit, tolerance)
            )
            row["formula"] = formula(amounts)
            total = sum(amounts.values())
            found.append({symbol: amount / total for symbol, amount in amounts.items()})
        except BadItem as error:
            row[columns.REASON] = str(error)
            found.append({})
        rows.append(row)
    beside = [name for name in header if name not in (names, *parts)]
    made = {_column(name): _values(table, rows, name, targets or []) for name in beside if name != "formula"}
    _once(rows)
    there = sorted({symbol for part in found for symbol in part}, key=SYMBOLS.index)
    shares = {PART + symbol: [part.get(symbol, 0.0) for part in found] for symbol in there}
    return pd.concat([pd.DataFrame(rows), pd.DataFrame({**shares, **made})], axis=1)


def _formula_column(header: list[str], composition: str | None, unit: str, file: str) -> str | None:
    if composition is not None and composition not in header:
        said = f"composition: the table has no column '{composition}'; {suggest(composition, header)}"
        raise ValueError(said + spreadsheet.note_of_sheets(file, "; "))
    plain = {name: re.sub(r"[\s-]+", "_", name.lower()) for name in header}
    amounts = len([name for name in header if _element(name)[0] in COLUMN_ELEMENTS]) > 1
    wanted = FORMULAS[:2] if amounts else FORMULAS  # beside amounts, a compound is a name
    column = composition or next((name for each in wanted for name in header if plain[name] == each), None)
    if column is not None and unit == "wt%":
        raise ValueError(f"unit: the formulas of the column '{column}' count atoms; wt% needs a column per element")
    return column


def _element_columns(header: list[str], unit: str, file: str) -> dict[str, str]:
    """Map column names to element symbols. Raises ValueError if there are none, or they have another unit."""
    parts = {}
    for name in header:
        symbol, stated = _element(name)
        if symbol in COLUMN_ELEMENTS:
            if symbol in parts.values():
                raise ValueError(f"table '{file}' has two columns for {symbol}; keep one")
            if stated and STATED[stated] != unit:
                raise ValueError(f"the column '{name}' is in {stated}%, and unit is {unit}; set unit: {STATED[stated]}")
            parts[name] = symbol
    for name in header if parts else ():
        symbol = _amount_of(name)
        if name not in parts and symbol in COLUMN_ELEMENTS:
            raise ValueError(
                f"table '{file}': the column '{name}' may be the amount of {symbol}, and would be left out; call it "
                f"'{symbol}' or '{symbol} (wt%)', or by a name that does not begin or end with an element"
            )
    _check_spelling(header, parts, file)
    if len(parts) == 1 and not next(iter(parts)).startswith(PART):
        only = next(iter(parts))
        raise ValueError(
            f"table '{file}' has no column of formulas (name it by 'composition'), and '{only}' alone is called like "
            f"an element; its columns: {', '.join(header)[:200]}{spreadsheet.note_of_sheets(file, '; ')}"
        )
    if not parts:
        raise ValueError(
            f"table '{file}' has neither a column of formulas (name it by 'composition') nor columns called like "
            f"elements (Ni, Al, ...); its columns, by its first line: {', '.join(header)[:200]}"
            + spreadsheet.note_of_sheets(file, "; ")
        )
    return parts


def _check_spelling(header: list[str], parts: Mapping[str, str], file: str) -> None:
    """Refuse columns that would be left out of a composition: elements in capitals (SI) and oxides (SiO2)."""
    capitals = [name for name in header if CAPITALS.fullmatch(name) and name.capitalize() in STABLE]
    if len(capitals) > 1 or (capitals and not any(len(symbol) > 1 for symbol in parts.values())):
        raise ValueError(
            f"table '{file}' has columns called like elements in capitals ({', '.join(capitals)[:60]}); write "
            f"{capitals[0].capitalize()} for an element, and another name for what is none"
        )
    oxides = [name for name in header if (match := OXIDE.fullmatch(name)) and match[1] in METALS]
    if len(oxides) > 1 or (oxides and parts):
        raise ValueError(
            f"table '{file}' has columns of oxides ({', '.join(oxides)[:60]}), which are not read; convert them to "
            "elements, or write mole fractions as formulas in a column composition, like (SiO2)80(Na2O)20; another "
            "name is for what is no oxide"
        )


def _element(name: str) -> tuple[str, str | None]:
    """Return the symbol that a column is called after ("" if it is none), and the unit in its name, if any."""
    if match := ELEMENT_COLUMN.fullmatch(name):
        return match[1], match[2]
    match = UNIT_FIRST.fullmatch(name)
    return (match[2], match[1]) if match else ("", None)


def _amount_of(name: str) -> str:
    """Return the symbol of an element whose amount a column seems to hold, "" if none."""
    match = PERCENT_OF.fullmatch(name) or AMOUNT_OF.fullmatch(name)
    if match:
        return next(filter(None, match.groups())).capitalize()
    return _names().get(re.sub(r"\s*[(\[].*[)\]]", "", name).strip().lower(), "")


@cache
def _names() -> dict[str, str]:
    """Return the symbols of elements by their names, such as chromium."""
    from pymatgen.core import Element

    return {Element(symbol).long_name.lower(): symbol for symbol in COLUMN_ELEMENTS}


def _column(name: str) -> str:
    return f"source_{name}" if name in RESERVED | {*INDEX} or name.startswith(PART) else name


def _values(table: list[dict], rows: list[dict], name: str, targets: list[str]) -> list:
    """Build a column: floats if all values are numbers or booleans. A target that is not a number rejects its row."""
    cells = [cells.get(name) for cells in table]
    cells = [TRUE.get(str(cell).strip().lower(), cell) for cell in cells]
    cells = [json.dumps(cell) if isinstance(cell, (Mapping, list)) else cell for cell in cells]
    if name in targets:
        for row, cell in zip(rows, cells, strict=True):
            if not _is_number(cell):
                row[columns.REASON] = (
                    row[columns.REASON]
                    or f"its {name} is {str(cell)[:SHORT]!r}, not a finite number; write it like 12.5"
                )
        cells = [cell if _is_number(cell) else None for cell in cells]
    return as_numbers(cells)


def _is_number(cell) -> bool:
    try:
        return cell in (None, "") or not math.isinf(float(cell))
    except (TypeError, ValueError):
        return False


def _once(rows: list[dict]) -> None:
    """Reject the second and later rows of one name."""
    seen = {}
    for number, row in enumerate(rows, 1):
        if row[columns.REASON] is None:
            first = seen.setdefault(row[columns.ITEM], number)
            if first != number:
                row[columns.REASON] = f"two rows have the same name: rows {first} and {number}; rename one"


def of_cells(cells: Mapping, parts: Mapping[str, str], unit: str, tolerance: float) -> dict[str, float]:
    """Read the cells of elements (`parts`: symbol by column) as amounts of atoms. Raises BadItem if they are none."""
    amounts, balance = {}, []
    for name, symbol in parts.items():
        text = "" if cells.get(name) is None else str(cells[name]).strip().lower()
        if text in BALANCE:
            balance.append(symbol)
        elif text not in NOTHING or text == "nan":
            try:
                amounts[symbol] = float(text)
            except ValueError:
                raise BadItem(f"its {symbol} is {text[:SHORT]!r}, not a number; write it like 12.5") from None
            if math.isnan(amounts[symbol]):
                raise BadItem(f"its {symbol} is not a number (NaN); leave the cell empty if the element is absent")
    whole = WHOLE[unit]
    if len(balance) > 1:
        raise BadItem(f"{' and '.join(balance)} are both the balance; keep one")
    if balance:
        amounts[balance[0]] = whole - sum(amounts.values())
    amounts = checked(amounts)
    total = sum(amounts.values())
    if abs(total - whole) > tolerance * whole:
        raise BadItem(f"its amounts sum to {total:.6g}, not to {whole:g} ({unit}); complete it, or set another unit")
    return {symbol: amount / mass(symbol) for symbol, amount in amounts.items()} if unit == "wt%" else amounts


@cache
def mass(symbol: str) -> float:
    """Return the standard atomic weight of an element, in g/mol."""
    from pymatgen.core import Element

    return float(Element(symbol).atomic_mass)


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
