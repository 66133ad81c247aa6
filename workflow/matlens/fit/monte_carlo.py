"""Monte Carlo of two elements on a lattice by a cluster expansion: temperatures of order, and short-range order.

Exchanges of unlike atoms at a fixed composition (K. Kawasaki, Phys. Rev. 145 (1966) 224). Free energies follow from
mean energies by d(F/RT)/d(1/RT) = E. Energies in J per mole of atoms.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from matlens.crystal import clusters, superlattices

R = 8.31446261815324
SEARCH, REFINE = 3.0, 1.25  # ratio of the highest temperature to the middle one, first and last
POINTS = 24  # temperatures of a loop


class Lattice(NamedTuple):
    """A periodic crystal: `table` (sites, terms, 3), the others of each cluster of a site; `orbit` (terms,) of each.

    Clusters of fewer points are filled up with the number of sites, where a dummy spin of 1 lies.
    """

    cell: np.ndarray
    table: np.ndarray
    orbit: np.ndarray


def lattice(name: str, edge: int, some: list[clusters.Orbit]) -> Lattice:
    """Build a crystal of edge^3 sites with the clusters of its sites."""
    cell = np.diag([edge] * 3)
    parts, numbers = [], []
    for number, one in enumerate(some):
        near = clusters.neighbours(cell, one)
        filled = np.full((*near.shape[:2], 3), edge**3, np.int32)
        filled[:, :, : one.points - 1] = near
        parts.append(filled)
        numbers += [number] * near.shape[1]
    return Lattice(cell, np.concatenate(parts, axis=1), np.array(numbers))


@njit(cache=True)
def _sweeps(spins, table, weight, share, beta, sweeps, seed):
    """Exchange unlike atoms in place; returns the mean energy per site over the second half of the sweeps.

    weight: energy of a cluster, by term; share: that divided by its points; beta: 1 / RT.
    """
    np.random.seed(seed)
    sites, terms = table.shape[0], table.shape[1]
    total, counted = 0.0, 0
    for sweep in range(sweeps):
        for _ in range(sites):
            a = np.random.randint(sites)
            b = np.random.randint(sites)
            if spins[a] == spins[b]:
                continue
            change = 0.0
            for one in (a, b):
                local = 0.0
                for t in range(terms):
                    local += weight[t] * spins[table[one, t, 0]] * spins[table[one, t, 1]] * spins[table[one, t, 2]]
                change -= 2.0 * spins[one] * local
                spins[one] = -spins[one]
            if change > 0.0 and np.random.random() >= np.exp(-beta * change):
                spins[a], spins[b] = -spins[a], -spins[b]
        if 2 * sweep >= sweeps - 1:
            counted += 1
            for i in range(sites):
                local = 0.0
                for t in range(terms):
                    local += share[t] * spins[table[i, t, 0]] * spins[table[i, t, 1]] * spins[table[i, t, 2]]
                total += spins[i] * local
    return total / (counted * sites)


def perfect(name: str, cell: np.ndarray, x: float) -> np.ndarray:
    """Return the labels (sites,) of the ordered structure of a lattice at a mole fraction: L1_2, L1_0 or B2."""
    odd = np.rint(2 * superlattices.points(cell) @ np.array(superlattices.LATTICES[name])).astype(int) % 2
    kinds = np.unique(odd, axis=0, return_inverse=True)[1].ravel()  # of fcc four simple cubic sublattices, of bcc two
    return (kinds < round(x * (kinds.max() + 1))).astype(int)


def energies(
    crystal: Lattice, energy: np.ndarray, start: np.ndarray, temperatures: np.ndarray, sweeps: int, seed: int
) -> np.ndarray:
    """Return the mean energies of the clusters (t,) J/mol at temperatures that follow each other, K.

    energy: of a cluster of each orbit, J/mol. start: labels (sites,) at the first temperature.
    """
    points = (crystal.table < len(start)).sum(axis=2)[0] + 1
    weight = np.asarray(energy, float)[crystal.orbit]
    seeds = np.random.default_rng(seed).integers(0, 2**31 - 1, len(temperatures))
    spins = np.append(2 * start - 1, 1).astype(np.int8)
    return np.array(
        [
            _sweeps(spins, crystal.table, weight, weight / points, 1 / (R * t), sweeps, one)
            for t, one in zip(temperatures, seeds, strict=True)
        ]
    )


def loop(
    crystal: Lattice, energy: np.ndarray, start: np.ndarray, temperatures: np.ndarray, sweeps: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean energies (t,) of an alloy that is heated from order and of one that is cooled from disorder.

    temperatures: rising, K; see `energies`.
    """
    mixed = np.random.default_rng(seed).permutation(start)
    heated = energies(crystal, energy, start, temperatures, sweeps, seed)
    return heated, energies(crystal, energy, mixed, temperatures[::-1], sweeps, seed + 1)[::-1]


