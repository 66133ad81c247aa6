"""JSON objects that are no classes of a library: JARVIS, ASE, OQMD, AFLOW, and cell + species + frac."""

from collections.abc import Mapping

import numpy as np

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.structures import Crystal
from matlens.ingest.formats import texts
from matlens.ingest.formats.common import build, few, fractional, matrix, near
from matlens.ingest.json_rows import SERVICES
from matlens.job.batch import BadItem

FALSE = ("false", "f", "0", "no", "")
LENGTH = 0.01  # by how much a part of the length of a cell vector may differ from the one that is stated


def is_oqmd(entry: Mapping) -> bool:
    """Check whether an object is an entry of OQMD: unit_cell, and sites such as "Na @ 0 0 0"."""
    sites = entry.get("sites")
    return "unit_cell" in entry and isinstance(sites, list) and all(isinstance(one, str) for one in sites)


def is_one(entry: Mapping) -> bool:
    """Check whether an object holds one structure of these forms."""
    return (
        "atoms" in entry
        or {"cell", "species"} <= set(entry)
        or _is_ase(entry)
        or is_oqmd(entry)
        or _is_jarvis(entry)
        or is_aflow(entry)
    )


def is_aflow(entry: Mapping) -> bool:
    """Check whether an object is an entry of AFLOW: aflowlib.json, or a row of an answer of AFLUX."""
    return str(entry.get("auid", "")).startswith("aflow:") or {"aurl", "compound"} <= set(entry)


def _is_jarvis(entry: Mapping) -> bool:
    return {"lattice_mat", "coords", "elements"} <= set(entry)


def _is_ase(entry: Mapping) -> bool:
    return {"cell", "positions"} <= set(entry) and bool({"numbers", "symbols"} & set(entry))


def unwrapped(found: Mapping):
    """Return the structures of an object that holds them under a key of SERVICES, or by number as ASE's JSON does."""
    if {"ids", "nextid"} <= set(found):
        return [found[str(number)] for number in found["ids"]]
    if found and all(isinstance(row, Mapping) and is_aflow(row) for row in found.values()):
        return list(found.values())  # AFLUX numbers them: "1 of 64"
    inner = [found[key] for key in SERVICES if isinstance(found.get(key), (list, Mapping))]
    return inner[0] if len(inner) == 1 else found


def read(entry: Mapping, disorder: str, max_atoms: int) -> Crystal | None:
    """Make a crystal of one object; None if it is none of these forms. Raises BadItem if it cannot be used."""
    if is_oqmd(entry):
        return _oqmd(entry, disorder, max_atoms)
    if _is_jarvis(entry) or isinstance(entry.get("atoms"), (Mapping, list, str)):
        return _jarvis(entry if _is_jarvis(entry) else entry["atoms"], disorder, max_atoms)
    if is_aflow(entry):
        return _aflow(entry, disorder, max_atoms)
    if _is_ase(entry):
        return _ase(entry, disorder, max_atoms)
    if isinstance(entry.get("cell"), (Mapping, list, str)):
        return _plain(entry, disorder, max_atoms)
    return None


def _true(value) -> bool:
    """Read a truth value, written as a word in some exports."""
    return value.strip().lower() not in FALSE if isinstance(value, str) else bool(value)


def _check_periodic(given) -> None:
    """Refuse an object that is not periodic along all axes; nothing said means it is."""
    given = _array(given) if given is not None else True
    if not all(_true(one) for one in (given if isinstance(given, list) else [given])):
        raise BadItem("it is not periodic along all axes (pbc); only crystals can be used")


def _array(value):
    """Unpack an array as ASE writes it: {"__ndarray__": [shape, kind, values]}, in {"array": ...} or not."""
    if isinstance(value, Mapping) and "array" in value:
        value = value["array"]
    if isinstance(value, Mapping) and "__ndarray__" in value:
        shape, _, values = value["__ndarray__"]
        return np.array(values).reshape(shape).tolist()
    return value


def _jarvis(atoms, disorder: str, max_atoms: int) -> Crystal:
    """Read the `atoms` of a JARVIS entry: lattice_mat, coords, elements, cartesian."""
    if isinstance(atoms, str):
        atoms = texts.parsed(atoms)
    few(len(atoms["elements"]), max_atoms)
    cell, coords = np.array(atoms["lattice_mat"], float).reshape(3, 3), np.array(atoms["coords"], float).reshape(-1, 3)
    _check_lengths(cell, atoms.get("abc"))
    frac = fractional(cell, coords) if _true(atoms.get("cartesian") or False) else coords
    return build(cell, [str(symbol) for symbol in atoms["elements"]], frac, disorder)


