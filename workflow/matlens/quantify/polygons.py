"""Grains as polygons between the points where three of them meet, and the angles at these points.

After J. Gorynski et al. (2023), who replace the outlines of segmented grains by the polygon of their triple points.
"""

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem
from matlens.quantify import boundaries, region_map

SLIVER = 4.0  # pixels


def _junctions(image: np.ndarray, merge_px: float, step: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the junctions of an image of regions: places (m, 2), their number at every corner, (junction, region).

    Corners no further apart than `merge_px` are one junction, at their mean; so are those within `SLIVER` between
    the same three regions, where the tip of a grain breaks into pixels. Rows are `step` pixel widths apart; places are
    in pixels of the grid.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    from matlens.quantify import outline_kernels

    corners = outline_kernels.junctions(image)
    around = np.stack([image[corners[:, 0] - i, corners[:, 1] - j] for i in (0, 1) for j in (0, 1)], axis=1)
    low, second, third, high = np.sort(around, axis=1).T
    trio = np.stack([low, np.where(low == second, third, second), high], axis=1)
    close = np.zeros((0, 2), int)
    if len(corners):
        spread = corners if step == 1 else corners * np.array([step, 1.0])
        close = cKDTree(spread).query_pairs(max(merge_px, SLIVER * max(step, 1.0)), output_type="ndarray")
        near = np.hypot(*(spread[close[:, 0]] - spread[close[:, 1]]).T) <= merge_px
        close = close[near | (trio[close[:, 0]] == trio[close[:, 1]]).all(1)]
    links = coo_array((np.ones(len(close)), tuple(close.T)), shape=(len(corners),) * 2)
    amount, number = connected_components(links, directed=False) if len(corners) else (0, np.zeros(0, int))
    size = np.bincount(number, minlength=amount)
    place = np.stack([np.bincount(number, corners[:, a], minlength=amount) / np.maximum(size, 1) for a in (0, 1)], 1)
    marks = np.full((image.shape[0] + 1, image.shape[1] + 1), -1, np.int32)
    marks[corners[:, 0], corners[:, 1]] = number
    meeting = np.unique(np.stack([np.repeat(number, 4), around.ravel()], axis=1), axis=0)
    return place, marks, meeting[meeting[:, 1] > 0]


def _find(labels: np.ndarray, phases: list[str], connectivity, min_area_px2, gap_px, spacing) -> region_map.RegionMap:
    """Find the regions of an image, without the gaps between them; phase 0 of a phase map is no region."""
    found = region_map.number(labels, phases, connectivity, False, min_area_px2)
    if found.pixels.ndim != 2:
        raise BadItem("polygons and triple points are those of a plane section; quantify a stack slice by slice")
    return region_map.RegionMap(region_map.grow(found.pixels, gap_px, found.known, spacing), found.number, found.phase)


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple[float, ...] | None = None,
    *,
    connectivity: str = "corners",
    min_area_px2: float = 0.0,
    gap_px: float = 2.0,
    merge_px: float = 0.0,
):
    """Replace every grain by the polygon through its junctions, in order, and measure it.

    `labels`: uint8 phase map or int32 region map, 2-D. `spacing`: that of each axis in pixel widths. `gap_px`: grains
    first grow into the background by this much, so that grains with a line between them meet. `merge_px`: junctions no
    further apart than this are one. Other options: see `region_map.number`. A junction is where at least three grains
    meet; a grain has as many sides as junctions. A grain at the edge of the image or of a pore is not `complete`: its
    polygon is not known, its columns are empty.
    """
    import pandas as pd

    from matlens.quantify import outline_kernels, region_kernels

    found = _find(labels, phases, connectivity, min_area_px2, gap_px, spacing)
    step = float(spacing[0]) if spacing else 1.0
    first, sums, _ = region_kernels.moments(found.pixels[None], found.count)
    place, marks, _ = _junctions(found.pixels, merge_px, step)
    visits, offset, closed = outline_kernels.trace(found.pixels, first[:, 1:], found.count, marks)
    _, pairs, _ = boundaries.count(found.pixels, found.count, spacing)
    closed = closed[1:]
    sides = np.diff(offset[1:])
    return pd.DataFrame(
        {
            **region_map.phase_columns(found.phase, phases),
            columns.REGION: found.number,
            "complete": closed,
            "neighbours": np.bincount(pairs.ravel(), minlength=found.count + 1)[1:],
            "sides": pd.arrays.IntegerArray(np.where(closed, sides, 0), ~closed),
            **_shapes(place[visits] * [step, 1.0], sides, closed & (sides >= 3), sums[1:, 0] * step),
        }
    )


