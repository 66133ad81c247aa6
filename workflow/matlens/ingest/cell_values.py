"""Cells of tables that hold numbers: how they are written, which words mean that there is none, rows of units."""

import math
import re
from collections.abc import Mapping

from matlens.ingest.plan_rows import as_numbers, is_missing

FORMS = (  # of cells that are meant as numbers, and how to write them
    (r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", "'{0}' may have commas between thousands: write 1234, or 1.234"),
    (r"[-+]?\d{1,3}(?:[\s']\d{3})+(?:[.,]\d+)?", "'{0}' has gaps: write it without them"),
    (r"[-+]?\d+,\d+", "'{0}' has a decimal comma: write a point"),
    ("\u2212[\\d.,]+.*", "'{0}' begins with a minus sign that is no hyphen: write -"),
    (r"\d{4}-\d\d?-\d\d?.*|\d\d?[./]\d\d?[./]\d{2,4}.*", "'{0}' is a date: write the days or hours since the first"),
    (r"[-+]?[\d.,]+\s*(?:\N{PLUS-MINUS SIGN}|\+/?-).*|[-+]?[\d.]+\(\d+\)",
     "'{0}' has its uncertainty: write the number, the uncertainty in another column"),
    (r"[\d.,]+\s*(-|\u2013|to|\.\.)\s*[\d.,]+.*", "'{0}' is a range: write its middle"),
    (r"[~<>\u2248\u2264\u2265]+\s*[\d.,]+.*", "'{0}' has a sign before the number: write the number alone"),
    (r"[-+]?[\d.,]+\s*[x\N{MULTIPLICATION SIGN}*]\s*10.*", "'{0}' is a power of ten: write it like 1.5e3"),
    (r"(?i)true|false|yes|no", "'{0}' is true or false: write 1 and 0"),
    (r"[-+]?[\d.,]+(e[-+]?\d+)?\s*[^\d\s].*", "'{0}' has a unit: write the number, its unit in the column's name"),
)  # fmt: skip
SHORT = 40  # characters of a cell that a message quotes
LONGEST_UNIT = 20  # characters


def number(cell) -> float:
    """Read a cell as a number, NaN if there is no value. Raises ValueError if it holds something else, or infinity."""
    if is_missing(cell):
        return math.nan
    found = float(cell.strip().replace("\N{MINUS SIGN}", "-")) if isinstance(cell, str) else float(cell)
    if math.isinf(found) or (isinstance(cell, str) and "_" in cell):  # 1_10 is no 110
        raise ValueError("no finite number")
    return found


def is_number(cell) -> bool:
    """Check whether a cell is a finite number, or has no value."""
    try:
        number(cell)
    except (TypeError, ValueError):
        return False
    return True


def fault(name: str, cell) -> str:
    """Write the reason why the value of a column is no number, and how to write it."""
    text = str(cell).strip()[:SHORT]
    fix = next((how.format(text) for form, how in FORMS if re.fullmatch(form, text)), None)
    start = f"its {name} is {text!r}, not a finite number"
    return start + (f"; it{fix[len(text) + 2 :]}" if fix else "; write it like 12.5, or leave it empty")


def column(cells: list) -> list:
    """Convert a column to floats if all cells with a value are numbers, and one is; to texts otherwise."""
    if all(map(is_number, cells)) and not all(map(is_missing, cells)):
        return [number(cell) for cell in cells]
    return as_numbers(cells)


def units_below(header: list[str], rows: list[Mapping]) -> dict[str, str]:
    """Return the units in the row below a header, by column; empty if the first row is one of values.

    No cell of such a row is a number or says that there is none; below each of its texts are numbers alone, and the
    cells of other columns are empty.
    """
    if len(rows) < 2:
        return {}
    texts = {name: str(rows[0][name]).strip() for name in header if not is_missing(rows[0].get(name))}
    for name, text in texts.items():
        below = [row.get(name) for row in rows[1:]]
        values = all(map(is_number, below)) and not all(map(is_missing, below))
        if is_number(text) or len(text) > LONGEST_UNIT or not values:
            return {}
    return texts
