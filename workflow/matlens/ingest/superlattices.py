"""Ordered alloys of two elements on a lattice: every arrangement up to a number of atoms, and the most random-like."""

import itertools
from functools import cache

import numpy as np

from matlens import columns
from matlens.crystal.structures import Crystal
from matlens.ingest import prototypes, structures
from matlens.ingest.formats.common import NUMBER
from matlens.job.batch import BadItem
from matlens.registry import suggest

LATTICES = {
    "fcc": ((0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)),
    "bcc": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
}
SHELLS = 4  # of neighbours whose pair correlations are compared with those of a random alloy


@cache
def _symmetry(lattice: str) -> np.ndarray:
    """Return the 48 operations of a cubic lattice as integer matrices (48, 3, 3) on coordinates in its vectors."""
    axes = np.array(LATTICES[lattice])
    signed = [
        np.eye(3)[list(order)] * np.array(signs)
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    ]
    return np.rint(axes @ np.array(signed) @ np.linalg.inv(axes)).astype(int)


def _cells(atoms: int) -> list[np.ndarray]:
    """List all superlattices of so many atoms as Hermite normal forms, whose rows are their vectors."""
    found = []
    for a in range(1, atoms + 1):
        for d in range(1, atoms // a + 1):
            f, rest = divmod(atoms, a * d)
            if rest == 0:
                offsets = itertools.product(range(d), range(f), range(f))
                found += [np.array([[a, b, c], [0, d, e], [0, 0, f]]) for b, c, e in offsets]
    return found


def _preserving(cell: np.ndarray, other: np.ndarray, operations: np.ndarray) -> np.ndarray:
    """Return whether each operation (g, 3, 3) maps a superlattice onto another of the same size (g,)."""
    parts = cell @ operations @ np.linalg.inv(other)
    return np.abs(parts - np.rint(parts)).max(axis=(1, 2)) < 1e-6


@cache
def superlattices(lattice: str, atoms: int) -> tuple[np.ndarray, ...]:
    """List the superlattices of so many atoms that no operation of the lattice maps onto one another."""
    operations, kept = _symmetry(lattice), []
    for cell in _cells(atoms):
        if not any(_preserving(cell, other, operations).any() for other in kept):
            kept.append(cell)
    return tuple(kept)


def points(cell: np.ndarray) -> np.ndarray:
    """Return the lattice points in a superlattice cell (n, 3)."""
    return np.array(list(itertools.product(*(range(cell[k, k]) for k in range(3)))))


def _number(cell: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the number of the point of `points` that each lattice point (..., 3) is a translation of."""
    at = at.copy()
    for k in range(3):
        at -= (at[..., k] // cell[k, k])[..., None] * cell[k]
    return (at[..., 0] * cell[1, 1] + at[..., 1]) * cell[2, 2] + at[..., 2]


def arrangements(lattice: str, cell: np.ndarray) -> np.ndarray:
    """Return the different arrangements of two kinds (0, 1) in a superlattice (m, n), one of each class of symmetry.

    Arrangements of a smaller period are left out. Source: G. L. W. Hart, R. W. Forcade, Phys. Rev. B 77 (2008) 224115.
    """
    sites, operations = points(cell), _symmetry(lattice)
    shifts = _number(cell, sites[:, None] + sites[None])  # a translation by each site
    turns = _number(cell, sites @ operations[_preserving(cell, cell, operations)])
    moves = np.unique(shifts[:, turns].reshape(-1, len(sites)), axis=0)
    labels = np.array(list(itertools.product((0, 1), repeat=len(sites))))
    weights = 2 ** np.arange(len(sites) - 1, -1, -1)
    codes = labels[:, moves] @ weights  # (labels, moves)
    first = codes.min(axis=1) == labels @ weights
    whole = (labels[:, shifts] @ weights == (labels @ weights)[:, None]).sum(axis=1) == 1
    return labels[first & whole]


@cache
def _shells(lattice: str) -> tuple[np.ndarray, ...]:
    """Return the vectors to the neighbours of each shell, in vectors of the lattice."""
    every = np.array(list(itertools.product(range(-4, 5), repeat=3)))
    far = np.round(((every @ np.array(LATTICES[lattice])) ** 2).sum(axis=1), 6)
    return tuple(every[far == size] for size in np.unique(far)[1 : SHELLS + 1])


def mismatch(lattice: str, cell: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean deviation of the pair correlations of arrangements (m, n) from those of a random alloy (m,).

    Occupations are -1 and 1; a random alloy of mean occupation s has s^2 in each shell. Source: A. Zunger et al., Phys.
    Rev. Lett. 65 (1990) 353.
    """
    spins, sites = 2 * labels - 1, points(cell)
    total = np.zeros(len(labels))
    for shell in _shells(lattice):
        near = _number(cell, sites[:, None] + shell[None])
        pairs = (spins[:, :, None] * spins[:, near]).mean(axis=(1, 2))
        total += np.abs(pairs - spins.mean(axis=1) ** 2)
    return total / SHELLS


def _rows(lattice: str, pair: list[str], atoms: int) -> list[dict]:
    """List the arrangements of so many atoms, each a row of the plan."""
    rows = []
    for cell in superlattices(lattice, atoms):
        labels = arrangements(lattice, cell)
        for one, value in zip(labels, mismatch(lattice, cell, labels), strict=True):
            rows.append(
                {
                    "lattice": lattice, "superlattice": " ".join(map(str, cell.ravel())),
                    "arrangement": " ".join(pair[kind] for kind in one), "pair_mismatch": float(value),
                    "count": int(one.sum()),
                }
            )  # fmt: skip
    return rows


def plan(*, lattice: str, pairs: list[list[str]], most_atoms: int = 4, quasi_random_atoms: int = 0):
    """List all ordered arrangements of pairs of elements on a lattice.

    `most_atoms`: largest number of atoms in a cell. `quasi_random_atoms`: size of one more cell for each composition,
    that whose pair correlations are nearest to those of a random alloy; 0: none. Returns a DataFrame with item,
    lattice, superlattice (rows of its vectors), arrangement (elements of its points), pair_mismatch and quasi_random.
    Raises ValueError if a pair is invalid.
    """
    import pandas as pd

    check(lattice=lattice, pairs=pairs)
    made: dict[str, dict] = {}
    for pair in pairs:
        for atoms in range(1, most_atoms + 1):
            for number, row in enumerate(_rows(lattice, pair, atoms)):
                _add(made, pair, atoms, number, row, False)
        best: dict[int, tuple[int, dict]] = {}
        for number, row in enumerate(_rows(lattice, pair, quasi_random_atoms) if quasi_random_atoms else ()):
            known = best.setdefault(row["count"], (number, row))
            if row["pair_mismatch"] < known[1]["pair_mismatch"] - 1e-9:
                best[row["count"]] = number, row
        for number, row in best.values():
            _add(made, pair, quasi_random_atoms, number, row, True)
    return pd.DataFrame(list(made.values()))


def _add(made: dict, pair: list[str], atoms: int, number: int, row: dict, quasi_random: bool) -> None:
    """Add a row under its name; an element is listed once."""
    kept = {key: value for key, value in row.items() if key != "count"}
    elements = sorted(set(row["arrangement"].split()), key=pair.index)
    name = "-".join([row["lattice"], *elements, str(atoms), str(number)] if atoms > 1 else [row["lattice"], *elements])
    before = made.get(name, {}).get("quasi_random", False)
    made[name] = {columns.ITEM: name, **kept, "quasi_random": quasi_random or before}


def check(*, lattice: str, pairs: list[list[str]], **_) -> None:
    """Raise ValueError if `plan` would fail, without listing any crystal."""
    if lattice not in LATTICES:
        raise ValueError(f"lattice: unknown '{lattice}'; {suggest(lattice, LATTICES)}")
    for pair in pairs:
        for symbol in pair:
            if symbol not in NUMBER:
                raise ValueError(f"pairs: unknown element '{symbol}'; {suggest(symbol, NUMBER)[:60]}")
        if len(set(pair)) != 2:
            raise ValueError(f"pairs: {', '.join(pair)} are not two different elements")


def read(item: dict) -> tuple[Crystal, dict]:
    """Build one crystal of the plan, with the volume of its elements in close packing."""
    try:
        cell = np.array(item["superlattice"].split(), int).reshape(3, 3)
        symbols = item["arrangement"].split()
        vectors = cell @ np.array(LATTICES[item["lattice"]])
    except (ValueError, KeyError) as error:
        raise BadItem(f"its row of the plan is damaged ({error}); run the plan again") from error
    frac = points(cell) @ np.array(LATTICES[item["lattice"]]) @ np.linalg.inv(vectors)
    radii = np.array([prototypes.radius(symbol) for symbol in symbols])
    grown = vectors * prototypes.scale(vectors, frac, radii, np.zeros(len(symbols), int))
    crystal = Crystal(grown, np.array([NUMBER[symbol] for symbol in symbols], np.uint8), frac)
    return structures.check(crystal, max_atoms=10_000, min_distance_a=0.5), {}