def _shapes(points: np.ndarray, sides: np.ndarray, whole: np.ndarray, area: np.ndarray) -> dict:
    """Measure polygons given as the corners of all, one after the other, clockwise; empty where `whole` is false."""
    owner = np.repeat(np.arange(len(sides)), sides)
    start = np.repeat(np.cumsum(sides) - sides, sides)
    at = np.arange(len(points)) - start
    after = points[start + (at + 1) % np.repeat(sides, sides)] if len(points) else points
    before = points[start + (at - 1) % np.repeat(sides, sides)] if len(points) else points
    ahead, behind = after - points, points - before
    turn = np.arctan2(behind[:, 1] * ahead[:, 0] - behind[:, 0] * ahead[:, 1], (behind * ahead).sum(1))
    angle = 180 - np.degrees(turn)
    number = np.maximum(sides, 1)

    def total(values):
        return np.bincount(owner, values, minlength=len(sides))

    def kept(values):
        return np.where(whole, values, np.nan)

    mean = total(angle) / number
    smallest, largest = np.full(len(sides), np.inf), np.full(len(sides), -np.inf)
    np.minimum.at(smallest, owner, angle)
    np.maximum.at(largest, owner, angle)
    polygon = total(points[:, 1] * after[:, 0] - after[:, 1] * points[:, 0]) / 2
    around = total(np.hypot(*ahead.T))
    return {
        "polygon_area_px2": kept(polygon),
        "polygon_perimeter_px": kept(around),
        "polygon_area_ratio": kept(polygon / area),
        "side_mean_px": kept(around / number),
        "angle_mean_deg": kept(mean),
        "angle_std_deg": kept(np.sqrt(total((angle - mean[owner]) ** 2) / number)),
        "angle_min_deg": kept(smallest),
        "angle_max_deg": kept(largest),
    }


def triple_points(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple[float, ...] | None = None,
    *,
    connectivity: str = "corners",
    min_area_px2: float = 0.0,
    gap_px: float = 2.0,
    merge_px: float = 0.0,
    radius_px: float = 8.0,
):
    """Measure the three angles at every point where three grains meet; they sum to 360 degrees.

    Each of the three boundaries is a straight line through its points within `radius_px` (total least squares), and
    `angle_a_deg` is the angle that region a takes between its two. Angles are empty where a boundary has fewer than
    three points. Where four or more meet there is no triple point. Other options: see `measure`.
    """
    import pandas as pd

    from matlens.quantify import outline_kernels

    found = _find(labels, phases, connectivity, min_area_px2, gap_px, spacing)
    step = float(spacing[0]) if spacing else 1.0
    place, _, meeting = _junctions(found.pixels, merge_px, step)
    degree = np.bincount(meeting[:, 0], minlength=len(place))
    members = meeting[degree[meeting[:, 0]] == 3, 1].reshape(-1, 3)
    place = place[degree == 3]
    sums = outline_kernels.arms(found.pixels, place, members, float(radius_px), step)
    heading = _headings(sums)
    # arm k lies between members k and k + 1: member k + 1 is between arms k and k + 1
    gap = np.roll(_gaps(heading), 1, axis=1)
    numbers = found.number[members - 1]
    return pd.DataFrame(
        {
            "y_px": (place[:, 0] - 0.5) * step,
            "x_px": place[:, 1] - 0.5,
            **{f"region_{name}": numbers[:, k] for k, name in enumerate("abc")},
            **{f"angle_{name}_deg": gap[:, k] for k, name in enumerate("abc")},
        }
    )


def _headings(sums: np.ndarray) -> np.ndarray:
    """Fit a line to each set of points given by its sums; return the directions away from the junction, in radians."""
    number = sums[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        y, x, yy, xx, yx = np.moveaxis(sums[..., 1:] / number[..., None], -1, 0)
    yy, xx, yx = yy - y * y, xx - x * x, yx - y * x
    angle = np.arctan2(2 * yx, xx - yy) / 2
    backwards = np.cos(angle) * x + np.sin(angle) * y < 0
    return np.where(number >= 3, angle + np.pi * backwards, np.nan)


def _gaps(heading: np.ndarray) -> np.ndarray:
    """Return the angles (m, 3) from each of three arms to the next in degrees, without the third between them.

    They sum to 360, even where two arms have one heading; all are empty where an arm is.
    """
    place = np.argsort(np.argsort(heading, axis=1, kind="stable"), axis=1)  # of each arm, counter-clockwise
    forward = (np.roll(place, -1, axis=1) - place) % 3 == 1
    ahead = np.degrees(np.roll(heading, -1, axis=1) - heading)
    gap = np.where(forward, ahead, -ahead) % 360
    return np.where(np.isnan(heading).any(axis=1, keepdims=True), np.nan, gap)
