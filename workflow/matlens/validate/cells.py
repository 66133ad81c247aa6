"""What codes for crystals need of one: its primitive cell, its mesh of k points, and a check on what came back."""

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem

MAGNETIC = {24: 3.0, 25: 4.0, 26: 3.0, 27: 2.0, 28: 1.0, 58: 1.0, 59: 2.0, 60: 3.0, 62: 5.0, 63: 7.0, 64: 7.0, 65: 6.0}
MAGNETIC |= {66: 5.0, 67: 4.0, 68: 3.0, 69: 2.0}  # starting moments of spin-polarised atoms, in Bohr magnetons
CENTRING = {"P": 1, "A": 2, "B": 2, "C": 2, "I": 2, "F": 4, "R": 3}
SYMPREC = 1e-3
CUBIC = 195  # the first cubic space group


def primitive(crystal: Crystal) -> tuple[Crystal, int, int]:
    """Reduce a crystal to its primitive cell; returns it, how many make a cubic one (0: not cubic), its space group."""
    import spglib

    cell = (np.asarray(crystal.cell, float), np.asarray(crystal.frac, float), np.asarray(crystal.species, int))
    if len(cell[2]) == 0 or not np.isfinite(cell[0]).all() or abs(np.linalg.det(cell[0])) < 1e-3:
        raise BadItem("the crystal has no atoms or no volume")
    found = spglib.get_symmetry_dataset(cell, symprec=SYMPREC)
    smaller = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=SYMPREC) if found else None
    if smaller is None:
        raise BadItem("its symmetry cannot be found: atoms may lie on one another; look at the structure")
    cubic = CENTRING[found.international[0]] if found.number >= CUBIC else 0
    order = np.argsort(smaller[2], kind="stable")
    return Crystal(smaller[0], smaller[2][order], smaller[1][order] % 1.0), cubic, int(found.number)


def mesh(cell: np.ndarray, spacing_per_a: float) -> list[int]:
    """Choose the numbers of k points along the reciprocal vectors (with 2 pi) for a largest spacing, in 1/angstrom."""
    lengths = np.linalg.norm(2 * np.pi * np.linalg.inv(cell), axis=0)
    return np.maximum(1, np.ceil(lengths / spacing_per_a - 1e-6)).astype(int).tolist()


def symbols(species) -> list[str]:
    """Name the elements of atomic numbers."""
    from matlens.crystal.compositions import SYMBOLS

    return [SYMBOLS[int(z) - 1] if 0 < int(z) <= len(SYMBOLS) else f"no element ({int(z)})" for z in species]


def is_magnetic(species, spin: bool | None) -> bool:
    """Tell whether spin is taken into account: as asked, or by itself where an element often carries a moment."""
    return any(int(z) in MAGNETIC for z in species) if spin is None else spin


def described(crystal: Crystal) -> dict:
    """Write a crystal as JSON values."""
    return {
        "cell_a": np.round(crystal.cell, 8).tolist(),
        "species": [int(z) for z in crystal.species],
        "frac": np.round(crystal.frac, 8).tolist(),
    }


def scaled(crystal: Crystal, scale: float) -> Crystal:
    """Scale a cell; the atoms move with it."""
    return Crystal(crystal.cell * scale, crystal.species, crystal.frac)


def difference(expected: dict, scale: float, cell, species, frac, moved: bool = False) -> str:
    """Say how a structure that came back is not the one that was handed over; "" where it is.

    `expected`: as `described`, before it is scaled; `moved`: whether atoms may have moved.
    """
    want, cell = np.array(expected["cell_a"]) * scale, np.asarray(cell, float)
    if [int(z) for z in species] != list(expected["species"]):
        return f"it is of other atoms: {' '.join(symbols(species))}, not {' '.join(symbols(expected['species']))}"
    if cell.shape != (3, 3) or not np.abs(cell - want).max() <= 2e-3 * np.abs(want).max():
        other = f"{abs(np.linalg.det(cell)):.3f} A^3" if cell.shape == (3, 3) else "none at all"
        return f"it is of another cell: {other}, not {abs(np.linalg.det(want)):.3f} A^3"
    places = np.asarray(frac, float)
    if places.shape != (len(expected["frac"]), 3) or not np.isfinite(places).all():
        return "its atoms have no places"
    apart = places - np.array(expected["frac"])
    if not moved and np.abs(apart - np.round(apart)).max() > 1e-3:
        return "its atoms are at other places"
    return ""
