"""Descriptors of crystals, computed from their graphs: composition, volume, contacts, and gaps between layers."""

import numpy as np

from matlens.crystal import radii
from matlens.nets.crystal import elements

SHELL = 1.2  # neighbours up to this many times the nearest distance of an atom are its first shell
ORDINARY_GAP_A = 2.5  # narrower gaps are alike
STRUCTURE = (
    "log_volume_over_radii", "nearest_over_radii", "nearest_over_radii_min", "nearest_over_radii_max",
    "mean_over_radii", "std_over_radii", "coordination", "coordination_std", "like_neighbours", "log_gap_a",
)  # fmt: skip


def members(graphs) -> np.ndarray:
    """Return for every atom the number of its crystal (N,)."""
    return np.repeat(np.arange(len(graphs)), graphs.atoms)


def fractions(graphs) -> np.ndarray:
    """Return the mole fraction of every element by atomic number (n, 119)."""
    counts = np.bincount(members(graphs) * 119 + graphs.crystals.species, minlength=119 * len(graphs))
    return counts.reshape(len(graphs), 119) / np.maximum(graphs.atoms, 1)[:, None]


def composition(graphs) -> np.ndarray:
    """Return the mean element features of the atoms of every crystal (n, 92).

    The features are group, period, electronegativity and others, one category of each; see `nets.crystal.elements`.
    """
    return fractions(graphs) @ elements.table().astype(float)


def volumes(graphs) -> np.ndarray:
    """Return the volume per atom, A^3 (n,)."""
    return np.abs(np.linalg.det(graphs.crystals.cell)) / np.maximum(graphs.atoms, 1)


def gaps(graphs) -> np.ndarray:
    """Return the widest empty layer of every crystal, A (n,): vacuum, or space between layers; 0 below 2.5 A."""
    from matlens.crystal import kernels

    held = graphs.crystals
    return kernels.widest_gaps(
        np.ascontiguousarray(held.cell, float), np.asarray(held.offsets), np.ascontiguousarray(held.frac, float),
        ORDINARY_GAP_A,
    )  # fmt: skip


def _edges(graphs) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return source, neighbour, distance over the sum of covalent radii, and distance of every edge."""
    first = np.repeat(graphs.crystals.offsets[:-1], np.diff(graphs.edge_offsets))
    source, neighbour = graphs.edges["source"] + first, graphs.edges["neighbour"] + first
    own = radii.known(graphs.crystals.species)
    return source, neighbour, graphs.edges["distance"] / (own[source] + own[neighbour]), graphs.edges["distance"]


def means(values: np.ndarray, member: np.ndarray, count: int, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the values of every member."""
    weights = np.ones(len(values)) if weights is None else weights
    total = np.maximum(np.bincount(member, weights, count), 1e-12)
    mean = np.bincount(member, weights * values, count) / total
    return mean, np.sqrt(np.maximum(np.bincount(member, weights * values**2, count) / total - mean**2, 0.0))


def structure(graphs) -> np.ndarray:
    """Return the statistics of STRUCTURE of every crystal (n, 10); an atom without neighbours has a long distance.

    Distances are divided by the sum of the covalent radii of both atoms. log_volume_over_radii: volume per atom over
    the mean volume of the atoms' spheres. nearest: of each atom; mean and std: over its neighbours in the graph.
    coordination: neighbours within 1.2 times the nearest; like_neighbours: fraction of these of the same element.
    """
    count, atoms, member = len(graphs), len(graphs.crystals.species), members(graphs)
    source, neighbour, ratio, distance = _edges(graphs)
    weight = graphs.edges.get("weight", np.ones(len(ratio))).astype(float)
    nearest, shortest = np.full(atoms, 10.0), np.full(atoms, np.inf)
    np.minimum.at(nearest, source, ratio)
    np.minimum.at(shortest, source, distance)
    shell = distance <= SHELL * shortest[source]
    around = np.bincount(source[shell], weight[shell], atoms)
    same = (graphs.crystals.species[source] == graphs.crystals.species[neighbour])[shell]
    spheres = means(4 / 3 * np.pi * radii.known(graphs.crystals.species) ** 3, member, count)[0]
    first = graphs.crystals.offsets[:-1]
    return np.column_stack(
        [
            np.log(volumes(graphs) / spheres),
            means(nearest, member, count)[0],
            np.minimum.reduceat(nearest, first),
            np.maximum.reduceat(nearest, first),
            *means(ratio, member[source], count, weight),
            *means(around, member, count),
            means(same.astype(float), member[source[shell]], count, weight[shell])[0],
            np.log(np.maximum(gaps(graphs), ORDINARY_GAP_A)),
        ]
    )
