"""Grain size after ASTM E112: intercepts of lines (Heyn) and of three circles (Abrams), and planimetry (Jeffries).

G = -6.643856 log10(l) - 3.288 with the mean lineal intercept l in mm, and G = 3.321928 log10(N) - 2.954 with the
grains N per mm2 (ASTM E112-13, section 4 and Table 6). 95 % intervals: t s / sqrt(n) over n fields (section 15), for
which blocks of the image stand: lines of all directions over one image see the same grains.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from matlens import columns
from matlens.image import masks
from matlens.job.batch import BadItem
from matlens.quantify import grain_count, region_map, surface
from matlens.quantify.grain_lines import (
    CIRCLES,
    STEPS,
    circle,
    intersections,
    marks,
    pieces,
    steady,
    straight,
    whole_chords,
)

WIDE = 3.0  # mean intercepts along a block at least
LOST = 0.01  # part of the intersections between pixels beyond which a row says so
LEAST_FILLED = 0.5  # ASSUME: of the plane; grains of ten pixels between lines three wide fill it
APART = "grains fill {:.0f} % of the plane: what lies between counts as boundary, and E112 is for grains that fill it"
ELONGATED = 1.5  # ASSUME: ratio of mean intercepts beyond which grains are not equiaxed; squares have 1.41
FEWEST = 50  # grains a field at least, ASTM E112-13 section 11


def g_of_intercept(length_um):
    """Return the ASTM grain size number of a mean lineal intercept in micrometres."""
    return -6.643856 * np.log10(np.asarray(length_um, float) / 1000) - 3.288


def g_of_density(grains_per_mm2):
    """Return the ASTM grain size number of a number of grains per square millimetre."""
    return 3.321928 * np.log10(np.asarray(grains_per_mm2, float)) - 2.954


def rate(counts: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Estimate a number per length (or area) from fields, and the half width of its 95 % interval.

    The ratio of sums, with t s / sqrt(n) of its residuals; for fields of equal size these are the mean of the fields
    and the interval of ASTM E112 section 15. The interval is empty (nan) for fewer than two fields.
    """
    from scipy.special import stdtrit

    counts, sizes = counts[sizes > 0], sizes[sizes > 0]
    n, value = len(counts), counts.sum() / sizes.sum() if len(sizes) else np.nan
    if n < 2:
        return value, np.nan
    spread = np.sqrt(n / (n - 1) * ((counts - value * sizes) ** 2).sum()) / sizes.sum()
    return value, float(stdtrit(n - 1, 0.975) * spread)


def blocks(shape: tuple[int, int], per_px: float, fields: int) -> tuple[int, int]:
    """Choose the blocks (rows, columns) whose scatter makes the interval.

    Lines, circles and fields that see the same grains are not independent, whatever their number; blocks that are
    several grains wide nearly are. There are at most `fields` along an axis, each at least three mean intercepts wide,
    and at least two. `per_px`: intersections per length.
    """
    if not per_px > 0:
        return fields, fields
    return tuple(max(2, min(fields, int(n * per_px / WIDE))) for n in shape)


def planimetric(pixels: np.ndarray) -> float:
    """Count the grains of a rectangle without bias from its border, see `grain_count`."""
    return float(grain_count.planimetric(pixels)[0][0])


def grains_of(labels: np.ndarray, phases: list[str], boundary: str) -> np.ndarray:
    """Number the grains: those of a region map, or areas enclosed by the boundary phase of a phase map (4 neighbours).

    Returns int32, cropped to what is labelled: grains from 1, boundary 0, not labelled -1.
    """
    if labels.ndim != 2:
        raise BadItem("ASTM E112 measures plane sections; quantify a stack slice by slice")
    known = np.ones(labels.shape, bool) if labels.dtype == bool else masks.labelled(labels)
    cut = masks.bounds(known)
    labels, known = labels[cut], known[cut]
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
    return pixels if known.all() else np.where(known, pixels, -1)


