"""Cluster expansion of the energies of arrangements on a lattice, by regularised least squares.

Source: J. M. Sanchez, F. Ducastelle, D. Gratias, Physica A 128 (1984) 334; size and regularisation by the error of
cells left out: A. van de Walle, G. Ceder, J. Phase Equilib. 23 (2002) 348.
"""

import itertools
from typing import NamedTuple

import numpy as np

from matlens.crystal import clusters

RIDGES = 10.0 ** np.arange(-6, 0)
FIXED = 100.0  # weight of cells that are met


class Expansion(NamedTuple):
    """Energies J/mol: `constant` (2,), per atom and per mean occupation; `energy` (k,) of a cluster of each orbit.

    left_out: (n,) energy of each cell minus its prediction without it. ridge: the regularisation that was chosen.
    """

    orbits: list[clusters.Orbit]
    constant: np.ndarray
    energy: np.ndarray
    fitted: np.ndarray
    left_out: np.ndarray
    ridge: float


def design(cells: list[tuple[np.ndarray, np.ndarray]], some: list[clusters.Orbit]) -> np.ndarray:
    """Return the rows of the linear model of cells (superlattice, labels): constants, then clusters per site."""
    rows = []
    for cell, labels in cells:
        found = clusters.correlations(cell, labels, some) * [one.multiplicity for one in some]
        rows.append([1.0, 2 * labels.mean() - 1, *found])
    return np.array(rows)


def fit(cells: list, target: np.ndarray, weights: np.ndarray, lattice: str, shells: tuple[int, ...]) -> Expansion:
    """Fit energies (n,) J/mol; the set of clusters and the ridge are those of the least error of cells left out.

    shells: of the longest pairs, triplets and quadruplets at most. weights: (n,); those of FIXED do not judge.
    """
    judged = weights < FIXED
    pairs, *many = (range(1 if points == 2 else 0, most + 1) for points, most in enumerate(shells, start=2))
    whole = clusters.orbits(lattice, shells)
    full = design(cells, whole)
    best = None
    for chosen in itertools.product(pairs, *many):
        used = [k for k, one in enumerate(whole) if one.shell <= chosen[one.points - 2]]
        matrix = full[:, [0, 1, *(2 + k for k in used)]]
        if matrix.shape[1] > judged.sum():
            continue
        for ridge in RIDGES:
            found, fitted, apart = solve(matrix, target, weights, [whole[k] for k in used], ridge)
            error = np.average(apart[judged] ** 2, weights=weights[judged])
            if best is None or error < best[0] * (1 - 1e-9):
                best = error, used, found, fitted, apart, ridge
    _, used, found, fitted, apart, ridge = best
    return Expansion([whole[k] for k in used], found[:2], found[2:], fitted, apart, ridge)


def solve(matrix: np.ndarray, target: np.ndarray, weights: np.ndarray, some: list, ridge: float):
    """Return coefficients, fitted energies and deleted residuals; the ridge grows with the clusters per site."""
    penalty = ridge * weights.sum() * np.array([0.0, 0.0, *(one.multiplicity for one in some)])
    left = (matrix.T * weights) @ matrix + np.diag(penalty + 1e-9)
    project = np.linalg.solve(left, matrix.T * weights)
    found = project @ target
    leverage = np.einsum("ij,ji->i", matrix, project)
    fitted = matrix @ found
    return found, fitted, (target - fitted) / np.maximum(1 - leverage, 1e-9)


def refit(one: Expansion, cells: list, target: np.ndarray, weights: np.ndarray) -> Expansion:
    """Fit the same clusters with the same ridge to other cells."""
    found, fitted, apart = solve(design(cells, one.orbits), target, weights, one.orbits, one.ridge)
    return one._replace(constant=found[:2], energy=found[2:], fitted=fitted, left_out=apart)


def random_energy(one: Expansion, x: np.ndarray) -> np.ndarray:
    """Return the energy of random alloys (n,) J/mol."""
    mean = 2 * np.asarray(x, float) - 1
    made = one.constant[0] + one.constant[1] * mean
    for value, orbit in zip(one.energy, one.orbits, strict=True):
        made = made + value * orbit.multiplicity * mean**orbit.points
    return made
