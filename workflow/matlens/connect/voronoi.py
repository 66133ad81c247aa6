"""Graphs of the facets of Voronoi cells."""

import numpy as np

from matlens.connect import named
from matlens.job.batch import BadItem

SUM = 1e-6  # largest relative difference of the Voronoi volume and the cell volume


def connect(cell, frac, *, min_solid_angle_sr: float = 1e-4) -> dict[str, np.ndarray]:
    """Connect every atom to those with which its Voronoi cell shares a facet.

    `min_solid_angle_sr`: smallest solid angle of a facet, seen from the atom; facets at vertices where more than three
    facets meet (second neighbours in fcc) have only rounding errors. Each edge has also `solid_angle` (steradian; sum 4
    pi per atom) and `area` (square angstrom); the pyramid between atom and facet has the volume area * distance / 6.
    Raises BadItem if the cells do not fill the crystal to 1e-6.
    """
    from matlens.connect import voronoi_kernel

    cell = np.ascontiguousarray(cell)
    *edges, filled, status = voronoi_kernel.voronoi(cell, np.ascontiguousarray(frac))
    volume = abs(np.linalg.det(cell))
    if status or abs(filled - volume) > SUM * volume:
        raise BadItem(
            f"its Voronoi cells fill {filled:.6g} of {volume:.6g} cubic angstrom: atoms too close, or too many facets; "
            "correct the positions, or use knn"
        )
    kept = edges[4] >= min_solid_angle_sr
    return named(tuple(part[kept] for part in edges))
