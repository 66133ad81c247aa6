"""Columns of a table that are called like elements: their names, units and cells."""

import math
import re
from collections.abc import Mapping
from functools import cache

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.formulas import NOTHING, SHORT, checked
from matlens.ingest import cell_values, spreadsheet
from matlens.job.batch import BadItem

PART = "x_"  # a column of mole fractions: x_Ni
WHOLE = {"mole_fraction": 1.0, "at%": 100.0, "wt%": 100.0}
STATED = {"at": "at%", "mol": "at%", "wt": "wt%", "mass": "wt%"}
_OF_UNIT = r"((?i:at|wt|mol|mass))\.?[\s_-]*(?:%|(?i:pct|percent))?"
ELEMENT_COLUMN = re.compile(rf"(?:x_)?([A-Z][a-z]?)(?:[\s_,/|]*[(\[]?\s*(?:{_OF_UNIT}|%)\s*[)\]]?)?")  # Ni, Ni (wt%)
UNIT_FIRST = re.compile(rf"{_OF_UNIT}[\s_,/|]+([A-Z][a-z]?)")  # wt% Ni
_SHARE = (
    r"(?:%|percent|pct|content|pp[mb](?![A-Za-z])|[\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}mn]g\s*/\s*k?g\b|fraction)"
)
PERCENT_OF = re.compile(
    rf"([A-Z][a-z]?)(?:\b.*|_){_SHARE}.*|.*{_SHARE}(?:.*\b|.*_)([A-Z][a-z]?)"
)  # an amount that is not read?
SMALL = re.compile(r"[a-z]{1,2}")
CAPITALS = re.compile(r"[A-Z]{2}")
OXIDE = re.compile(r"(?!PO2)([A-Z][a-z]?)\d?O\d?\d?(?:\W.*|_.*)?")
METALS = set(SYMBOLS[:98]) - {"H", "C", "N", "O", "F", "S", "Cl", "Br", "I"}
AMOUNT_OF = re.compile(  # w(Al), X(AL), x(Al,LIQUID), w%(Al), w_Al, not C_P; Al (g); Al..wt.. as R writes Al (wt%)
    r"(?i:[wxcmn])%?\s*[(\[]\s*([A-Z][A-Za-z]?)\s*[,)\]].*|(?![cC]_[PV]$)[wxcWXC]_([A-Z][a-z]?)|"
    r"([A-Z][a-z]?)\s*[(\[]\s*[km]?g\s*[)\]]|([A-Z][a-z]?)\.+(?:wt|at|mol|mass)\.*|"
    r"([A-Z][a-z]?)[\s_](?:weight|mass)(?![A-Za-z]).*|(?i:weight|mass|mole)[\s_](?:\w+[\s_])?([A-Z][a-z]?)"
)
STABLE = {*SYMBOLS[:83], "Th"} - {"Tc", "Pm"}  # TC is a temperature, RA a reduction of area
COLUMN_ELEMENTS = SYMBOLS[:98]  # "No" is a column of row numbers, not nobelium
BALANCE = ("bal", "balance", "balanced", "base", "basis", "matrix", "rem", "remain", "remainder", "remaining", "rest")
UNIT_ALONE = re.compile(rf"[(\[]?\s*(?:in\s+)?{_OF_UNIT}\s*[)\]]?")  # of a row below the header
OTHER_UNIT = re.compile(r".*(?:pp[mb]|g\s*/\s*k?g).*")
SUM_OF = re.compile(r"([A-Z][a-z]?(?:\s*[+&]\s*[A-Z][a-z]?)+)(?:\s*[(\[].*[)\]])?")  # Nb + Ta (wt%)
OLD_NAMES = {"Cb": "Nb", "REM": "Ce, La and others", "Gl": "Be"}
EXACT = 1e-3  # by how much a sum may differ from that of another unit that it suggests
PERCENT = re.compile(r"([-+]?[\d.]+)\s*%")


class WrongSum(BadItem):
    """A composition whose amounts do not sum to the whole."""


