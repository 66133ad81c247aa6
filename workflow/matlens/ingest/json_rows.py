"""Rows of tables in JSON: lists of objects, JSON lines, the layouts of pandas, answers of OPTIMADE and AFLOW."""

import json
import re
from collections.abc import Mapping

from matlens.crystal.compositions import SYMBOLS

SERVICES = ("results", "response", "entries", "docs", "structures")  # keys under which services put what was asked for
WRAPPERS = ("data", *SERVICES)
COUNTED = re.compile(r"\d+( of \d+)?")  # keys of rows: of pandas, and of AFLUX ("3 of 64")
SPECIES, AMOUNTS = "species", "composition"  # of AFLOW: symbols, and a number of atoms for each
MORE = "with one page of an answer of several: ask for all (links.next), or delete its 'meta'"


def parsed(data: bytes):
    """Read JSON, or JSON lines as a list of their objects. Raises ValueError if a text is neither."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        cause = error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) < 2 or not cause.msg.startswith("Extra data"):
        raise cause
    found = []
    for number, line in lines:
        try:
            found.append(json.loads(line))
        except ValueError as error:
            if number == lines[0][0]:
                raise cause from None  # a document of several lines
            raise ValueError(f"line {number}: {error}") from error
    return found


def table(found) -> tuple[list, list]:
    """Turn a JSON value into columns and rows. Raises ValueError if it has no rows."""
    if isinstance(found, Mapping) and {"columns", "data"} <= set(found) and isinstance(found["data"], list):
        return list(found["columns"]), [list(row) for row in found["data"]]
    if isinstance(found, Mapping) and (inner := _unwrapped(found)) is not None:
        found = inner
    if isinstance(found, Mapping) and found:
        found = _of_object(found)
    if not (isinstance(found, list) and found and all(isinstance(row, Mapping) for row in found)):
        raise ValueError("without rows; give a list of objects, one per item")
    rows = [_flat(row) for row in found]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return names, [[row.get(name) for name in names] for row in rows]


def _unwrapped(found: Mapping):
    """Return the rows of an answer of a service; None if it holds none. Raises ValueError if pages are missing."""
    inner = [found[key] for key in WRAPPERS if _objects(found.get(key))]
    if len(inner) != 1:
        return None
    meta = found.get("meta")
    if isinstance(meta, Mapping) and meta.get("more_data_available") is True:
        raise ValueError(MORE)
    return inner[0]


def _objects(value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _of_object(found: Mapping):
    """Return the rows of an object: {column: {row: value}}, {row: {column: value}}, {column: [value]}, or one row."""
    values = list(found.values())
    if all(isinstance(value, Mapping) for value in values):
        if all(COUNTED.fullmatch(str(key)) for key in found) and not all(str(key).isdigit() for key in values[0]):
            return values
        names = list(dict.fromkeys(row for column in values for row in column))
        return [{key: column.get(name) for key, column in found.items()} for name in names]
    if all(isinstance(value, list) and len(value) == len(values[0]) for value in values):
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    return [found] if any(isinstance(value, str) for value in values) else None


def _flat(row: Mapping) -> dict:
    """Bring the attributes of OPTIMADE into the row, and make a composition of the two lists of AFLOW."""
    row = dict(row)
    if isinstance(row.get("attributes"), Mapping):
        row |= row.pop("attributes")
    symbols, amounts = (_listed(row.get(name)) for name in (SPECIES, AMOUNTS))
    if symbols and amounts and len(symbols) == len(amounts) and all(isinstance(one, str) for one in symbols):
        row[AMOUNTS] = dict(zip(symbols, amounts, strict=True))
    for key in [key for key, value in row.items() if isinstance(value, Mapping) and not _is_composition(value)]:
        inner = {f"{key}.{name}": one for name, one in row[key].items() if isinstance(one, (bool, int, float, str))}
        row |= {name: one for name, one in inner.items() if name not in row}  # such as bulk_modulus.vrh
    return row


def _is_composition(value: Mapping) -> bool:
    """Check whether an object has elements as its keys, or is a structure or another class of a library."""
    keys = set(map(str, value))
    return bool(keys & {"lattice", "sites", "@module"}) or keys <= set(SYMBOLS)


def _listed(value) -> list | None:
    """Return a list, which older answers of AFLOW write as text with commas."""
    if isinstance(value, str) and "," in value:
        return [part.strip() for part in value.split(",")]
    return value if isinstance(value, list) else None
