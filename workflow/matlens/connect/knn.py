"""Graphs of the k nearest neighbours."""

import numpy as np

from matlens.connect import EDGE_ARRAYS, neighbours
from matlens.job.batch import BadItem

PAD_BEYOND_A = 1.0  # length of a padding edge beyond the cutoff


TIES = {
    "cut": neighbours.CUT,
    "keep": neighbours.KEEP,
    "share": neighbours.SHARE,
    False: 0,
    True: 1,
}  # old names


def connect(
    cell,
    frac,
    *,
    k: int = 12,
    cutoff_a: float = 8.0,
    ties: str | bool = "share",
    images: str = "all",
    few: str = "grow",
) -> dict[str, np.ndarray]:
    """Connect every atom to its k nearest neighbours within a cutoff.

    `ties`: treatment of neighbours as far as the k-th. "share": all are kept, to 0.005 angstrom, with weights below 1
    that sum to the places left. "keep": all are kept with weight 1, to 1e-8 angstrom (ALIGNN). "cut": the list ends
    after the k-th (CGCNN's authors), so the choice depends on how the crystal is written. `images`: "all" images of an
    atom are neighbours, or only the "nearest" one and never the atom itself (DeeperGATGNN, GCPNet). `few`: treatment of
    atoms with fewer than k neighbours: widen the cutoff until there are k ("grow"), keep the fewer ("keep"), or add
    edges to atom 0 of length cutoff_a + 1 (CGCNN's authors, "pad"). With nearest images the cutoff does not grow.
    """
    every = images == "all"
    mode = TIES[ties] if every else neighbours.CUT
    reach = k if every else 1 << 30
    cell, frac = np.ascontiguousarray(cell), np.ascontiguousarray(frac)
    edges = neighbours.knn(cell, frac, reach, cutoff_a, mode, few == "grow" and every)
    if not every:
        edges = _nearest_images(edges, len(frac), k, TIES[ties])
    found = dict(zip((*EDGE_ARRAYS, "weight"), edges, strict=True))
    return _padded(found, len(frac), k, cutoff_a) if few == "pad" else found


def _nearest_images(edges: tuple, atoms: int, k: int, ties: int) -> tuple:
    """Keep the nearest image of each neighbour, and the k nearest of these."""
    source, neighbour, _, distance, weight = edges
    if atoms > 40_000:
        raise BadItem(f"it has {atoms} atoms, too many for images: nearest; use images: all")
    _, first = np.unique(source.astype(np.int64) * atoms + neighbour, return_index=True)
    kept = np.sort(first[source[first] != neighbour[first]])  # edges are sorted by source and distance
    start = np.searchsorted(source[kept], np.arange(atoms))
    rank = np.arange(len(kept)) - start[source[kept]]
    chosen, weight = rank < k, weight[kept]
    if ties and len(kept):
        last = np.minimum(start[source[kept]] + k - 1, len(kept) - 1)
        whole = source[kept[last]] == source[kept]  # the atom has k neighbours
        gap = distance[kept] - distance[kept[last]]
        slack = neighbours.SHELL if ties == neighbours.SHARE else neighbours.TIE
        chosen |= whole & (gap <= slack)
        if ties == neighbours.SHARE:
            shell = whole & (np.abs(gap) <= slack)
            sizes = np.bincount(source[kept[shell]], minlength=atoms)
            before = np.bincount(source[kept[whole & (gap < -slack)]], minlength=atoms)
            weight[shell] = ((k - before) / np.maximum(sizes, 1))[source[kept[shell]]]
    return *(part[kept[chosen]] for part in edges[:4]), weight[chosen]


def _padded(found: dict, atoms: int, k: int, cutoff_a: float) -> dict:
    """Pad the edges of atoms with fewer than k."""
    missing = np.maximum(k - np.bincount(found["source"], minlength=atoms), 0)
    if not missing.any():
        return found
    extra = np.repeat(np.arange(atoms, dtype=np.int32), missing)
    added = {
        "source": extra,
        "neighbour": np.zeros_like(extra),
        "image": np.zeros((len(extra), 3), np.int16),
        "distance": np.full(len(extra), cutoff_a + PAD_BEYOND_A),
        "weight": np.ones(len(extra), np.float32),
    }
    order = np.argsort(np.concatenate([found["source"], extra]), kind="stable")
    return {name: np.concatenate([found[name], added[name]])[order] for name in added}