def of(header: list[str], unit: str, file: str, below: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map column names to element symbols. Raises ValueError if there are none, or they have another unit.

    below: units in the row below the header, by column.
    """
    parts = {}
    for name in header:
        symbol, stated = named(name)
        if symbol in COLUMN_ELEMENTS:
            stated = stated or _unit_below(name, (below or {}).get(name, ""), file)
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
    _check_sums(header, parts, file)
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


def _check_sums(header: list[str], parts: Mapping[str, str], file: str) -> None:
    """Refuse a column for several elements (Nb + Ta), unless each has its own, and old names of elements (Cb)."""
    for name in header if parts else ():
        match = SUM_OF.fullmatch(name)
        symbols = re.findall(r"[A-Z][a-z]?", match[1]) if match else []
        lost = [symbol for symbol in symbols if symbol not in parts.values()]
        if lost and all(symbol in COLUMN_ELEMENTS for symbol in symbols):
            raise ValueError(
                f"table '{file}': the column '{name}' is the amount of several elements; {' and '.join(lost)} would be "
                f"left out: give each its own column (where it is mostly one, call it '{symbols[0]}')"
            )
        if (plain := re.sub(r"\s*[(\[].*[)\]]$", "", name)) in OLD_NAMES:
            raise ValueError(
                f"table '{file}': the column '{name}' may be the amount of {OLD_NAMES[plain]}, and would be left out; "
                "call it by the symbol of the element"
            )


def _check_spelling(header: list[str], parts: Mapping[str, str], file: str) -> None:
    """Refuse columns that would be left out of a composition: elements in capitals (SI) and oxides (SiO2)."""
    plain = {name: re.sub(r"\s*[(\[].*[)\]]$", "", name) for name in header}
    capitals = [
        plain[name] for name in header if CAPITALS.fullmatch(plain[name]) and plain[name].capitalize() in STABLE
    ]
    small = [one for one in plain.values() if SMALL.fullmatch(one) and one.capitalize() in COLUMN_ELEMENTS]
    if not parts and len(small) > 1:
        shown = ", ".join(small)[:60]
        raise ValueError(
            f"table '{file}' has columns called like elements in small letters ({shown}); write {small[0].capitalize()}"
        )
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


def named(name: str) -> tuple[str, str | None]:
    """Return the symbol that a column is called after ("" if it is none), and the unit in its name, if any."""
    if match := ELEMENT_COLUMN.fullmatch(name):
        return match[1], match[2] and match[2].lower()
    match = UNIT_FIRST.fullmatch(name)
    return (match[2], match[1].lower()) if match else ("", None)


def _unit_below(name: str, text: str, file: str) -> str | None:
    """Return the unit of an element that stands in the row below the header, None if that says nothing of it."""
    if OTHER_UNIT.fullmatch(text):
        raise ValueError(f"table '{file}': the column '{name}' is in '{text}', which is not read; convert it to wt%")
    match = UNIT_ALONE.fullmatch(text)
    return match and match[1].lower()


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


def amounts(cells: Mapping, parts: Mapping[str, str], unit: str, tolerance: float) -> dict[str, float]:
    """Read the cells of elements (`parts`: symbol by column) as amounts of atoms. Raises BadItem if they are none."""
    found, balance, whole = {}, [], WHOLE[unit]
    for name, symbol in parts.items():
        text = "" if cells.get(name) is None else str(cells[name]).strip().lower()
        if text.rstrip(".") in BALANCE:
            balance.append(symbol)
        elif text not in NOTHING or text == "nan":
            percent = PERCENT.fullmatch(text) if whole > 1 else None
            try:
                found[symbol] = float(percent[1] if percent else text.replace("_", "?"))  # 1_0 is no 10
            except ValueError:
                raise BadItem(_faulty(symbol, text, unit)) from None
            if math.isnan(found[symbol]):
                raise BadItem(f"its {symbol} is not a number (NaN); leave the cell empty if the element is absent")
    if len(balance) > 1:
        raise BadItem(f"{' and '.join(balance)} are both the balance; keep one")
    if balance:
        found[balance[0]] = whole - sum(found.values())
    found = checked(found)
    total = sum(found.values())
    if abs(total - whole) > tolerance * whole:
        likely = [name for name, sums in WHOLE.items() if abs(total - sums) <= EXACT * sums]
        rest = ", or give the element that makes up the rest the value bal" if total < whole else ""
        fix = f"set unit: {' or '.join(likely)}{rest}" if likely else f"complete it{rest}, or set another unit"
        raise WrongSum(f"its amounts sum to {total:.6g}, not to {whole:g} ({unit}); {fix}")
    return {symbol: amount / mass(symbol) for symbol, amount in found.items()} if unit == "wt%" else found


def has_balance(cells: Mapping, parts: Mapping[str, str]) -> bool:
    """Check whether an element of a row is the balance, so that its amounts sum to the whole."""
    return any(str(cells.get(name)).strip().lower().rstrip(".") in BALANCE for name in parts)


def _faulty(symbol: str, text: str, unit: str) -> str:
    """Write the reason why an amount is no number: a bound, parts per million, or a text."""
    start = f"its {symbol} is {text[:SHORT]!r}, not a number; "
    if re.fullmatch(r"(?:<|max\.?\s|\N{LESS-THAN OR EQUAL TO}).*|.*max\.?", text):
        return start + "a bound is no amount: write the amount that was measured, or leave the cell empty"
    if OTHER_UNIT.fullmatch(text):
        return start + f"write it in {unit}"
    return cell_values.fault(symbol, text).replace("not a finite number", "not a number")


@cache
def mass(symbol: str) -> float:
    """Return the standard atomic weight of an element, in g/mol."""
    from pymatgen.core import Element

    return float(Element(symbol).atomic_mass)
