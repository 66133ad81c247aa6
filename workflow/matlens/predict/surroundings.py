"""Descriptors of the surroundings of atoms: how neighbours differ from them, and what lies outermost."""

import numpy as np

from matlens.crystal import compositions
from matlens.crystal import graphs as flat
from matlens.predict.descriptors import means

SHIFT = 0.02  # added to the asymmetry of every atom as a weight, so that crystals without outer atoms have a mean, too
CHUNK = 2_000_000  # edges described at a time
PARTS = ("around mean", "around std", "at surfaces")  # of every element property
DECIMALS = 4  # so that rounding in another cell of the same crystal makes no difference


def names() -> list[str]:
    """Name the columns of `surroundings`."""
    found = [f"{name} {part}" for name in compositions.property_names() for part in PARTS]
    return [*found, "asymmetry_mean", "asymmetry_max", "asymmetry_min"]


def surroundings(graphs) -> np.ndarray:
    """Describe the surroundings of the atoms of every crystal (n, 69).

    For each of the 22 element properties of Magpie, in standard deviations over the elements: mean and standard
    deviation over the atoms of the mean difference to the neighbours, and the mean over the atoms, weighted by their
    asymmetry. Then mean, largest and smallest asymmetry. Neighbours count by their weight over the squared distance.
    Asymmetry: length of the mean direction to the neighbours; 0 at a centre of inversion, large at a surface or next to
    a gap. graphs: of k nearest neighbours.
    Source of the differences: L. Ward et al., Phys. Rev. B 96 (2017) 024104, who weight by Voronoi faces.
    """
    parts = [_of(flat.arrays_of(graphs, some)) for some in flat.in_order(graphs, CHUNK)]
    return np.concatenate([np.zeros((0, 3 * len(compositions.properties()[0]) + 3)), *parts]).round(DECIMALS)


def _of(arrays: dict) -> np.ndarray:
    """Describe the surroundings of the atoms of some crystals; see `crystal.graphs.arrays_of`."""
    member, count, atoms = arrays["crystal"], arrays["count"], len(arrays["species"])
    table = compositions.properties()
    own = (table / np.nanstd(table, axis=0))[arrays["species"]]
    source, neighbour, distance = arrays["source"], arrays["neighbour"], np.maximum(arrays["distance"], 1e-3)
    weight = arrays.get("weight", np.ones(len(source))).astype(float) / distance**2
    toward = [means(arrays["vector"][:, axis] / distance, source, atoms, weight)[0] for axis in range(3)]
    asymmetry = np.sqrt(sum(one**2 for one in toward))
    found = []
    for one in own.T:
        around = means(np.abs(one[source] - one[neighbour]), source, atoms, weight)[0]
        found += [*means(around, member, count), means(one, member, count, asymmetry + SHIFT)[0]]
    first = np.searchsorted(member, np.arange(count))
    ends = np.maximum.reduceat(asymmetry, first), np.minimum.reduceat(asymmetry, first)
    return np.column_stack([*found, means(asymmetry, member, count)[0], *ends])
