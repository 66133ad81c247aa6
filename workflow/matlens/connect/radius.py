"""Graphs of all neighbours within a radius."""

import numpy as np

from matlens.connect import named, neighbours
from matlens.job.batch import BadItem


def connect(cell, frac, *, cutoff_a: float = 5.0, max_edges: int = 1_000_000) -> dict[str, np.ndarray]:
    """Connect every atom to all neighbours within a cutoff; an atom without neighbours has no edge.

    Raises BadItem if the number of edges, estimated from the volume, exceeds `max_edges`.
    """
    atoms = len(frac)
    expected = atoms * atoms * 4 / 3 * np.pi * cutoff_a**3 / abs(np.linalg.det(cell))
    if expected > max_edges:
        raise BadItem(f"about {expected:.2g} edges within {cutoff_a} angstrom; lower cutoff_a or raise max_edges")
    cell, frac = np.ascontiguousarray(cell), np.ascontiguousarray(frac)
    return named(neighbours.knn(cell, frac, 1 << 30, cutoff_a, neighbours.CUT, False)[:4])
