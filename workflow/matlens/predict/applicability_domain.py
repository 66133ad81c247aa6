"""Applicability domain: elements and ranges of the training set; flag crystals outside it."""

from collections.abc import Mapping

import numpy as np

from matlens.crystal import graphs as flat

RIDGE = 2.0  # weight of the prior (the mean volume) for each element, in crystals
EDGE = 0.01  # fraction of the training set beyond each limit


def _ranges(graphs) -> np.ndarray:
    """Return volume per atom (A^3) and nearest distance (A) of every crystal (n, 2)."""
    volume = np.abs(np.linalg.det(graphs.crystals.cell)) / graphs.atoms
    nearest = np.full(len(graphs), np.nan)
    full = np.diff(graphs.edge_offsets) > 0
    if full.any():
        nearest[full] = np.minimum.reduceat(graphs.edges["distance"], graphs.edge_offsets[:-1][full])
    return np.stack([volume, nearest], axis=1)


def _table(graphs, elements: list[int]) -> np.ndarray:
    """Return the atomic fraction of each element in every crystal (n, elements)."""
    place = np.full(256, len(elements))
    place[elements] = np.arange(len(elements))
    member = np.repeat(np.arange(len(graphs)), graphs.atoms)
    counts = np.zeros((len(graphs), len(elements) + 1))
    np.add.at(counts, (member, place[graphs.crystals.species]), 1)
    return counts[:, :-1] / graphs.atoms[:, None]


def _radii(graphs) -> np.ndarray:
    """Return the smallest ratio of edge length to the sum of both covalent radii, per crystal (n,)."""
    from matlens.crystal.radii import COVALENT_A

    species, offsets = graphs.crystals.species, graphs.edge_offsets
    first = np.repeat(graphs.crystals.offsets[:-1], np.diff(offsets))
    pair = COVALENT_A[species[graphs.edges["source"] + first]] + COVALENT_A[species[graphs.edges["neighbour"] + first]]
    found, full = np.full(len(graphs), np.nan), np.diff(offsets) > 0
    if full.any():
        found[full] = np.fmin.reduceat(graphs.edges["distance"] / pair, offsets[:-1][full])
    return found


def describe(graphs, train) -> dict:
    """Describe the training set for a model card.

    Returns the elements; the ranges of volume and nearest distance; a volume per element by least squares, with the
    range of volume over the sum of element volumes; the range of the smallest distance over the sum of covalent radii.
    Source: E. Zen, Am. Mineral. 41 (1956) 523 (additive volumes).
    """
    some = flat.taken(graphs, train)
    ranges, elements = _ranges(some), np.unique(some.crystals.species).tolist()
    table = _table(some, elements)
    prior = RIDGE * np.eye(len(elements))
    own = np.linalg.solve(table.T @ table + prior, table.T @ ranges[:, 0] + RIDGE * ranges[:, 0].mean())
    own, radii = np.maximum(own, 1.0), _radii(some)
    return {
        "elements": elements,
        "volume_a3_per_atom": [float(ranges[:, 0].min()), float(ranges[:, 0].max())],
        "nearest_a": [float(np.nanmin(ranges[:, 1])), float(np.nanmax(ranges[:, 1]))],
        "element_volumes_a3": [round(float(one), 2) for one in own],
        "volume_over_elements": _limits(ranges[:, 0] / (table @ own)),
        "distance_over_radii": [_limits(radii)[0], round(float(np.nanmax(radii)), 4)],  # metals are far above 1
    }


def _limits(values: np.ndarray) -> list[float]:
    """Return the EDGE and 1 - EDGE quantiles of values."""
    low, high = np.nanquantile(values, [EDGE, 1 - EDGE])
    return [round(float(low), 4), round(float(high), 4)]


def flag_outside(graphs, card: Mapping) -> dict[str, np.ndarray]:
    """Flag crystals outside the training set of a card; returns outside_training_range and unseen_elements (n,).

    A crystal is outside if an element, the volume, the nearest distance, the volume relative to its elements, or the
    distance relative to its radii is. The last two are checked only if the card has them.
    """
    from matlens.crystal.compositions import SYMBOLS

    unseen = ~np.isin(graphs.crystals.species, card["elements"])
    names, first = np.full(len(graphs), "", dtype=object), graphs.crystals.offsets
    member = np.repeat(np.arange(len(graphs)), graphs.atoms)
    for crystal in np.unique(member[unseen]):
        own = slice(first[crystal], first[crystal + 1])
        names[crystal] = ",".join(SYMBOLS[z - 1] for z in np.unique(graphs.crystals.species[own][unseen[own]]))
    ranges = _ranges(graphs)
    limits = np.array([card["volume_a3_per_atom"], card["nearest_a"]])
    outside = ((ranges < limits[:, 0]) | (ranges > limits[:, 1])).any(axis=1)
    if "element_volumes_a3" in card:
        expected = _table(graphs, card["elements"]) @ np.array(card["element_volumes_a3"])
        ratios = np.stack([ranges[:, 0] / np.maximum(expected, 1e-9), _radii(graphs)], axis=1)
        limits = np.array([card["volume_over_elements"], card["distance_over_radii"]])
        outside |= ((ratios < limits[:, 0]) | (ratios > limits[:, 1])).any(axis=1)
    return {"outside_training_range": outside | (names != ""), "unseen_elements": names}
