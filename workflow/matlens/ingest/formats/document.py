"""JSON documents: pymatgen structures, OPTIMADE answers, and tables of them. Read as plain JSON: no class is made."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.ingest.formats import optimade, plain_forms, texts
from matlens.ingest.formats.common import (
    Record,
    Source,
    build,
    decoded,
    few,
    fractional,
    matrix,
    name_of,
    near,
    note_column,
    scalars_of,
    structure_columns,
)
from matlens.job.batch import BadItem

ASIDE = {"@module", "@class", "@version", "charge"}


@lru_cache(maxsize=2)
def _loaded(source: Source):
    """Parse a document."""
    try:
        return json.loads(decoded(source.read(0, source.size)))
    except ValueError as error:
        if isinstance(error, BadItem):
            raise
        raise BadItem(f"it is not valid JSON ({error}); it may be truncated") from error


@lru_cache(maxsize=2)
def _entries(source: Source) -> list[dict]:
    """List the structures of a document, each with its scalars."""
    return entries(_loaded(source))


def entries(found) -> list[dict]:
    """List the structures of a JSON value: one, a list of them, OPTIMADE's `data`, or a table as pandas writes them.

    A table is by rows (records), by columns ({column: {index: value}} or lists), by index, or split into columns and
    data.
    """
    if isinstance(found, Mapping) and {"columns", "data"} <= set(found):  # split, as matminer's sets are
        rows = [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
        return _indexed(found.get("index") or [None] * len(rows), rows)
    if isinstance(found, Mapping) and "data" in found and "lattice" not in found:
        found = found["data"]
    if isinstance(found, Mapping) and not is_one(found):
        found = plain_forms.unwrapped(found)
    if isinstance(found, list) and found and all(isinstance(page, Mapping) and _is_page(page) for page in found):
        return [entry for page in found for entry in page["data"]]
    if isinstance(found, Mapping) and (rows := _by_columns(found)):
        return rows
    if isinstance(found, Mapping) and is_one(found):
        return [found]
    if isinstance(found, Mapping) and found and all(isinstance(v, Mapping) and is_one(v) for v in found.values()):
        return [{"id": key, **value} for key, value in found.items()]
    if isinstance(found, list) and all(isinstance(value, Mapping) for value in found):
        return found
    if isinstance(found, Mapping) and ({"archive"} & set(found) or {"run", "metadata"} <= set(found)):
        raise BadItem(
            "it is an archive of NOMAD, with lengths in metres; export CIF files, or ask its OPTIMADE service"
        )
    keys = f" among its keys {', '.join(map(str, list(found)[:8]))}" if isinstance(found, Mapping) else ""
    raise BadItem(f"its JSON holds no structures{keys}: neither pymatgen's, nor OPTIMADE's, nor a list of them")


def _is_page(found: Mapping) -> bool:
    """Check whether an object is one page of an answer of OPTIMADE or another service."""
    return isinstance(found.get("data"), list) and not is_one(found)


def _by_columns(found: Mapping) -> list[dict] | None:
    """Turn {column: {index: value}} or {column: [value, ...]} into rows; None where a value is no such table."""
    held = _held_columns(found)
    one = found[held[0]] if held else None
    given = [each for each in one.values() if each is not None] if isinstance(one, Mapping) else []
    if given and all(isinstance(each, (Mapping, str)) for each in given):
        if is_one(one) or not all(isinstance(column, Mapping) for column in found.values()):
            return None
        names = list(dict.fromkeys(name for column in found.values() for name in column))
        return _indexed(names, [{key: column.get(name) for key, column in found.items()} for name in names])
    if isinstance(one, list) and all(isinstance(c, list) and len(c) == len(one) for c in found.values()):
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    return None


def _held_columns(found: Mapping) -> list[str]:
    """List the columns of {column: {index: value}} or {column: [value, ...]} that hold structures."""
    first = {}
    for name, column in found.items():
        values = column.values() if isinstance(column, Mapping) else column if isinstance(column, list) else []
        first[name] = next((value for value in values if value is not None), None)
    return held_keys(first)


def held_keys(entry: Mapping) -> list[str]:
    """List the keys of an object that hold structures: by their usual names, else by an ending and what is there.

    Models write `chgnet_structure`, and lists of computed entries `entry`.
    """
    return structure_columns(entry) or [
        name
        for name, value in entry.items()
        if str(name).strip().lower().endswith(("structure", "entry")) and isinstance(value, Mapping)
        if {"lattice", "sites"} <= set(value) or isinstance(value.get("structure"), Mapping)
    ]


def _indexed(names: Sequence, rows: list[dict]) -> list[dict]:
    """Name rows by an index of words; the numbers that pandas counts rows by are no names."""
    return [
        {"id": name, **row} if isinstance(name, str) and not name.isdigit() and name_of(row) is None else row
        for name, row in zip(names, rows, strict=True)
    ]


def is_one(entry: Mapping) -> bool:
    """Check whether a JSON object holds one structure."""
    return (
        {"lattice", "sites"} <= set(entry)
        or bool(held_keys(entry))
        or "lattice_vectors" in (entry.get("attributes") or {})
        or plain_forms.is_one(entry)
    )


def beside(entry: Mapping) -> dict:
    """Keep the scalars beside a structure."""
    attributes = entry.get("attributes")
    values = {**entry, **attributes} if isinstance(attributes, Mapping) else dict(entry)
    return {key: value for key, value in scalars_of(values).items() if key not in ASIDE}


def records(source: Source) -> Iterator[Record]:
    """List the structures of the document by number."""
    found = _entries(source)
    for row, entry in enumerate(found):
        yield Record(0, source.size, row, name_of(entry), beside(entry))
    meta = _loaded(source).get("meta") if isinstance(_loaded(source), Mapping) else None
    if isinstance(meta, Mapping) and meta.get("more_data_available") is True:
        whole = f" of {meta['data_returned']}" if meta.get("data_returned") else ""
        reason = f"the answer has more pages: the file holds {len(found)}{whole} structures; ask for all (links.next)"
        yield Record(0, 0, len(found), "more_pages", {}, reason)


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one structure of the document."""
    return from_entry(_entries(source)[record.row], disorder, max_atoms, notes)


