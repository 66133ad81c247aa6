"""Graphs of the k nearest neighbours."""

import numpy as np

from matlens.connect import named, neighbours
from matlens.job.batch import BadItem

PAD_BEYOND_A = 1.0  # an edge that pads is as long as the cutoff and this


def connect(
    cell, frac, *, k: int = 12, cutoff_a: float = 8.0, ties: bool = False, images: str = "all", few: str = "grow"
) -> dict[str, np.ndarray]:
    """Connect every atom to its k nearest neighbours within a cutoff.

    `ties`: also to all that are as far as the k-th, to 1e-8 angstrom (ALIGNN). `images`: "all" images of an atom are
    neighbours, or only the "nearest" one, itself not among them (DeeperGATGNN, GCPNet). `few`: what happens to an atom
    with fewer than k: the cutoff is widened for it until it has k ("grow"), it keeps them ("keep"), or edges to atom 0
    of length cutoff_a + 1 fill the places (CGCNN's authors, "pad"). With the nearest images nothing grows.
    Without ties, which of several neighbours at the k-th distance are taken depends on how the crystal is written down.
    """
    reach = 1 << 30 if images == "nearest" else k
    grow = few == "grow" and images == "all"
    edges = neighbours.knn(np.ascontiguousarray(cell), np.ascontiguousarray(frac), reach, cutoff_a, ties, grow)
    if images == "nearest":
        edges = _nearest_images(edges, len(frac), k, ties)
    found = named(edges)
    return _padded(found, len(frac), k, cutoff_a) if few == "pad" else found


def _nearest_images(edges: tuple, atoms: int, k: int, ties: bool) -> tuple:
    """Keep the nearest image of each neighbour, and the k nearest of these."""
    source, neighbour, _, distance = edges
    if atoms > 40_000:
        raise BadItem(f"it has {atoms} atoms; images: nearest is for fewer")
    _, first = np.unique(source.astype(np.int64) * atoms + neighbour, return_index=True)
    kept = np.sort(first[source[first] != neighbour[first]])  # edges are sorted by source and distance
    start = np.searchsorted(source[kept], np.arange(atoms))
    rank = np.arange(len(kept)) - start[source[kept]]
    chosen = rank < k
    if ties and len(kept):
        last = np.minimum(start[source[kept]] + k - 1, len(kept) - 1)
        shell = (source[kept[last]] == source[kept]) & (distance[kept] <= distance[kept[last]] + neighbours.TIE)
        chosen |= shell
    return tuple(part[kept[chosen]] for part in edges)


def _padded(found: dict, atoms: int, k: int, cutoff_a: float) -> dict:
    """Fill up the edges of atoms with fewer than k."""
    missing = np.maximum(k - np.bincount(found["source"], minlength=atoms), 0)
    if not missing.any():
        return found
    extra = np.repeat(np.arange(atoms, dtype=np.int32), missing)
    added = {
        "source": extra,
        "neighbour": np.zeros_like(extra),
        "image": np.zeros((len(extra), 3), np.int16),
        "distance": np.full(len(extra), cutoff_a + PAD_BEYOND_A),
    }
    order = np.argsort(np.concatenate([found["source"], extra]), kind="stable")
    return {name: np.concatenate([found[name], added[name]])[order] for name in added}
