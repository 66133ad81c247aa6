"""Two-point cluster function C2(r): the probability that two points at distance r lie in the same cluster of the phase.

The hits of S2 are counted cluster by cluster, each in its own bounding box.
S. Torquato, J. D. Beasley, Y. C. Chiew, J. Chem. Phys. 88 (1988) 6540.
"""

import numpy as np

from matlens.image import masks, two_point


def label(mask: np.ndarray, connectivity: str) -> np.ndarray:
    """Number the clusters of a mask from 1: neighbours share a face ("faces"), or at least a corner ("corners")."""
    import cc3d

    ways = {"faces": {2: 4, 3: 6}, "corners": {2: 8, 3: 26}}[connectivity][mask.ndim]
    # as uint8: of boolean images cc3d 4.1.1 leaves gaps in the numbers
    return cc3d.connected_components(np.ascontiguousarray(mask).view(np.uint8), connectivity=ways)


def _boxes(clusters: np.ndarray) -> list[tuple[int, tuple[slice, ...]]]:
    """List the clusters with their bounding boxes."""
    from scipy import ndimage

    return [(number, box) for number, box in enumerate(ndimage.find_objects(clusters), start=1) if box]


def hits(clusters: np.ndarray, axes: tuple[int, ...], lags: list[int]) -> np.ndarray:
    """Sum the hits of all clusters up to the largest lags of some axes; laid out as `two_point.hits` does."""
    total = np.zeros([2 * lag + 1 for lag in lags[:-1]] + [lags[-1] + 1])
    for number, box in _boxes(clusters):
        inside = clusters[box] == number
        near = [two_point.reach(inside.shape[axis], lag, False) for axis, lag in zip(axes, lags, strict=True)]
        found = two_point.hits(inside, axes, near, False)
        where = []
        for size, lag in zip(found.shape[:-1], lags[:-1], strict=True):
            own = size // 2
            where.append(np.r_[0 : own + 1, 2 * lag + 1 - own : 2 * lag + 1])
        total[np.ix_(*where, np.arange(found.shape[-1]))] += found
    return total


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple | None = None,
    *,
    phase: int = 1,
    max_lag_px: int = 100,
    connectivity: str = "faces",
    radial: bool = True,
):
    """Measure the two-point cluster function of a phase along each axis and against distance.

    `phase`: its number. `max_lag_px`: the largest lag (less where the image is smaller). `connectivity`: "faces" or
    "corners". `radial`: also pool all directions. `spacing`: see `masks.spacings`. Returns phase, direction (x, y, z,
    radial), lag_px, two_point_cluster_probability; at lag 0 that is the fraction of the phase. A pair counts if both of
    its pixels are labelled; clusters that only unlabelled pixels join are apart.
    """
    mask, known = masks.window(labels, phase, phases)
    clusters = label(mask, connectivity)
    found = two_point.shares(lambda axes, lags: hits(clusters, axes, lags), known, max_lag_px, False, radial, spacing)
    steps = dict(zip(masks.directions(mask.ndim), masks.spacings(spacing, mask.ndim), strict=True))
    return masks.curves(found, phase, "two_point_cluster_probability", steps)
