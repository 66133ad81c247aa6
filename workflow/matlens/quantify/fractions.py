"""Area fractions of the phases, with the error of sampling one image."""

import itertools

import numpy as np

from matlens import columns
from matlens.image import masks, phase_maps


def measure(labels: np.ndarray, phases: list[str], spacing: tuple[float, ...] | None = None, *, fields: int = 4):
    """Measure the area fraction of every phase (in 3-D the volume fraction) and its 95 % interval.

    `labels`: uint8 phase map (255 is not labelled and left out) or int32 region map (a region is phase 1, -1 left out).
    What is labelled is cut into `fields` x `fields` (x `fields`) equal fields. Their fractions scatter with all the
    correlation inside them: the standard error is the area-weighted standard deviation between fields over the square
    root of their number n, the interval the Student t one with n - 1 degrees of freedom, cut to [0, 1]. That holds
    while a field is wider than the range of correlation (a few particles); a field smaller than that makes the interval
    too narrow. A phase that fills all of the image or none of it shows no scatter, so its error is unknown (empty).
    Source: point counts by fields, ASTM E562-19 section 11, with areas for points.
    """
    labels = phase_maps.phase_map(labels, phases)
    if (known := masks.labelled(labels)).any():
        labels = labels[masks.bounds(known)]
    counts = [phase_maps.tally(labels[cut])[: len(phases)] for cut in itertools.product(*cuts(labels.shape, fields))]
    return table(np.array(counts, float), phases, columns.AREA if labels.ndim == 2 else "volume_px3", spacing)


def cuts(shape: tuple[int, ...], fields: int) -> list[list[slice]]:
    """Cut every axis into so many equal parts."""
    edges = [np.unique(np.linspace(0, n, min(fields, n) + 1).astype(int)) for n in shape]
    return [[slice(a, b) for a, b in itertools.pairwise(edge)] for edge in edges]


def table(counts: np.ndarray, phases: list[str], size: str, spacing: tuple[float, ...] | None = None):
    """Make the rows from the pixels of every phase in every field (fields, phases), `spacing` in pixel widths."""
    import pandas as pd
    from scipy.special import stdtrit  # scipy.stats would double the start of the job

    counts = counts[counts.sum(1) > 0]
    areas, total = counts.sum(1), counts.sum()
    fraction = counts.sum(0) / total if total else np.full(len(phases), np.nan)
    number = len(counts)
    error = np.full(len(phases), np.nan)
    if number > 1:
        scatter = (((counts - areas[:, None] * fraction) / total) ** 2).sum(0)
        error = np.where((fraction > 0) & (fraction < 1), np.sqrt(scatter * number / (number - 1)), np.nan)
    reach = stdtrit(number - 1, 0.975) * error if number > 1 else error
    return pd.DataFrame(
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