def from_entry(entry: Mapping, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one JSON object, whichever of the known forms it has."""
    try:
        if isinstance(entry.get("sites"), list) and not plain_forms.is_oqmd(entry):
            if "lattice" not in entry:
                raise BadItem("it has sites and no lattice: a molecule, not a crystal; give a structure with a cell")
            return _pymatgen(entry, disorder, max_atoms, notes)
        if isinstance(entry.get("attributes"), Mapping):
            return optimade.read(entry["attributes"], disorder, max_atoms, notes)
        keys = held_keys(entry)
        held = [key for key in keys if isinstance(entry[key], (Mapping, str))]
        if held:
            if held[1:]:
                note_column(held[0], held[1:], notes)
            return _inner(entry[held[0]], disorder, max_atoms, notes)
        if found := plain_forms.read(entry, disorder, max_atoms):
            return found
        if keys and entry[keys[0]] is None:
            raise BadItem(f"its {keys[0]} is empty; fill it in, or delete the row")
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, BadItem):
            raise
        if isinstance(error, KeyError):
            raise BadItem(f"its structure has no {error}; ask for it, or export it again") from error
        raise BadItem(
            f"its structure cannot be read ({type(error).__name__}: {error}); it may be incomplete"
        ) from error
    raise BadItem(f"no structure among its keys {', '.join(map(str, list(entry)[:8]))}; give cell, species and frac")


def _pymatgen(entry: Mapping, disorder: str, max_atoms: int, notes: list[str] | None) -> Crystal:
    """Read a pymatgen Structure written as a dict."""
    sites, lattice = entry["sites"], entry["lattice"]
    few(len(sites), max_atoms)
    cell = lattice["matrix"] if "matrix" in lattice else matrix(*(lattice[k] for k in PARAMETERS))
    if lattice.get("pbc") is not None and not all(lattice["pbc"]):
        raise BadItem("it is not periodic along all axes; only crystals can be used")
    kinds = []
    for site in sites:
        shares: dict[str, float] = {}
        for part in site["species"]:
            shares[part["element"]] = shares.get(part["element"], 0.0) + float(part.get("occu", 1.0))
        kinds.append(shares)
    cell = np.array(cell, float).reshape(3, 3)
    sides = np.array([lattice.get(name) or np.nan for name in PARAMETERS[:3]], float)
    if (np.abs(np.linalg.norm(cell, axis=1) / sides - 1) > 0.01).any():
        raise BadItem("the matrix of its lattice and the lengths a, b, c differ; correct one of them")
    if all("abc" in site for site in sites):
        frac = np.array([site["abc"] for site in sites], float)
        _check_places(cell, frac, sites)
    else:
        frac = fractional(cell, np.array([site["xyz"] for site in sites], float))
    return build(cell, kinds, frac, disorder, notes)


def _check_places(cell: np.ndarray, frac: np.ndarray, sites: Sequence[Mapping]) -> None:
    """Refuse sites whose Cartesian positions, where they are given, are not the fractional ones."""
    usable = np.isfinite(cell).all() and abs(np.linalg.det(cell)) > 1e-9
    given = [site.get("xyz") for site in sites]
    if usable and all(given) and not near(cell, frac, fractional(cell, np.array(given, float))):
        raise BadItem("the fractional (abc) and the Cartesian (xyz) positions of its sites differ; correct one")


def _inner(inner: Mapping | str, disorder: str, max_atoms: int, notes: list[str] | None) -> Crystal:
    """Read the structure in a row that has a target beside it; it may be text itself (JSON or CIF)."""
    if isinstance(inner, str):
        return from_cell(inner, disorder, max_atoms, notes)
    return from_entry(inner, disorder, max_atoms, notes)


def from_cell(text: str, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of the text in one cell of a table: CIF, POSCAR, JSON, or a dict as Python prints it."""
    from matlens.ingest.formats import cif, poscar

    if "\n" not in text and "\\n" in text:
        text = text.replace("\\r", "").replace("\\n", "\n")  # line breaks that an export has spelled out
    if text.lstrip()[:1] == "{":
        return from_entry(texts.parsed(text), disorder, max_atoms, notes)
    if not text.strip() or text.strip().lower() in ("nan", "none", "null"):
        raise BadItem("its row has no structure; fill it in")
    if poscar.is_one(text.splitlines()):
        return poscar.from_text(text, disorder, max_atoms)
    if not re.search(r"^\s*data_", text, re.I | re.M):
        kind = "a structure as a program prints it" if "Lattice" in text or "Formula" in text else "no structure"
        raise BadItem(f"its text ({text.strip()[:30]!r}) is {kind}, neither CIF, POSCAR nor JSON; export one of these")
    return cif.from_text(text, disorder, max_atoms, notes)


PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")
