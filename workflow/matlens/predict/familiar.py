"""What crystals a network has learned from, and which others are unlike them."""

from collections.abc import Mapping

import numpy as np

from matlens.crystal import graphs as flat


def _ranges(graphs) -> np.ndarray:
    """Describe crystals by what a training set has a range of: volume per atom, nearest distance (n, 2)."""
    volume = np.abs(np.linalg.det(graphs.crystals.cell)) / graphs.atoms
    nearest = np.full(len(graphs), np.nan)
    full = np.diff(graphs.edge_offsets) > 0
    if full.any():
        nearest[full] = np.minimum.reduceat(graphs.edges["distance"], graphs.edge_offsets[:-1][full])
    return np.stack([volume, nearest], axis=1)


def seen(graphs, train) -> dict:
    """Describe the crystals of a training set, for a card: elements, and ranges of volume and nearest distance."""
    some = flat.taken(graphs, train)
    ranges = _ranges(some)
    return {
        "elements": np.unique(some.crystals.species).tolist(),
        "volume_a3_per_atom": [float(ranges[:, 0].min()), float(ranges[:, 0].max())],
        "nearest_a": [float(np.nanmin(ranges[:, 1])), float(np.nanmax(ranges[:, 1]))],
    }


def strange(graphs, card: Mapping) -> dict[str, np.ndarray]:
    """Tell which crystals (n,) are unlike those that a card describes: outside_training_range, unseen_elements."""
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
    return {"outside_training_range": outside | (names != ""), "unseen_elements": names}