def _check_lengths(cell: np.ndarray, stated) -> None:
    """Refuse a cell whose vectors have not the lengths that are stated beside it."""
    if stated is None:
        return
    if (np.abs(np.linalg.norm(cell, axis=1) / np.array(stated, float) - 1) > LENGTH).any():
        raise BadItem("its cell vectors and the lengths a, b, c beside them differ; correct one of them")


def _ase(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read a dict of ASE: cell, positions in angstrom, numbers or symbols, pbc."""
    kinds = _array(entry["numbers"]) if "numbers" in entry else entry["symbols"]
    few(len(kinds), max_atoms)
    _check_periodic(entry.get("pbc"))
    cell = np.array(_array(entry["cell"]), float)
    cell = matrix(*cell) if cell.shape == (6,) else cell.reshape(3, 3)
    frac = fractional(cell, np.array(_array(entry["positions"]), float).reshape(-1, 3))
    return build(cell, _symbols(kinds), frac, disorder)


def _plain(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read cell (six parameters in angstrom and degrees, or three vectors), species, and frac or positions."""
    species = entry["species"]
    few(len(species), max_atoms)
    _check_periodic(entry.get("pbc"))
    cell = np.array(entry["cell"], float)
    cell = matrix(*cell) if cell.shape == (6,) else cell.reshape(3, 3)
    if "frac" not in entry and "positions" in entry:
        raise BadItem("its positions may be fractional or Cartesian; call them frac if they are fractional")
    frac = np.array(entry["frac"], float).reshape(-1, 3)
    if len(frac) != len(species):
        raise BadItem(f"it has {len(species)} species and {len(frac)} positions; it may be incomplete")
    if "positions" in entry and not near(cell, frac, fractional(cell, np.array(entry["positions"], float))):
        raise BadItem("its frac and its positions differ; delete one")
    return build(cell, _symbols(species), frac, disorder)


def _symbols(kinds) -> list[str]:
    """Write atomic numbers as symbols."""
    return [SYMBOLS[one - 1] if isinstance(one, int) and 0 < one <= len(SYMBOLS) else str(one) for one in kinds]


def _oqmd(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read an entry of OQMD's API: unit_cell in angstrom, sites "element @ x y z" in fractions of it."""
    sites = [one.partition("@") for one in entry["sites"]]
    few(len(sites), max_atoms)
    cell = np.array(entry["unit_cell"], float).reshape(3, 3)
    frac = np.array([place.split() for _, _, place in sites], float).reshape(-1, 3)
    return build(cell, [kind.strip() for kind, _, _ in sites], frac, disorder)


AFLOW = ("species", "composition", "geometry", "positions_fractional")


def _aflow(entry: Mapping, disorder: str, max_atoms: int) -> Crystal:
    """Read an entry of AFLOW: species, a number of atoms for each, a, b, c, angles, fractional positions in that order.

    Older answers of AFLUX write lists as texts, with commas and semicolons.
    """
    if lacks := [name for name in AFLOW if entry.get(name) in (None, "", [])]:
        raise BadItem(f"its entry of AFLOW has no {', '.join(lacks)}; ask AFLUX for {','.join(AFLOW)}, too")
    species, counts, geometry, rows = (_split(entry[name]) for name in AFLOW)
    counts, frac = (
        [int(float(count)) for count in counts],
        np.array([_split(row) for row in rows], float).reshape(-1, 3),
    )
    few(sum(counts), max_atoms)
    if len(species) != len(counts) or sum(counts) != len(frac):
        raise BadItem(
            f"it has {len(species)} species, {sum(counts)} atoms by its composition and {len(frac)} positions; it may "
            "be incomplete"
        )
    cell = matrix(*(float(value) for value in geometry))
    volume, stated = abs(np.linalg.det(cell)), entry.get("volume_cell")
    if stated is not None and abs(volume / float(stated) - 1) > LENGTH:
        raise BadItem(f"its geometry has {volume:.6g} angstrom^3 and its volume_cell {stated}; ask for both again")
    kinds = [symbol for symbol, count in zip(species, counts, strict=True) for _ in range(count)]
    return build(cell, kinds, frac, disorder)


def _split(value) -> list:
    """Return a list, or the parts of a text between semicolons, else between commas."""
    if not isinstance(value, str):
        return list(value)
    return [part.strip() for part in value.split(";" if ";" in value else ",") if part.strip()]
