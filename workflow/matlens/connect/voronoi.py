"""Graphs of the facets of Voronoi cells."""

import numpy as np

from matlens.connect import named
from matlens.job.batch import BadItem

SUM = 1e-6  # the cells of all atoms fill the cell of the crystal to this part of it


def connect(cell, frac, *, min_solid_angle_sr: float = 1e-4) -> dict[str, np.ndarray]:
    """Connect every atom to those with which its Voronoi cell shares a facet.

    `min_solid_angle_sr`: facets that are seen from the atom under a smaller solid angle are left out; those of vertices
    where more than three facets meet (second neighbours in fcc) have none but rounding errors. Each edge has beside it
    `solid_angle` (steradian; those of an atom sum to 4 pi) and `area` (square angstrom); the pyramid between atom and
    facet has the volume area * distance / 6. BadItem where the cells do not fill the crystal to 1e-6.
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
