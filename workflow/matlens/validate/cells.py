"""Primitive cell, k-point mesh, and comparison of returned structures with those handed off."""

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem

MAGNETIC = {24: 3.0, 25: 4.0, 26: 3.0, 27: 2.0, 28: 1.0, 58: 1.0, 59: 2.0, 60: 3.0, 62: 5.0, 63: 7.0, 64: 7.0, 65: 6.0}
MAGNETIC |= {66: 5.0, 67: 4.0, 68: 3.0, 69: 2.0}  # starting moments of spin-polarised atoms, in Bohr magnetons
CENTRING = {"P": 1, "A": 2, "B": 2, "C": 2, "I": 2, "F": 4, "R": 3}
SYMPREC = 1e-3
CUBIC = 195  # the first cubic space group
STRAINED = 0.2  # largest change of a cell vector by relaxation at one volume, as a part of the longest


def primitive(crystal: Crystal, symprec: float = SYMPREC) -> tuple[Crystal, int, int]:
    """Reduce a crystal to its primitive cell; returns it, how many make a cubic one (0: not cubic), its space group."""
    import spglib

    cell = (np.asarray(crystal.cell, float), np.asarray(crystal.frac, float), np.asarray(crystal.species, int))
    if len(cell[2]) == 0 or not np.isfinite(cell[0]).all() or abs(np.linalg.det(cell[0])) < 1e-3:
        raise BadItem("the crystal has no atoms or no volume")
    found = spglib.get_symmetry_dataset(cell, symprec=symprec)
    smaller = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=symprec) if found else None
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
    """Return the element symbols of atomic numbers."""
    from matlens.crystal.compositions import SYMBOLS

    return [SYMBOLS[int(z) - 1] if 0 < int(z) <= len(SYMBOLS) else f"no element ({int(z)})" for z in species]


def is_magnetic(species, spin: bool | None) -> bool:
    """Return whether to treat spin: as set, or (None) if an element is often magnetic."""
    return any(int(z) in MAGNETIC for z in species) if spin is None else spin


def described(crystal: Crystal) -> dict:
    """Write a crystal as JSON values."""
    return {
        "cell_a": np.round(crystal.cell, 8).tolist(),
        "species": [int(z) for z in crystal.species],
        "frac": np.round(crystal.frac, 8).tolist(),
    }


def crystal_of(structure: dict) -> Crystal:
    """Read a crystal that `described` wrote."""
    cell, frac = (np.array(structure[key], float) for key in ("cell_a", "frac"))
    return Crystal(cell, np.array(structure["species"], int), frac)


def scaled(crystal: Crystal, scale: float) -> Crystal:
    """Scale a cell; the atoms move with it."""
    return Crystal(crystal.cell * scale, crystal.species, crystal.frac)


def free_parameters(crystal: Crystal) -> dict[str, int]:
    """Count the free parameters besides the volume: {"shape": strains, "positions": coordinates of atoms}.

    Strains (6) and displacements (3 n) that every operation of the space group maps onto themselves span a space; its
    dimension is the rank of the average over all operations. Less one for the volume, and less rigid shifts.
    """
    import spglib

    lattice, frac = np.asarray(crystal.cell, float), np.asarray(crystal.frac, float)
    found = spglib.get_symmetry((lattice, frac, np.asarray(crystal.species, int)), symprec=SYMPREC)
    rotations, shifts = found["rotations"], found["translations"]
    to_cart = lattice.T
    turns = to_cart @ rotations @ np.linalg.inv(to_cart)
    strain = np.einsum("gik,gjl->ijkl", turns, turns).reshape(9, 9) / len(turns)
    exchange = np.einsum("ik,jl->ijlk", np.eye(3), np.eye(3)).reshape(9, 9)
    strains = np.linalg.matrix_rank((strain @ (np.eye(9) + exchange)) / 2, tol=1e-4)
    atoms = len(frac)
    moves = np.zeros((3 * atoms, 3 * atoms))
    for rotation, shift, turn in zip(rotations, shifts, turns, strict=True):
        image = frac @ rotation.T + shift
        apart = image[:, None] - frac[None]
        target = np.linalg.norm((apart - np.round(apart)) @ lattice, axis=2).argmin(axis=1)
        for atom, other in enumerate(target):
            moves[3 * other : 3 * other + 3, 3 * atom : 3 * atom + 3] += turn / len(turns)
    rigid = np.linalg.matrix_rank(turns.mean(axis=0), tol=1e-4)
    positions = np.linalg.matrix_rank(moves, tol=1e-4) - rigid
    return {"shape": int(strains) - 1, "positions": int(positions)}


