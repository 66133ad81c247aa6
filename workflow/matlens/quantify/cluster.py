"""Two-point cluster function C2(r): the probability that two points at distance r lie in the same cluster of the phase.

The hits of S2 are counted cluster by cluster, each in its own bounding box.
S. Torquato, J. D. Beasley, Y. C. Chiew, J. Chem. Phys. 88 (1988) 6540.
"""

import numpy as np

from matlens.quantify import masks, two_point


def label(mask: np.ndarray, connectivity: str) -> np.ndarray:
    """Number the clusters of a mask from 1: neighbours share a face ("faces"), or at least a corner ("corners")."""
    import cc3d

    ways = {"faces": {2: 4, 3: 6}, "corners": {2: 8, 3: 26}}[connectivity][mask.ndim]
    return cc3d.connected_components(mask, connectivity=ways)


def _boxes(clusters: np.ndarray) -> list[tuple[int, tuple[slice, ...]]]:
    """List the clusters with their bounding boxes."""
    from scipy import ndimage

    return [(number, box) for number, box in enumerate(ndimage.find_objects(clusters), start=1) if box]


def hits(clusters: np.ndarray, axes: tuple[int, ...], max_lag: int) -> np.ndarray:
    """Sum the hits of all clusters; laid out as `two_point.hits` does."""
    lags = [two_point.reach(clusters.shape[axis], max_lag, False) for axis in axes]
    total = np.zeros([2 * lag + 1 for lag in lags[:-1]] + [lags[-1] + 1])
    for number, box in _boxes(clusters):
        found = two_point.hits(clusters[box] == number, axes, max_lag, False)
        where = []
        for size, lag in zip(found.shape[:-1], lags[:-1], strict=True):
            own = size // 2
            where.append(np.r_[0 : own + 1, 2 * lag + 1 - own : 2 * lag + 1])
        total[np.ix_(*where, np.arange(found.shape[-1]))] += found
    return total


def measure(
    labels: np.ndarray,
    phases: list[str],
    *,
    phase: int = 1,
    max_lag_px: int = 100,
    connectivity: str = "faces",
    radial: bool = True,
):
    """Measure the two-point cluster function of a phase along each axis and against distance.

    `phase`: its number. `max_lag_px`: the largest lag (less where the image is smaller). `connectivity`: "faces" or
    "corners". `radial`: also pool all directions. Returns phase, direction (x, y, z, radial), lag_px,
    two_point_cluster_probability; at lag 0 that is the fraction of the phase.
    """
    clusters = label(masks.of_phase(labels, phase, phases), connectivity)
    found = two_point.shares(lambda axes: hits(clusters, axes, max_lag_px), clusters.shape, max_lag_px, False, radial)
    return masks.curves(found, phase, "two_point_cluster_probability")
