"""Triple-phase boundary: the length of the lines where three phases meet, per volume.

In a volume these are the voxel edges among whose four voxels at least three phases are found. A staircase of edges is
longer than the line that it follows: by 3/2 on average over all directions, so that two thirds of it estimate the
length of smooth, isotropic lines. In a section through an isotropic volume the lines are points, the pixel corners
where three phases meet, and the length per volume is twice their number per area (Underwood 1970, eq. 2.3).
"""

import itertools

import numpy as np

from matlens.job.batch import BadItem
from matlens.quantify.phase_maps import UNLABELLED

STAIRCASE = 3 / 2


def meetings(bits: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    """Tell at which of the inner edges across two axes at least three phases meet; `bits` has one bit per phase."""
    around = 0
    for shift in itertools.product((0, 1), repeat=2):
        cut = [slice(None)] * bits.ndim
        for axis, one in zip(axes, shift, strict=True):
            cut[axis] = slice(one, bits.shape[axis] - 1 + one)
        around = around | bits[tuple(cut)]
    return np.bitwise_count(around) >= 3


def measure(labels: np.ndarray):
    """Measure the length per volume of the lines where at least three phases meet.

    `labels`: phase map, in which 255 is not labelled and no phase; with fewer than three phases there are no lines.
    Returns triple_line_density_per_px2 (length of the voxel edges; empty in 2-D) and triple_line_smooth_per_px2 (of the
    lines behind them, if isotropic).
    """
    import pandas as pd

    if labels.dtype != np.uint8:
        raise BadItem("triple-phase boundaries need a phase map (uint8); this is a region map: leave out this measure")
    found, index = np.unique(labels, return_inverse=True)
    if len(found) > 64:
        raise BadItem(f"{len(found)} phases in one image; triple-phase boundaries are counted for up to 64")
    bits = (np.uint64(1) << index.astype(np.uint64)).reshape(labels.shape)
    bits = np.where(labels == UNLABELLED, 0, bits).astype(np.min_scalar_type(1 << (len(found) - 1)))
    density = 0.0
    for axes in itertools.combinations(range(labels.ndim), 2):
        meet = meetings(bits, axes)
        density += np.count_nonzero(meet) / meet.size if meet.size else 0.0
    edges, smooth = (density, density / STAIRCASE) if labels.ndim == 3 else (np.nan, 2.0 * density)
    return pd.DataFrame({"triple_line_density_per_px2": [edges], "triple_line_smooth_per_px2": [smooth]})
