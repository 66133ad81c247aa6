"""Clusters of points of a lattice, up to symmetry, and their correlations in arrangements of two kinds of atoms.

Source: J. M. Sanchez, F. Ducastelle, D. Gratias, Physica A 128 (1984) 334 (cluster expansion).
"""

import itertools
from functools import cache
from typing import NamedTuple

import numpy as np

from matlens.crystal import superlattices

NEAR = 1e-6  # by which squared distances of one shell may differ


class Orbit(NamedTuple):
    """All clusters of one class of symmetry that hold the origin: `others` (n, points - 1, 3), without the origin.

    Vectors are in those of the lattice. `shell`: of the longest pair, from 1.
    """

    points: int
    shell: int
    others: np.ndarray

    @property
    def multiplicity(self) -> float:
        """Return the clusters per site."""
        return len(self.others) / self.points


@cache
def vectors(lattice: str, shells: int) -> tuple[np.ndarray, ...]:
    """Return the vectors to the neighbours of each shell, in vectors of the lattice."""
    every = np.array(list(itertools.product(range(-5, 6), repeat=3)))
    far = np.round(((every @ np.array(superlattices.LATTICES[lattice])) ** 2).sum(axis=1), 6)
    return tuple(every[far == size] for size in np.unique(far)[1 : shells + 1])


def orbits(lattice: str, shells: tuple[int, ...]) -> list[Orbit]:
    """List the clusters of 2, 3, ... points whose pairs all lie within a shell, from short to long.

    shells: the largest of pairs, triplets and quadruplets; 0: none.
    """
    made = []
    for points, most in enumerate(shells, start=2):
        made += _orbits(lattice, points, most) if most else []
    return made


@cache
def _orbits(lattice: str, points: int, most: int) -> tuple[Orbit, ...]:
    near, operations = vectors(lattice, most), superlattices.symmetry(lattice)
    shell = {tuple(v): number for number, some in enumerate(near, start=1) for v in some.tolist()}
    found: dict[frozenset, int] = {}
    made = []
    for others in itertools.combinations(sorted(shell), points - 1):
        apart = [tuple(np.subtract(b, a).tolist()) for a, b in itertools.combinations(others, 2)]
        if frozenset(others) in found or any(one not in shell for one in apart):
            continue
        images = _images(np.array([(0, 0, 0), *others]), operations)
        found |= dict.fromkeys(images, len(made))
        longest = max(shell[one] for one in [*others, *apart])
        made.append(Orbit(points, longest, np.array(sorted(sorted(one) for one in images))))
    return tuple(sorted(made, key=lambda one: (one.shell, len(one.others))))


def _images(cluster: np.ndarray, operations: np.ndarray) -> set[frozenset]:
    """Return the images of a cluster (n, 3) under all operations, each of its points put to the origin."""
    turned = cluster @ operations  # (operations, n, 3)
    made = set()
    for origin in range(len(cluster)):
        rest = np.delete(turned - turned[:, origin : origin + 1], origin, axis=1)
        made |= {frozenset(map(tuple, one)) for one in rest.tolist()}
    return made


def neighbours(cell: np.ndarray, orbit: Orbit) -> np.ndarray:
    """Return the sites of a superlattice that make up clusters with each site (sites, n, points - 1)."""
    return superlattices.number(cell, superlattices.points(cell)[:, None, None] + orbit.others[None])


def correlations(cell: np.ndarray, labels: np.ndarray, some: list[Orbit]) -> np.ndarray:
    """Return the mean product of occupations (-1, 1) over the clusters of each orbit, for one arrangement (n,)."""
    spins = 2 * np.asarray(labels) - 1
    return np.array([(spins[:, None] * spins[neighbours(cell, one)].prod(axis=2)).mean() for one in some])
