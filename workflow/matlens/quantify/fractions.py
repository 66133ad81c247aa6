"""Area fractions of the phases, with the error of sampling one image."""

import itertools

import numpy as np

from matlens import columns
from matlens.image import masks, phase_maps

BY_CHANCE = 0.01  # probability of slabs of fields that are so unlike, where fields are independent
COARSE = 0.2  # ASSUME: variance of fields over that of pixels; above it, intervals of simulated discs held 85 % or less
BANDED = (
    "its fields differ along {1} more than across it (bands, or a gradient): the interval is from {0} slabs of fields"
)
LARGE = (
    "its features are not small beside the fields that the interval is from, which is too narrow: measure more images"
)


def measure(labels: np.ndarray, phases: list[str], spacing: tuple[float, ...] | None = None, *, fields: int = 4):
    """Measure the area fraction of every phase (in 3-D the volume fraction) and its 95 % interval.

    `labels`: uint8 phase map (255 is not labelled and left out) or int32 region map (a region is phase 1, -1 left out).
    What is labelled is cut into `fields` x `fields` (x `fields`) equal fields. Their fractions scatter with all the
    correlation inside them: the standard error is the area-weighted standard deviation between fields over the square
    root of their number n, the interval the Student t one with n - 1 degrees of freedom, cut to [0, 1]. Where fields
    differ along one axis more than across it (bands), the slabs of fields across that axis take their place. It holds
    while a field is wider than the range of correlation (a few particles); a remark says where it is not. A phase that
    fills all of the image or none of it shows no scatter, so its error is unknown (empty).
    Source: point counts by fields, ASTM E562-19 section 11, with areas for points.
    """
    labels = phase_maps.phase_map(labels, phases)
    if (known := masks.labelled(labels)).any():
        labels = labels[masks.bounds(known)]
    parts = cuts(labels.shape, fields)
    counts = [phase_maps.tally(labels[cut])[: len(phases)] for cut in itertools.product(*parts)]
    size, grid = columns.AREA if labels.ndim == 2 else "volume_px3", tuple(map(len, parts))
    return table(np.array(counts, float), phases, size, spacing, grid)


def cuts(shape: tuple[int, ...], fields: int) -> list[list[slice]]:
    """Cut every axis into so many equal parts."""
    edges = [np.unique(np.linspace(0, n, min(fields, n) + 1).astype(int)) for n in shape]
    return [[slice(a, b) for a, b in itertools.pairwise(edge)] for edge in edges]


def table(counts: np.ndarray, phases: list[str], size: str, spacing: tuple[float, ...] | None = None, grid: tuple = ()):
    """Make the rows from the pixels of every phase in every field (fields, phases), `spacing` in pixel widths.

    `grid`: number of fields along each axis.
    """
    import pandas as pd

    grid = grid if (counts.sum(1) > 0).all() and np.prod(grid) == len(counts) else ()
    counts = counts[counts.sum(1) > 0]
    areas, total = counts.sum(1), counts.sum()
    fraction = counts.sum(0) / total if total else np.full(len(phases), np.nan)
    error, reach, said = _scatter(counts - areas[:, None] * fraction, total, grid)
    error, reach = (np.where((fraction > 0) & (fraction < 1), each, np.nan) for each in (error, reach))
    wide = len(counts) > 1 and np.isfinite(error) & (error**2 * len(counts) > COARSE * fraction * (1 - fraction))
    said = [
        text or (LARGE if large else "") for text, large in zip(said, np.broadcast_to(wide, len(phases)), strict=True)
    ]
    made = pd.DataFrame(
        {
            columns.PHASE: np.arange(len(phases)),
            columns.PHASE_NAME: phases,
            columns.AREA_FRACTION: fraction,
            "area_fraction_error": error,
            "area_fraction_low": np.clip(fraction - reach, 0.0, 1.0),
            "area_fraction_high": np.clip(fraction + reach, 0.0, 1.0),
            size: counts.sum(0) * np.prod(spacing or 1),
        }
    )
    return made.assign(**{columns.REMARK: said}) if any(said) else made


def _scatter(apart: np.ndarray, total: float, grid: tuple) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the standard error of every fraction, half its 95 % interval, and where slabs of fields are alike.

    `apart`: pixels of every phase above those expected (fields, phases). Fields of one slab are alike by chance in one
    image of a hundred (F test); where they are, the slabs are the fields.
    """
    from scipy.special import fdtrc, stdtrit  # scipy.stats would double the start of the job

    def by(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        number = len(parts)
        if number < 2:
            return (np.full(parts.shape[1], np.nan),) * 2
        error = np.sqrt((parts**2).sum(0) / total**2 * number / (number - 1))
        return error, stdtrit(number - 1, 0.975) * error

    (error, reach), said = by(apart), [""] * apart.shape[1]
    for axis, slabs in enumerate(grid):
        if not 2 <= slabs < len(apart):
            continue
        each, rest = len(apart) // slabs, len(apart) - slabs
        parts = np.moveaxis(apart.reshape(*grid, -1), axis, 0).reshape(slabs, each, -1)
        sums = parts.sum(1)
        between, within = (
            (sums**2).sum(0) / each / (slabs - 1),
            ((parts - sums[:, None] / each) ** 2).sum((0, 1)) / rest,
        )
        ratio = np.divide(between, within, out=np.full(len(within), np.inf), where=within > 1e-9 * between)
        alike = (between > 0) & (fdtrc(slabs - 1, rest, ratio) < BY_CHANCE)
        wider, far = by(sums)
        alike &= ~(far < reach)
        error, reach = np.where(alike, wider, error), np.where(alike, far, reach)
        name = "zyx"[axis - len(grid)]
        said = [BANDED.format(slabs, name) if one else text for one, text in zip(alike, said, strict=True)]
    return error, reach, said
