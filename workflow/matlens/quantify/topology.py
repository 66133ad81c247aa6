"""Grains of a plane section as a network: mean diameter, sides, and the laws of Aboav-Weaire and Lewis.

In an unbounded section whose vertices all join three grains the mean number of sides is 6 and the mean angle 120 deg.
A Poisson-Voronoi section has a variance of the sides of 1.7808 (K. A. Brakke, 1986).
"""

import numpy as np

from matlens.job.batch import BadItem
from matlens.quantify import boundaries, grain_count, grain_size, polygons, region_map, sampling

FEWEST = 3  # numbers of sides at least for a slope


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple[float, ...] | None = None,
    *,
    boundary: str = "",
    connectivity: str = "corners",
    min_area_px2: float = 0.0,
    gap_px: float = 2.0,
    merge_px: float = 0.0,
    radius_px: float = 8.0,
):
    """Measure the network of the grains of one item, one row.

    `labels`: uint8 phase map or int32 region map, 2-D. `boundary`: phase between grains, of a phase map (empty: grains
    are the regions of all phases but the first). Other options: see `polygons.measure` and `polygons.triple_points`.
    `mean_area_diameter_px` is the diameter of the circle of the mean grain area, counted without bias from the border
    (`grain_count.planimetric`); sides are weighted against the loss of large grains at the border (Miles, Lantuejoul).
    `aboav_a`: slope a of n m(n) = (6 - a) n + 6 a + mu2, with m(n) the mean sides of the neighbours of grains of n
    sides (D. A. Aboav, Metallography 3 (1970) 383). `lewis_slope`: slope of the mean area over the mean area of all
    against n (F. T. Lewis, Anat. Rec. 38 (1928) 341). Slopes are empty with fewer than three numbers of sides.
    """
    import pandas as pd

    if boundary and labels.dtype == np.uint8 and labels.ndim == 2:
        labels = grain_size.grains_of(labels, phases, boundary)
    whole = region_map.number(labels, phases, connectivity, False, min_area_px2)
    if whole.pixels.ndim != 2:
        raise BadItem("the network of grains is that of a plane section; quantify a stack slice by slice")
    step, known = float(spacing[0]) if spacing else 1.0, whole.known
    grown = region_map.grow(whole.pixels, gap_px, known, spacing).astype(np.int32)
    grown = grown if known is None else np.where(known, grown, -1)
    joined = {"gap_px": 0.0, "merge_px": merge_px}
    cells = polygons.measure(grown, phases, spacing, **joined)
    angles = polygons.triple_points(grown, phases, spacing, radius_px=radius_px, **joined)
    angle = angles[[f"angle_{name}_deg" for name in "abc"]].to_numpy(float)
    sides, area = cells["sides"].to_numpy(float, na_value=np.nan), np.bincount(grown[grown > 0])[1:] * step
    weight = np.where(cells["complete"], _weights(grown, known, whole.count), 0.0)
    grains, tested = (float(part.sum()) for part in grain_count.planimetric(grown))
    mean_area = tested * step / grains if grains > 0 else np.nan
    mean, variance = _moments(sides, weight)
    pairs = boundaries.count(np.maximum(grown, 0), whole.count, spacing)[1] - 1
    row = {
        "grains_in_area": grains,
        "complete_regions": int((weight > 0).sum()),
        "mean_area_diameter_px": np.sqrt(4 * mean_area / np.pi),
        "mean_area_px2": mean_area,
        "mean_sides": mean,
        "sides_variance": variance,
        "aboav_a": _aboav(sides, pairs),
        "lewis_slope": _slope(sides, area / mean_area, weight),
        "triple_points": len(angles),
        "triple_angle_std_deg": float(np.nanstd(angle)) if np.isfinite(angle).any() else np.nan,
    }
    return pd.DataFrame([row])


def _weights(grains: np.ndarray, known: np.ndarray | None, count: int) -> np.ndarray:
    """Weigh grains against the loss of large ones at the border of the image, or of the labelled pixels: (count,)."""
    from scipy import ndimage

    places = ndimage.find_objects(np.maximum(grains, 0), max_label=count)
    box = np.array([[s.start for s in part] + [s.stop for s in part] for part in places], np.int64).reshape(-1, 4)
    if known is None:
        return sampling.window_weights(box, grains.shape, "miles_lantuejoul")
    return sampling.known_weights(np.maximum(grains, 0), box, known, "miles_lantuejoul")


def _moments(sides: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return the weighted mean and variance of the sides of complete grains; empty without any."""
    use = (weight > 0) & np.isfinite(sides)
    if not use.any():
        return np.nan, np.nan
    mean = np.average(sides[use], weights=weight[use])
    return float(mean), float(np.average((sides[use] - mean) ** 2, weights=weight[use]))


def _slope(sides: np.ndarray, values: np.ndarray, weight: np.ndarray) -> float:
    """Return the slope of values against the sides, over grains with finite ones; empty with too few kinds of them."""
    use = (weight > 0) & np.isfinite(sides) & np.isfinite(values)
    if len(np.unique(sides[use])) < FEWEST:
        return np.nan
    return float(np.polyfit(sides[use], values[use], 1, w=np.sqrt(weight[use]))[0])


def _aboav(sides: np.ndarray, pairs: np.ndarray) -> float:
    """Return a of Aboav's law from the grains all of whose neighbours are complete: 6 - slope of n m(n) against n."""
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    total = np.bincount(ends[:, 0], sides[ends[:, 1]], minlength=len(sides))
    number = np.bincount(ends[:, 0], minlength=len(sides))
    around = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    slope = _slope(sides, sides * around, np.ones(len(sides)))
    return 6 - slope