def moves(free: dict[str, int], relax: bool | None) -> dict[str, bool]:
    """Choose the parameters to relax at every volume: those free by symmetry, none if `relax` is False."""
    return {what: bool(count) and relax is not False for what, count in free.items()}


def unrelaxed(free: dict[str, int], moves: dict[str, bool]) -> str:
    """Describe the free parameters that a calculation does not relax; "" if there are none."""
    words = {"shape": "parameters of the shape of the cell", "positions": "coordinates of atoms"}
    parts = [f"{count} {words[what]}" for what, count in free.items() if count and not moves[what]]
    if not parts:
        return ""
    return f"symmetry leaves {' and '.join(parts)} free, which are not relaxed; set relax, or relax it before"


def difference(expected: dict, scale: float, cell, species, frac, moved: bool = False, reshaped: bool = False) -> str:
    """Describe how a returned structure differs from the one handed over; "" if it does not.

    expected: as `described`, before it is scaled. moved: whether atoms may have moved. reshaped: whether the cell may
    have another shape of the same volume.
    """
    want, cell = np.array(expected["cell_a"]) * scale, np.asarray(cell, float)
    if [int(z) for z in species] != list(expected["species"]):
        return f"it is of other atoms: {' '.join(symbols(species))}, not {' '.join(symbols(expected['species']))}"
    most = STRAINED if reshaped else 2e-3
    if reshaped and cell.shape == (3, 3):
        volumes = [abs(np.linalg.det(one)) for one in (cell, want)]
        if not abs(volumes[0] / volumes[1] - 1) <= 2e-3:
            return f"it is of another volume: {volumes[0]:.3f} A^3, not {volumes[1]:.3f} A^3"
    if cell.shape != (3, 3) or not np.abs(cell - want).max() <= most * np.abs(want).max():
        other = f"{abs(np.linalg.det(cell)):.3f} A^3" if cell.shape == (3, 3) else "none at all"
        return f"it is of another cell: {other}, not {abs(np.linalg.det(want)):.3f} A^3"
    places = np.asarray(frac, float)
    if places.shape != (len(expected["frac"]), 3) or not np.isfinite(places).all():
        return "its atoms have no places"
    apart = places - np.array(expected["frac"])
    if not moved and np.abs(apart - np.round(apart)).max() > 1e-3:
        return "its atoms are at other places"
    return left({**expected, "cell_a": want.tolist()}, cell, species, places) if moved else ""


def left(expected: dict, cell, species, frac) -> str:
    """Describe how a relaxed structure left the phase that it began in; "" if it did not.

    expected: as `described`. Atoms keep to their places while none moves by half of the shortest distance of two, apart
    from a shift of all, which is the median; vectors of the cell change by no more than `STRAINED`.
    """
    want, cell, places = np.array(expected["cell_a"]), np.asarray(cell, float), np.asarray(frac, float)
    if [int(z) for z in species] != list(expected["species"]):
        return f"it is of other atoms: {' '.join(symbols(species))}, not {' '.join(symbols(expected['species']))}"
    if not np.abs(cell - want).max() <= STRAINED * np.abs(want).max():
        return f"a vector of its cell changed by {np.abs(cell - want).max():.2f} A: it may be another phase"
    start = np.array(expected["frac"])
    apart = places - start
    apart -= apart[:1]  # of one atom, so that a shift of all does not wrap some
    apart -= np.round(apart)
    apart = np.linalg.norm((apart - np.median(apart, axis=0)) @ want, axis=1).max(initial=0.0)
    most = _shortest(want, start) / 2
    if apart <= most:
        return ""
    return f"an atom moved by {apart:.2f} A, over half of the shortest distance ({most:.2f} A): it may be another phase"


def _shortest(cell: np.ndarray, frac: np.ndarray) -> float:
    """Return the shortest distance of two atoms, or of an atom and its image, in angstrom."""
    images = np.array(np.meshgrid(*[[-1, 0, 1]] * 3)).reshape(3, -1).T
    apart = frac[:, None] - frac[None]
    away = (apart - np.round(apart))[:, :, None] + images
    lengths = np.linalg.norm(away @ cell, axis=-1)
    return float(lengths[lengths > 1e-3].min())
