"""Grain size after ASTM E112: intercepts of lines (Heyn) and of three circles (Abrams), and planimetry (Jeffries).

G = -6.643856 log10(l) - 3.288 with the mean lineal intercept l in mm, and G = 3.321928 log10(N) - 2.954 with the
grains N per mm2 (ASTM E112-13, section 4 and Table 6). 95 % intervals: t s / sqrt(n) over n fields (section 15).
"""

import numpy as np

from matlens.job.batch import BadItem
from matlens.quantify import region_map

STEPS = {0: (0, 1), 45: (-1, 1), 90: (1, 0), 135: (1, 1)}  # counter-clockwise from the x axis, as one sees the image
CIRCLES = (0.7958, 0.5305, 0.2653)  # diameters over the side of the square: 79.58, 53.05 and 26.53 mm in one of 100 mm


def g_of_intercept(length_um):
    """Return the ASTM grain size number of a mean lineal intercept in micrometres."""
    return -6.643856 * np.log10(np.asarray(length_um, float) / 1000) - 3.288


def g_of_density(grains_per_mm2):
    """Return the ASTM grain size number of a number of grains per square millimetre."""
    return 3.321928 * np.log10(np.asarray(grains_per_mm2, float)) - 2.954


def chords(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a line of pixels into runs of equal value; return the start of each, its length and its value."""
    start = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return start, np.diff(start, append=len(values)), values[start]


def intersections(values: np.ndarray, closed: bool = False) -> float:
    """Count the boundaries that a test line crosses, on the region numbers along it; 0 is boundary.

    A run of boundary pixels between two grains is one boundary, whatever its width, and so is a direct change of
    grain. A line that ends on a boundary counts it half. `closed`: the line ends where it began, as a circle does.
    On a line of length L with P intersections, ends in grains count half, so that L / P is the mean intercept.
    """
    _, _, runs = chords(values)
    if not runs.any():
        return 0.0
    if closed:
        runs = np.roll(runs, -int(np.flatnonzero(runs)[0]))
        runs = np.append(runs, runs[0])
    grains = np.flatnonzero(runs)
    count = float(len(grains) - 1)
    if closed and len(grains) == 2 and grains[1] - grains[0] == 1:
        return 0.0  # one grain all around
    if closed and len(runs) > 2 and runs[-2] == runs[0]:
        count -= 1  # the seam lies within a grain
    return count + 0.5 * (int(runs[0] == 0) + int(runs[-1] == 0))


def whole_chords(values: np.ndarray) -> np.ndarray:
    """Return the lengths of the grains along a test line, in pixels, without boundaries and those its ends cut."""
    _, length, runs = chords(values)
    return length[1:-1][runs[1:-1] > 0]


def straight(shape: tuple[int, int], direction: int, spacing: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lay parallel test lines over an image, from edge to edge through pixel centres; rows and columns of each.

    `direction`: 0, 45, 90 or 135 degrees; `spacing`: distance between lines in pixels. The first line lies half of it
    inside.
    """
    height, width = shape
    if direction in (0, 90):
        across = height if direction == 0 else width
        places = np.unique(np.floor(np.arange(spacing / 2, across, spacing)).astype(int))
        along = np.arange(width if direction == 0 else height)
        lines = [(np.full(len(along), place), along) for place in places]
        return lines if direction == 0 else [(cols, rows) for rows, cols in lines]
    sums = np.arange(spacing * np.sqrt(0.5), height + width - 1, spacing * np.sqrt(2))
    lines = []
    for place in np.unique(np.floor(sums).astype(int)):
        rows = np.arange(max(0, place - width + 1), min(height, place + 1))
        cols = place - rows
        lines.append((rows[::-1], cols[::-1]) if direction == 45 else (rows, width - 1 - cols))
    return lines


def circle(centre: tuple[float, float], diameter: float) -> tuple[np.ndarray, np.ndarray]:
    """Lay a circle over an image: rows and columns of the pixels under points one pixel apart on it."""
    angle = np.linspace(0, 2 * np.pi, max(8, int(np.pi * diameter)), endpoint=False)
    rows, cols = centre[0] + diameter / 2 * np.sin(angle), centre[1] + diameter / 2 * np.cos(angle)
    return np.floor(rows + 0.5).astype(int), np.floor(cols + 0.5).astype(int)


def steady(values: np.ndarray) -> np.ndarray:
    """Remove flicker from a closed line: a single pixel between two of the same grain joins it.

    A circle through the pixel grid steps in and out of a grain whose boundary it meets at a small angle.
    """
    before, after = np.roll(values, 1), np.roll(values, -1)
    return np.where((before == after) & (before != 0) & (values != 0), before, values)


def rate(counts: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Estimate a number per length (or area) from fields, and the half width of its 95 % interval.

    The ratio of sums, with t s / sqrt(n) of its residuals; for fields of equal size these are the mean of the fields
    and the interval of ASTM E112 section 15. The interval is empty (nan) for fewer than two fields.
    """
    from scipy.stats import t

    n, value = len(counts), counts.sum() / sizes.sum()
    if n < 2:
        return value, np.nan
    spread = np.sqrt(n / (n - 1) * ((counts - value * sizes) ** 2).sum()) / sizes.sum()
    return value, float(t.ppf(0.975, n - 1) * spread)


def planimetric(pixels: np.ndarray) -> float:
    """Count the grains of a rectangle: inside + cut / 2 + 1, the four corner grains being that one (section 11).

    The rectangle runs through the centres of the border pixels, so that an image of h by w counts (h - 1) (w - 1) px2.
    With every cut grain counted alike this is inside + cut / 2 - 1, which also holds where one grain takes two
    corners; a rectangle within one grain counts 0.
    """
    present = np.unique(pixels[pixels > 0])
    edge = np.unique(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]))
    cut = np.count_nonzero(edge)
    return max(0.0, len(present) - cut / 2 - 1)


def _grains(labels: np.ndarray, phases: list[str], boundary: str) -> np.ndarray:
    """Number the grains: those of a region map, or what the boundary phase of a phase map encloses (4 neighbours)."""
    if labels.ndim != 2:
        raise BadItem("ASTM E112 measures plane sections; quantify a stack slice by slice")
    if labels.dtype == np.uint8 or labels.dtype == bool:
        if boundary not in phases:
            raise BadItem(
                f"these labels are phases, not grains: name the phase that is grain boundary in the option 'boundary' "
                f"(phases of the study: {', '.join(phases)}), or segment with a method that numbers grains"
            )
        outside = (labels == phases.index(boundary)) | (labels == region_map.UNLABELLED)
        labels = np.where(outside, 0, 1).astype(np.uint8)
    pixels = region_map.number(labels, phases, "faces").pixels
    if not pixels.any():
        raise BadItem("no grain in the labels: everything is boundary or background")
    return pixels


def measure(
    labels: np.ndarray,
    phases: list[str],
    pixel_size_um: float | None,
    *,
    boundary: str = "",
    lines: int = 10,
    fields: int = 3,
):
    """Measure the grain size of one item by the three procedures of ASTM E112, a row each.

    `labels`: int32 map of grains (0 is boundary, not pore), or uint8 phase map with the phase `boundary` between
    grains. `pixel_size_um`: edge of a pixel; without it G is empty. `lines`: straight lines at 0, 45, 90 and 135
    degrees, one shorter image side / `lines` apart, each a field. `fields`: the image is cut into `fields` x `fields`
    rectangles for circles and planimetry, three circles of 0.7958, 0.5305 and 0.2653 of the shorter side in each.

    Rows: `lines` over all directions and for each (`direction_deg`), `circles`, `planimetric`. Columns: number of
    fields, counted intersections or grains, length and area tested, mean lineal intercept or grains per area with the
    half width of their 95 % interval, mean length of the whole chords inside grains (without the width of boundaries),
    relative accuracy in percent, and G with the G of the interval's ends.
    ASSUME: an intersection at a triple point counts as what the line crosses there, 1 or 2, instead of 1.5.
    """
    import pandas as pd

    pixels = _grains(np.asarray(labels), phases, boundary)
    if min(pixels.shape) < 4 * fields:
        raise BadItem(
            f"an image of {' x '.join(map(str, pixels.shape))} pixels is too small for {fields} fields a side"
        )
    tested = {direction: _lines(pixels, direction, min(pixels.shape) / lines) for direction in STEPS}
    together = [np.concatenate(part) for part in zip(*tested.values(), strict=True)]
    rows = [_intercept_row("lines", np.nan, *together, pixel_size_um)]
    rows += [_intercept_row("lines", float(direction), *tested[direction], pixel_size_um) for direction in tested]
    tiles = _tiles(pixels, fields)
    circled = [_circles(tile) for tile in tiles]
    circled = [np.array(part) for part in zip(*circled, strict=True)]
    rows.append(_intercept_row("circles", np.nan, *circled, np.zeros(0), pixel_size_um))
    grains = np.array([planimetric(tile) for tile in tiles])
    areas = np.array([(len(tile) - 1.0) * (len(tile.T) - 1.0) for tile in tiles])
    rows.append(_planimetric_row(grains, areas, pixel_size_um))
    return pd.DataFrame(rows)


def _tiles(pixels: np.ndarray, fields: int) -> list[np.ndarray]:
    """Cut an image into fields x fields rectangles."""
    edges = [[length * k // fields for k in range(fields + 1)] for length in pixels.shape]
    return [
        pixels[top:bottom, left:right]
        for top, bottom in zip(edges[0][:-1], edges[0][1:], strict=True)
        for left, right in zip(edges[1][:-1], edges[1][1:], strict=True)
        if bottom > top + 1 and right > left + 1
    ]


def _lines(pixels: np.ndarray, direction: int, spacing: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the intersections of parallel lines; return them, the length of each line and all whole chords, in px."""
    tested, step = straight(pixels.shape, direction, spacing), np.hypot(*STEPS[direction])
    counts = np.array([intersections(pixels[line]) for line in tested])
    lengths = np.array([step * len(line[0]) for line in tested])
    return counts, lengths, step * np.concatenate([whole_chords(pixels[line]) for line in tested])


def _circles(pixels: np.ndarray) -> tuple[float, float]:
    """Count the intersections of three concentric circles in the middle of a field, and measure their length."""
    side, centre = min(pixels.shape), [(n - 1) / 2 for n in pixels.shape]
    rings = [circle(centre, part * side) for part in CIRCLES]
    count = sum(intersections(steady(pixels[ring]), closed=True) for ring in rings)
    return count, sum(np.pi * part * side for part in CIRCLES)


def _ends(value: float, half: float) -> tuple[float, float]:
    """Return the ends of an interval of a positive number; a lower end that is not positive is empty."""
    return (value - half if value > half else np.nan), value + half


def _intercept_row(procedure: str, direction: float, counts, lengths, whole, pixel_size_um) -> dict:
    """Make the row of an intercept procedure; an image without a boundary has no mean intercept."""
    per_px, half = rate(counts, lengths)
    scale = np.nan if pixel_size_um is None else pixel_size_um
    low, high = _ends(per_px, half)
    intercept = 1 / per_px if per_px > 0 else np.nan
    return {
        "procedure": procedure,
        "direction_deg": direction,
        "fields": len(counts),
        "counted": counts.sum(),
        "test_length_px": lengths.sum(),
        "test_area_px2": np.nan,
        "mean_lineal_intercept_px": intercept,
        "mean_lineal_intercept_ci95_px": intercept * half / per_px if per_px > 0 else np.nan,
        "chord_mean_px": whole.mean() if len(whole) else np.nan,
        "grains_per_px2": np.nan,
        "grains_ci95_per_px2": np.nan,
        "relative_accuracy_percent": 100 * half / per_px if per_px > 0 else np.nan,
        "g_number": float(g_of_intercept(intercept * scale)),
        "g_number_low": float(g_of_intercept(scale / low)),
        "g_number_high": float(g_of_intercept(scale / high)) if high > 0 else np.nan,
    }


def _planimetric_row(grains: np.ndarray, areas: np.ndarray, pixel_size_um) -> dict:
    """Make the row of the planimetric procedure; fields without grains have no G."""
    per_px2, half = rate(grains, areas)
    per_mm2 = np.nan if pixel_size_um is None else 1e6 / pixel_size_um**2
    low, high = _ends(per_px2, half)
    found = per_px2 > 0
    return {
        "procedure": "planimetric",
        "direction_deg": np.nan,
        "fields": len(grains),
        "counted": grains.sum(),
        "test_length_px": np.nan,
        "test_area_px2": areas.sum(),
        "mean_lineal_intercept_px": np.nan,
        "mean_lineal_intercept_ci95_px": np.nan,
        "chord_mean_px": np.nan,
        "grains_per_px2": per_px2,
        "grains_ci95_per_px2": half,
        "relative_accuracy_percent": 100 * half / per_px2 if found else np.nan,
        "g_number": float(g_of_density(per_px2 * per_mm2)) if found else np.nan,
        "g_number_low": float(g_of_density(low * per_mm2)) if found else np.nan,
        "g_number_high": float(g_of_density(high * per_mm2)) if found else np.nan,
    }