def _square(pixels: np.ndarray, spacing: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Repeat rows or columns so that pixels are square; return the image and the width of its pixels."""
    unit = min(spacing)
    if spacing[0] == spacing[1]:
        return pixels, unit
    for axis, step in enumerate(spacing):
        n = pixels.shape[axis]
        place = (np.arange(max(1, round(n * step / unit))) + 0.5) * unit / step
        pixels = np.take(pixels, np.minimum(place.astype(int), n - 1), axis=axis)
    return pixels, unit


def measure(
    labels: np.ndarray,
    phases: list[str],
    pixel_size_um: float | None,
    spacing: tuple | None = None,
    *,
    boundary: str = "",
    lines: int = 10,
    fields: int = 3,
):
    """Measure the grain size of one item by the three procedures of ASTM E112, a row each.

    `labels`: int32 map of grains (0 is boundary, not pore; -1 not labelled), or uint8 phase map with the phase
    `boundary` between grains (255 not labelled). `pixel_size_um`: width of a pixel; without it G is empty. `spacing`:
    see `masks.spacings`; for circles and planimetry, pixels that are not square are repeated until they are. `lines`:
    straight lines at 0, 45, 90 and 135 degrees (of flat pixels, along their diagonals, weighted), one shorter image
    side / `lines` apart; what is not labelled ends a line. `fields`: the image is
    cut into `fields` x `fields` rectangles for circles and planimetry, three circles of 0.7958, 0.5305 and 0.2653 of
    the shorter side in each.

    Rows: `lines` over all directions and for each (`direction_deg`), `circles`, `planimetric`. Columns: number of
    lines or fields, blocks behind the interval (see `blocks`), counted intersections or grains, length and area tested,
    mean lineal intercept or grains per area with the half width of their 95 % interval, mean length of the whole chords
    inside grains (without the width of boundaries), relative accuracy in percent, G with the G of the interval's ends,
    grains per field, and a note where the grains are too few or too small.
    ASSUME: an intersection at a triple point counts as what the line crosses there, 1 or 2, instead of 1.5.
    """
    import pandas as pd

    pixels, steps = grains_of(np.asarray(labels), phases, boundary), masks.spacings(spacing, 2)
    square, unit = _square(pixels, steps)
    if min(pixels.shape) < 4 * fields:
        raise BadItem(
            f"an image of {' x '.join(map(str, pixels.shape))} pixels is too small for {fields} fields a side"
        )
    tested = {step: _lines(pixels, direction, min(pixels.shape) / lines, steps) for direction, step in STEPS.items()}
    together = _together(tested, steps)
    parts = blocks(tuple(np.multiply(pixels.shape, steps)), together.per_px(), fields)
    rows = [_intercept_row("lines", np.nan, together, parts, pixel_size_um)]
    for (down, along), part in tested.items():
        angle = float(np.degrees(np.arctan2(-down * steps[0], along * steps[1])) % 180)
        rows.append(_intercept_row("lines", angle, part, parts, pixel_size_um))
    rows[0][columns.REMARK] = "; ".join(filter(None, (rows[0][columns.REMARK], elongated(rows[1:]))))
    rows.append(_intercept_row("circles", np.nan, _circles(square, fields, unit), parts, pixel_size_um))
    grains, areas = grain_count.planimetric(square, (fields, fields))
    rows.append(_planimetric_row(grains, areas * unit**2, fields, parts, pixel_size_um))
    filled = np.count_nonzero(pixels > 0) / np.count_nonzero(pixels >= 0)
    for row in (rows[0], rows[-1]) if filled < LEAST_FILLED else ():
        row[columns.REMARK] = "; ".join(filter(None, (row[columns.REMARK], APART.format(100 * filled))))
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Tested:
    """Result of test lines: counts and lengths with their places, whole chords, and the distance between pixels.

    `at` (n, 2): places over the sides of the image, 0 to 1; `counts`, `lengths` (n,): intersections and length there;
    `whole`: lengths of whole chords; `number`: of lines; `lost`: part of the intersections between pixels. In px.
    """

    at: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray
    whole: np.ndarray
    number: int
    lost: float = 0.0

    def per_px(self) -> float:
        """Return the intersections per length."""
        return float(self.counts.sum() / self.lengths.sum()) if self.lengths.sum() else np.nan

    def by_block(self, parts: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Sum counts and lengths over blocks (rows, columns)."""
        row, col = (np.minimum((self.at * parts).astype(int), np.array(parts) - 1)).T
        place, number = row * parts[1] + col, parts[0] * parts[1]
        return tuple(np.bincount(place, values, minlength=number) for values in (self.counts, self.lengths))


def _together(tested: dict[tuple[int, int], Tested], spacing: tuple[float, float]) -> Tested:
    """Join the lines of all directions; of flat pixels, weighted by the part of all directions nearest to each."""
    if spacing[0] != spacing[1]:
        parts, length = surface.weights(spacing), sum(part.lengths.sum() for part in tested.values())
        half = {step: step if step in parts else (-step[0], -step[1]) for step in tested}
        weight = {step: parts[half[step]] * length / part.lengths.sum() for step, part in tested.items()}
    else:
        weight = dict.fromkeys(tested, 1.0)
    at, whole = (np.concatenate([getattr(part, name) for part in tested.values()]) for name in ("at", "whole"))
    counts, lengths = (
        np.concatenate([getattr(part, name) * weight[step] for step, part in tested.items()])
        for name in ("counts", "lengths")
    )
    raw = [part.counts.sum() for part in tested.values()]
    lost = np.dot([part.lost for part in tested.values()], raw) / max(sum(raw), 1)
    return Tested(at, counts, lengths, whole, sum(part.number for part in tested.values()), float(lost))


def _lines(pixels: np.ndarray, direction: int, apart: float, spacing: tuple[float, float]) -> Tested:
    """Count the intersections of parallel lines, pixel by pixel; unlabelled pixels cut a line."""
    step, places, counts, whole = np.hypot(*np.multiply(STEPS[direction], spacing)), [], [], []
    number, coarse = 0, 0.0
    for rows, cols in straight(pixels.shape, direction, apart):
        line = pixels[rows, cols]
        for piece in pieces(line):
            values = line[piece]
            where, count = marks(values)
            places.append(np.stack([rows[piece], cols[piece]], 1))
            counts.append(np.bincount(where, count, minlength=len(values)))
            whole.append(step * whole_chords(values))
            number += 1
            if len(values) > 2:  # of n - 2 steps, two by two, instead of n - 1
                twice = marks(values[::2])[1].sum() + marks(values[1::2])[1].sum()
                coarse += twice / 2 * (len(values) - 1) / (len(values) - 2)
    at = (np.concatenate(places) + 0.5) / pixels.shape
    counts = np.concatenate(counts)
    # each second pixel misses twice of what is missed between pixels
    lost = max(0.0, 1 - coarse / counts.sum()) if counts.sum() else 0.0
    return Tested(at, counts, np.full(len(at), step), np.concatenate(whole), number, lost)


def _circles(pixels: np.ndarray, fields: int, unit: float) -> Tested:
    """Count the intersections of three concentric circles in the middle of each field; unlabelled parts are cut out."""
    edges = [[length * k // fields for k in range(fields + 1)] for length in pixels.shape]
    at, counts, lengths = [], [], []
    for top, bottom in itertools.pairwise(edges[0]):
        for left, right in itertools.pairwise(edges[1]):
            field = pixels[top:bottom, left:right]
            rings = [_ring(field, part) for part in CIRCLES]
            at.append([(top + bottom) / 2 / pixels.shape[0], (left + right) / 2 / pixels.shape[1]])
            counts.append(sum(count for count, _ in rings))
            lengths.append(sum(length for _, length in rings))
    return Tested(np.array(at), np.array(counts), unit * np.array(lengths), np.zeros(0), np.count_nonzero(lengths))


def _ring(field: np.ndarray, part: float) -> tuple[float, float]:
    """Count the intersections of one circle in a field, and measure its labelled length."""
    diameter = part * min(field.shape)
    values = field[circle(tuple((n - 1) / 2 for n in field.shape), diameter)]
    known = values >= 0
    if known.all():
        return intersections(steady(values), closed=True), np.pi * diameter
    values = np.roll(np.where(known, steady(values), -1), -int(np.flatnonzero(~known)[0]))
    return sum(intersections(values[piece]) for piece in pieces(values)), np.pi * diameter * known.mean()


def _ends(value: float, half: float) -> tuple[float, float]:
    """Return the ends of an interval of a positive number; a lower end that is not positive is empty."""
    return (value - half if value > half else np.nan), value + half


def elongated(rows: list[dict]) -> str:
    """Return a remark if the mean intercepts of two directions differ beyond their intervals and `ELONGATED`."""
    mean = np.array([row["mean_lineal_intercept_px"] for row in rows])
    half = np.array([row["mean_lineal_intercept_ci95_px"] for row in rows])
    if not np.isfinite(mean).any():
        return ""
    mean, half = np.where(np.isnan(mean), np.inf, mean), np.nan_to_num(half)
    long, short = int(mean.argmax()), int(mean.argmin())
    if mean[long] < ELONGATED * mean[short] or mean[long] - half[long] <= mean[short] + half[short]:
        return ""
    far = "none" if np.isinf(mean[long]) else f"{mean[long]:.3g} px"
    angles = [rows[at]["direction_deg"] for at in (long, short)]
    return (
        f"elongated grains: mean intercept {far} along {angles[0]:.0f} degrees and {mean[short]:.3g} px along "
        f"{angles[1]:.0f}; report the directions (ASTM E112 section 16), and measure sections across each other"
    )


def _intercept_row(procedure: str, direction: float, tested: Tested, parts: tuple[int, int], pixel_size_um) -> dict:
    """Make the row of an intercept procedure; an image without a boundary has no mean intercept."""
    counts, lengths = tested.by_block(parts)
    per_px, half = rate(counts, lengths)
    half += tested.lost * per_px  # what lies between pixels makes grains seem larger, whatever their number
    scale = np.nan if pixel_size_um is None else pixel_size_um
    low, high = _ends(per_px, half)
    intercept = 1 / per_px if per_px > 0 else np.nan
    few = (
        f"grains of few pixels: about {100 * tested.lost:.1f} % of the intersections lie between pixels and are not "
        "counted; use a larger magnification"
    )
    return {
        "procedure": procedure,
        "direction_deg": direction,
        "fields": tested.number,
        "blocks": np.count_nonzero(lengths),
        "counted": counts.sum(),
        "test_length_px": lengths.sum(),
        "test_area_px2": np.nan,
        "mean_lineal_intercept_px": intercept,
        "mean_lineal_intercept_ci95_px": intercept * half / per_px if per_px > 0 else np.nan,
        "chord_mean_px": tested.whole.mean() if len(tested.whole) else np.nan,
        "grains_per_px2": np.nan,
        "grains_ci95_per_px2": np.nan,
        "relative_accuracy_percent": 100 * half / per_px if per_px > 0 else np.nan,
        "g_number": float(g_of_intercept(intercept * scale)),
        "g_number_low": float(g_of_intercept(scale / low)),
        "g_number_high": float(g_of_intercept(scale / high)) if high > 0 else np.nan,
        "grains_per_field": np.nan,
        columns.REMARK: few if tested.lost > LOST and np.isnan(direction) else "",
    }


def _planimetric_row(grains: np.ndarray, areas: np.ndarray, fields: int, parts: tuple[int, int], pixel_size_um) -> dict:
    """Make the row of the planimetric procedure, of fields x fields; fields without grains have no G."""
    at = (np.argwhere(np.ones((fields, fields))) + 0.5) / fields
    total, area = Tested(at, grains, areas, np.zeros(0), 0).by_block(parts)
    per_px2, half = rate(total, area)
    per_mm2 = np.nan if pixel_size_um is None else 1e6 / pixel_size_um**2
    low, high = _ends(per_px2, half)
    found, number = per_px2 > 0, np.count_nonzero(areas)
    mean = grains.sum() / max(number, 1)
    few = (
        f"{mean:.1f} grains a field: ASTM E112 asks for at least {FEWEST}; lower the option 'fields', "
        "or image a larger area"
    )
    return {
        "procedure": "planimetric",
        "direction_deg": np.nan,
        "fields": number,
        "blocks": np.count_nonzero(area),
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
        "grains_per_field": mean,
        columns.REMARK: few if mean < FEWEST else "",
    }
