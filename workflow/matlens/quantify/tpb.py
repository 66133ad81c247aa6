"""Triple-phase boundary: the length of the lines where three phases meet, per volume.

In a volume these are the voxel edges among whose four voxels at least three phases are found. A staircase of edges is
longer than the line that it follows: by 3/2 on average over all directions, so that two thirds of it estimate the
length of smooth, isotropic lines. In a section through an isotropic volume the lines are points, the pixel corners
where three phases meet, and the length per volume is twice their number per area (Underwood 1970, eq. 2.3).
"""

import itertools

import numpy as np

from matlens.image import masks
from matlens.image.phase_maps import UNLABELLED
from matlens.job.batch import BadItem

STAIRCASE = 3 / 2


def around(values: np.ndarray, axes: tuple[int, int], join) -> np.ndarray:
    """Join the values of the four pixels around each of the inner edges across two axes, by a function of two."""
    found = None
    for shift in itertools.product((0, 1), repeat=2):
        cut = [slice(None)] * values.ndim
        for axis, one in zip(axes, shift, strict=True):
            cut[axis] = slice(one, values.shape[axis] - 1 + one)
        found = values[tuple(cut)] if found is None else join(found, values[tuple(cut)])
    return found


def measure(labels: np.ndarray, spacing: tuple | None = None):
    """Measure the length per volume of the lines where at least three phases meet.

    `labels`: phase map, in which 255 is not labelled; with fewer than three phases there are no lines. `spacing`: see
    `masks.spacings`. An edge counts, with its length and volume, if all pixels around it are labelled. Returns
    triple_line_density_per_px2 (length of the voxel edges; empty in 2-D) and triple_line_smooth_per_px2 (of the lines
    behind them, if isotropic).
    """
    import pandas as pd

    if labels.dtype != np.uint8:
        raise BadItem("triple-phase boundaries need a phase map (uint8); this is a region map: leave out this measure")
    labels = labels[masks.bounds(masks.labelled(labels))]
    found, index = np.unique(labels, return_inverse=True)
    if len(found) > 64:
        raise BadItem(f"{len(found)} phases in one image; triple-phase boundaries are counted for up to 64")
    bits = (np.uint64(1) << index.astype(np.uint64)).reshape(labels.shape)
    bits, known = bits.astype(np.min_scalar_type(1 << (len(found) - 1))), labels != UNLABELLED
    density, steps = 0.0, masks.spacings(spacing, labels.ndim)
    for axes in itertools.combinations(range(labels.ndim), 2):
        seen = around(known, axes, np.logical_and)
        meet = (np.bitwise_count(around(bits, axes, np.bitwise_or)) >= 3) & seen
        if seen.any():
            density += np.count_nonzero(meet) / np.count_nonzero(seen) / (steps[axes[0]] * steps[axes[1]])
    edges, smooth = (density, density / STAIRCASE) if labels.ndim == 3 else (np.nan, 2.0 * density)
    return pd.DataFrame({"triple_line_density_per_px2": [edges], "triple_line_smooth_per_px2": [smooth]})
