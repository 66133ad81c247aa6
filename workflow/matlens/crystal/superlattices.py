"""Arrangements of two kinds of atoms on a lattice: superlattices, what is different by symmetry, pair correlations."""

import itertools
from functools import cache, lru_cache

import numpy as np

LATTICES = {
    "fcc": ((0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)),
    "bcc": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
}
EXCHANGES = 400  # of the search for a random-like arrangement
SHELLS = 4  # of neighbours whose pair correlations are compared with those of a random alloy


@cache
def symmetry(lattice: str) -> np.ndarray:
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
    operations, kept = symmetry(lattice), []
    for cell in _cells(atoms):
        if not any(_preserving(cell, other, operations).any() for other in kept):
            kept.append(cell)
    return tuple(kept)


def points(cell: np.ndarray) -> np.ndarray:
    """Return the lattice points in a superlattice cell (n, 3)."""
    return np.array(list(itertools.product(*(range(cell[k, k]) for k in range(3)))))


def number(cell: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the number of the point of `points` that each lattice point (..., 3) is a translation of."""
    at = at.copy()
    for k in range(3):
        at -= (at[..., k] // cell[k, k])[..., None] * cell[k]
    return (at[..., 0] * cell[1, 1] + at[..., 1]) * cell[2, 2] + at[..., 2]


def arrangements(lattice: str, cell: np.ndarray) -> np.ndarray:
    """Return the different arrangements of two kinds (0, 1) in a superlattice (m, n), one of each class of symmetry.

    Arrangements of a smaller period are left out. Source: G. L. W. Hart, R. W. Forcade, Phys. Rev. B 77 (2008) 224115.
    """
    sites, operations = points(cell), symmetry(lattice)
    shifts = number(cell, sites[:, None] + sites[None])  # a translation by each site
    turns = number(cell, sites @ operations[_preserving(cell, cell, operations)])
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


def correlations(lattice: str, cell: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the pair correlations of arrangements (m, n) in each shell of neighbours (m, SHELLS): -1 to 1."""
    spins = 2 * labels - 1
    near = _near(lattice, tuple(cell.ravel().tolist()))
    return np.stack([(spins[:, :, None] * spins[:, one]).mean(axis=(1, 2)) for one in near], axis=1)


@lru_cache(maxsize=64)
def _near(lattice: str, flat: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return the neighbours of the sites of a superlattice in each shell."""
    cell = np.array(flat).reshape(3, 3)
    return tuple(number(cell, points(cell)[:, None] + shell[None]) for shell in _shells(lattice))


def mismatch(lattice: str, cell: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean deviation of the pair correlations of arrangements (m, n) from those of a random alloy (m,).

    Occupations are -1 and 1; a random alloy of mean occupation s has s^2 in each shell. Source: A. Zunger et al., Phys.
    Rev. Lett. 65 (1990) 353.
    """
    mean = (2 * labels - 1).mean(axis=1)
    return np.abs(correlations(lattice, cell, labels) - mean[:, None] ** 2).mean(axis=1)


def compact(lattice: str, atoms: int) -> np.ndarray:
    """Return the superlattice of so many atoms whose shortest period is the longest (3, 3); the first of equal ones."""
    axes, steps = np.array(LATTICES[lattice]), np.array(list(itertools.product(range(-2, 3), repeat=3)))
    steps = steps[(steps != 0).any(axis=1)]

    def shortest(cell: np.ndarray) -> float:
        return float(np.round(((steps @ cell @ axes) ** 2).sum(axis=1).min(), 6))

    return max(_cells(atoms), key=shortest)


def searched(lattice: str, cell: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Return a random-like arrangement (1, n) with `count` atoms of the second kind, by exchanges that never worsen it.

    For cells too large to list all arrangements; an exchange is kept if `mismatch` does not grow.
    """
    rng, sites = np.random.default_rng(seed), len(points(cell))
    labels = np.zeros((1, sites), int)
    labels[0, rng.permutation(sites)[:count]] = 1
    best = mismatch(lattice, cell, labels)[0]
    for _ in range(EXCHANGES):
        a, b = rng.choice(np.flatnonzero(labels[0])), rng.choice(np.flatnonzero(labels[0] == 0))
        labels[0, [a, b]] = 0, 1
        value = mismatch(lattice, cell, labels)[0]
        if value > best + 1e-12:
            labels[0, [a, b]] = 1, 0
        else:
            best = value
    return labels


def parse(superlattice: str, arrangement: str, second: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell (3, 3) and the arrangement (1, n), 1 for the element `second`, of the columns of an index."""
    labels = np.array([[int(symbol == second) for symbol in arrangement.split()]])
    return np.array(superlattice.split(), int).reshape(3, 3), labels
