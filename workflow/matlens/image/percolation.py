"""Percolation: how much of a phase is connected from one border of the labelled window to the opposite one."""

import numpy as np

from matlens.image import cluster, masks


def spanning(clusters: np.ndarray, axis: int) -> np.ndarray:
    """List the clusters that touch both ends of an axis."""
    first, last = (np.unique(np.take(clusters, end, axis=axis)) for end in (0, -1))
    both = np.intersect1d(first, last)
    return both[both > 0]


def measure(labels: np.ndarray, phases: list[str], *, phase: int = 1, connectivity: str = "faces"):
    """Measure along each axis which part of a phase belongs to clusters that span the labelled window.

    `phase`: its number. `connectivity`: neighbours share a face ("faces") or at least a corner ("corners"). Returns
    phase, direction (x, y, z), clusters, spanning_clusters, connected_fraction (of the phase; 0 where it is absent).
    The window is a box of labelled pixels, see `masks.transport_window`; pixels not labelled do not connect.
    """
    import pandas as pd

    clusters = cluster.label(masks.transport_window(labels, phase, phases)[0], connectivity)
    sizes = np.bincount(clusters.ravel())
    sizes[0] = 0
    rows = []
    for axis, name in enumerate(masks.directions(clusters.ndim)):
        through = spanning(clusters, axis)
        rows.append(
            {
                "phase": phase,
                "direction": name,
                "clusters": len(sizes) - 1,
                "spanning_clusters": len(through),
                "connected_fraction": sizes[through].sum() / max(1, sizes.sum()),
            }
        )
    return pd.DataFrame(rows)
