"""JSON documents: pymatgen structures, OPTIMADE answers, and tables of them. Read as plain JSON: no class is made."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.ingest.formats.common import Record, Source, build, decoded, fractional, matrix, name_of, scalars_of
from matlens.job.batch import BadItem

ASIDE = {"@module", "@class", "@version", "charge"}


@lru_cache(maxsize=2)
def _entries(source: Source) -> list[dict]:
    """List the structures of a document, each with what stands beside it."""
    try:
        found = json.loads(decoded(source.read(0, source.size)))
    except ValueError as error:
        if isinstance(error, BadItem):
            raise
        raise BadItem(f"it is not valid JSON ({error}); it may be truncated") from error
    return entries(found)


def entries(found) -> list[dict]:
    """List the structures of a JSON value: one, a list of them, OPTIMADE's `data`, or a table of columns and data."""
    if isinstance(found, Mapping) and {"columns", "data"} <= set(found):  # a pandas table, as matminer's sets are
        rows = [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
        names = found.get("index") or [None] * len(rows)
        return [{"id": name, **row} if isinstance(name, str) else row for name, row in zip(names, rows, strict=True)]
    if isinstance(found, Mapping) and "data" in found and "lattice" not in found:
        found = found["data"]
    if isinstance(found, Mapping) and is_one(found):
        return [found]
    if isinstance(found, Mapping) and found and all(isinstance(v, Mapping) and is_one(v) for v in found.values()):
        return [{"id": key, **value} for key, value in found.items()]
    if isinstance(found, list) and all(isinstance(value, Mapping) for value in found):
        return found
    keys = f" among its keys {', '.join(map(str, list(found)[:8]))}" if isinstance(found, Mapping) else ""
    raise BadItem(f"its JSON holds no structures{keys}: neither pymatgen's, nor OPTIMADE's, nor a list of them")


def is_one(entry: Mapping) -> bool:
    """Tell whether a JSON object holds one structure."""
    return (
        {"lattice", "sites"} <= set(entry)
        or "structure" in entry
        or "atoms" in entry
        or "lattice_vectors" in (entry.get("attributes") or {})
        or {"cell", "species"} <= set(entry)
        or "cif" in entry
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


def decode(source: Source, record: Record, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of one structure of the document."""
    return from_entry(_entries(source)[record.row], disorder, max_atoms)


def from_entry(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of one JSON object, whichever of the known forms it has."""
    try:
        for key, reader in READERS.items():
            if isinstance(entry.get(key), (Mapping, list, str)):
                return reader(entry, disorder, max_atoms)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, BadItem):
            raise
        raise BadItem(
            f"its structure cannot be read ({type(error).__name__}: {error}); it may be incomplete"
        ) from error
    raise BadItem(f"no structure among its keys {', '.join(map(str, list(entry)[:8]))}; give cell, species and frac")


def _few(count: int, max_atoms: int) -> None:
    if count > max_atoms:
        raise BadItem(f"it has {count} atoms; {max_atoms} are allowed (max_atoms)")


def _pymatgen(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read a pymatgen Structure written as a dict."""
    sites, lattice = entry["sites"], entry["lattice"]
    _few(len(sites), max_atoms)
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
    if all("abc" in site for site in sites):
        frac = np.array([site["abc"] for site in sites], float)
    else:
        frac = fractional(cell, np.array([site["xyz"] for site in sites], float))
    return build(cell, kinds, frac, disorder)


def _optimade(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read a structure entry of OPTIMADE (specification 1.1): Cartesian positions, species by name."""
    found = entry["attributes"]
    if found.get("dimension_types") not in (None, [1, 1, 1]):
        raise BadItem(f"it is not periodic along all axes (dimension_types {found['dimension_types']})")
    positions = found["cartesian_site_positions"]
    _few(len(positions), max_atoms)
    kinds = {}
    for one in found.get("species") or []:
        kinds[one["name"]] = dict(zip(one["chemical_symbols"], one["concentration"], strict=True))
    cell = np.array(found["lattice_vectors"], float).reshape(3, 3)
    sites = [kinds.get(name, name) for name in found["species_at_sites"]]
    return build(cell, sites, fractional(cell, np.array(positions, float).reshape(-1, 3)), disorder)


def _jarvis(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read the `atoms` of a JARVIS entry: lattice_mat, coords, elements, cartesian."""
    atoms = entry["atoms"]
    _few(len(atoms["elements"]), max_atoms)
    cell, coords = np.array(atoms["lattice_mat"], float).reshape(3, 3), np.array(atoms["coords"], float).reshape(-1, 3)
    frac = fractional(cell, coords) if atoms.get("cartesian") else coords
    return build(cell, [str(symbol) for symbol in atoms["elements"]], frac, disorder)


def _plain(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read cell (six parameters in angstrom and degrees, or three vectors), species (symbols or numbers) and frac."""
    from matlens.ingest.formats.common import SYMBOLS

    species, frac = entry["species"], np.array(entry["frac"], float).reshape(-1, 3)
    _few(len(species), max_atoms)
    if len(frac) != len(species):
        raise BadItem(f"it has {len(species)} species and {len(frac)} positions; it may be incomplete")
    cell = np.array(entry["cell"], float)
    cell = matrix(*cell) if cell.shape == (6,) else cell.reshape(3, 3)
    names = [SYMBOLS[s - 1] if isinstance(s, int) and 0 < s <= len(SYMBOLS) else str(s) for s in species]
    return build(cell, names, frac, disorder)


def _inner(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read the structure in a row that has a target beside it; it may be text itself (JSON or CIF)."""
    inner = entry["structure"]
    if isinstance(inner, str):
        return from_cell(inner, disorder, max_atoms)
    return from_entry(inner, disorder, max_atoms)


def from_cell(text: str, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of the text in one cell of a table: CIF, or JSON."""
    from matlens.ingest.formats import cif

    if text.lstrip()[:1] == "{":
        try:
            return from_entry(json.loads(text), disorder, max_atoms)
        except json.JSONDecodeError as error:
            raise BadItem(f"its structure is not valid JSON ({error}); it may be truncated") from error
    if not text.strip():
        raise BadItem("its row has no structure; fill it in")
    return cif.from_text(text, disorder, max_atoms)


PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")
READERS = {
    "sites": _pymatgen,
    "attributes": _optimade,
    "structure": _inner,
    "atoms": _jarvis,
    "cif": lambda entry, disorder, max_atoms: from_cell(entry["cif"], disorder, max_atoms),
    "cell": _plain,
}