def steepest(temperatures: np.ndarray, energy: np.ndarray) -> float:
    """Return the temperature at which an energy (t,) changes most, K."""
    slope = np.diff(energy) / np.diff(temperatures)
    at = int(slope.argmax())
    return float((temperatures[at] + temperatures[at + 1]) / 2)


def transition(
    crystal: Lattice, energy: np.ndarray, start: np.ndarray, middle_k: float, sweeps: int, seed: int
) -> tuple[float, float]:
    """Return the temperatures at which the ordered alloy forms on cooling and is lost on heating, K.

    middle_k: rough temperature of the transition.
    """
    found = (middle_k, middle_k)
    for width, points in ((SEARCH, POINTS), (REFINE, POINTS)):
        centre = np.sqrt(found[0] * found[1])
        grid = np.geomspace(centre / width, centre * width, points)
        heated, cooled = loop(crystal, energy, start, grid, sweeps, seed)
        found = steepest(grid, cooled), steepest(grid, heated)
    return min(found), max(found)


def short_range(
    crystal: Lattice, energy: np.ndarray, labels: np.ndarray, temperatures: np.ndarray, sweeps: int, seed: int
) -> np.ndarray:
    """Return the free energy that short-range order adds to that of a random alloy (t,) J/mol.

    temperatures: rising, K. By the integral of the energy, less that of the random alloy, over 1 / RT from 0; its first
    step is that of the second cumulant, in which the energy falls in proportion to 1 / RT.
    """
    mixed = np.random.default_rng(seed).permutation(labels)
    cooled = energies(crystal, energy, mixed, temperatures[::-1], sweeps, seed)
    apart = cooled - random_energy(crystal, energy, labels.mean())
    betas = 1 / (R * temperatures[::-1])
    steps = np.concatenate([[betas[0] * apart[0] / 2], np.diff(betas) * (apart[1:] + apart[:-1]) / 2])
    return (np.cumsum(steps) / betas)[::-1]


def random_energy(crystal: Lattice, energy: np.ndarray, x: float) -> float:
    """Return the energy of the clusters of a random alloy of as many sites, J/mol. energy: of one of each orbit.

    The mean product of n occupations is that of drawing without replacement: the composition is fixed.
    """
    sites = len(crystal.table)
    points = (crystal.table < sites).sum(axis=2)[0] + 1
    second = round(x * sites)
    mean = {n: _product(n, second, sites - second) for n in np.unique(points).tolist()}
    weights = np.asarray(energy, float)[crystal.orbit] / points
    return float((weights * np.array([mean[n] for n in points.tolist()])).sum())


def _product(drawn: int, up: int, down: int) -> float:
    """Return the mean product of spins that are drawn without replacement from `up` of 1 and `down` of -1."""
    ways = [(-1) ** k * math.comb(down, k) * math.comb(up, drawn - k) for k in range(drawn + 1)]
    return sum(ways) / math.comb(up + down, drawn)
