"""Every region of a label image: its size, place, shape and surroundings."""

import numpy as np

from matlens import columns
from matlens.quantify import region_map


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple[float, ...] | None = None,
    *,
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
    gap_px: float = 0.0,
):
    """Measure every region of one item, a row each.

    `labels`: uint8 phase map or int32 region map, 2-D or 3-D. `spacing`: that of each axis in pixel widths, in which
    all lengths are, those of centroids and boxes too. A region `touches_border` where it touches what is not labelled.
    `gap_px`: two regions no further than twice this apart are neighbours. Other options: see `region_map.number`.

    Pixels are counted at their centres, y downwards. The ellipse has the second central moments of the region, its
    axes are 4 sqrt(eigenvalue), as in `skimage.measure.regionprops`; `orientation_deg` is the angle of its major axis
    to the x axis, counter-clockwise as one sees the image, 0 to 180 (empty for a region without one). The perimeter
    comes from crossings along 4 directions (see `boundaries`) and takes the edge of the image as boundary. Convex area
    and Feret diameters are those of the convex hull around the corners of the pixels, so that a rectangle has solidity
    1. A volume has volume, equivalent diameter, centroid, bounding box, surface (13 directions) and sphericity.
    """
    found = region_map.number(labels, phases, connectivity, background, min_area_px2)
    return table(found, phases, gap_px, spacing)


def table(found, phases: list[str], gap_px: float = 0.0, spacing: tuple[float, ...] | None = None):
    """Make the rows of all regions of a RegionMap, or of `bands.Regions`, which has the same methods."""
    import pandas as pd

    axes = "zyx"[-len(found.shape) :]
    steps = dict(zip(axes, spacing or (1,) * len(axes), strict=True))
    if all(step == 1 for step in steps.values()):
        steps, spacing = dict.fromkeys(axes, 1), None  # whole numbers stay whole
    first, sums, box = found.moments()
    perimeter, pairs = found.boundary(gap_px, spacing)
    size = sums[:, 0]
    mean = sums[:, 1:4] / size[:, None]
    place = {f"centroid_{a}_px": (first + mean)[:, "zyx".index(a)] * steps[a] for a in axes}
    bounds = {f"bbox_{a}_min_px": box[:, "zyx".index(a)] * steps[a] for a in axes}
    bounds |= {f"bbox_{a}_max_px": box[:, 3 + "zyx".index(a)] * steps[a] for a in axes}
    inside = np.ones(found.count, bool)
    for a in axes:
        index = "zyx".index(a)
        inside &= (box[:, index] > 0) & (box[:, 3 + index] < found.shape[axes.index(a)])
    inside &= ~found.cut()
    if len(axes) == 2:
        shape = _flat(found, sums, mean, box, perimeter, steps["y"])
    else:
        shape = _solid(size * (steps["z"] * steps["y"]), perimeter)
    return pd.DataFrame(
        {
            **region_map.phase_columns(found.phase, phases),
            columns.REGION: found.number,
            **shape,
            **place,
            **bounds,
            "touches_border": ~inside,
            "neighbours": np.bincount(pairs.ravel(), minlength=found.count + 1)[1:],
        }
    )


def _flat(found, sums: np.ndarray, mean: np.ndarray, box: np.ndarray, perimeter: np.ndarray, step: float) -> dict:
    """Compute the columns of size and shape of the regions of an image, whose rows are `step` pixel widths apart."""
    from matlens.quantify import region_kernels

    count = sums[:, 0]
    yy, xx = sums[:, 4] / count - mean[:, 1] ** 2, sums[:, 5] / count - mean[:, 2] ** 2
    yx = sums[:, 6] / count - mean[:, 1] * mean[:, 2]
    area, yy, yx = count * step, yy * step**2, yx * step
    half, spread = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    major, minor = 4 * np.sqrt(half + spread), 4 * np.sqrt(np.maximum(half - spread, 0))
    minor[minor < 1e-6 * major] = 0  # rounding, in a line of pixels
    angle = np.degrees(np.arctan2(-2 * yx, xx - yy) / 2) % 180
    offset = np.concatenate([[0, 0], np.cumsum(box[:, 4] - box[:, 1])])
    top = np.concatenate([[0], box[:, 1]])
    left, right = found.extents(top, offset)
    convex, feret_max, feret_min = region_kernels.hulls(left, right, offset, found.count, float(step))[1:].T
    with np.errstate(divide="ignore", invalid="ignore"):
        aspect = np.where(minor > 0, major / minor, np.nan)
        eccentricity = np.where(major > 0, np.sqrt(1 - (minor / major) ** 2), 0.0)
    return {
        columns.AREA: area,
        "equivalent_diameter_px": np.sqrt(4 * area / np.pi),
        "major_axis_px": major,
        "minor_axis_px": minor,
        "orientation_deg": np.where(spread > 1e-9 * np.maximum(half, 1e-9), angle, np.nan),
        "eccentricity": eccentricity,
        "aspect_ratio": aspect,
        "perimeter_px": perimeter,
        "circularity": 4 * np.pi * area / perimeter**2,
        "convex_area_px2": convex,
        "solidity": area / convex,
        "feret_max_px": feret_max,
        "feret_min_px": feret_min,
    }


def _solid(size: np.ndarray, surface: np.ndarray) -> dict:
    """Compute the columns of size and shape of the regions of a volume."""
    return {
        "volume_px3": size,
        "equivalent_diameter_px": np.cbrt(6 * size / np.pi),
        "surface_area_px2": surface,
        "sphericity": np.cbrt(36 * np.pi * size.astype(float) ** 2) / surface,
    }
