"""Grain boundaries from their probability: the threshold at which as many are crossed as the truth has."""

from collections.abc import Iterable

import numpy as np

from matlens.segment.regions import regions_from_boundary

THRESHOLDS = np.arange(0.05, 0.96, 0.025).round(3)
OUTPUTS = ("lines", "grains")


def crossings(regions: np.ndarray) -> int:
    """Count the boundaries that lines along all axes cross: changes of region, and gaps (0) between regions.

    Lines of length L that cross P boundaries have a mean intercept of L / P (ASTM E112), so equal counts on equal
    images are equal grain sizes.
    """
    count = 0
    for axis in range(regions.ndim):
        lines = np.moveaxis(regions, axis, -1).reshape(-1, regions.shape[axis])
        line, place = np.nonzero(lines)
        number = lines[line, place]
        count += int(((line[1:] == line[:-1]) & ((number[1:] != number[:-1]) | (place[1:] != place[:-1] + 1))).sum())
    return count


def cut(probability: np.ndarray, output: str, threshold: float, prominence_px: float, min_area_px2: int) -> np.ndarray:
    """Turn a boundary probability into "lines" (bool: boundary or not) or "grains" (int32, without gaps)."""
    if output == "lines":
        return probability >= threshold
    return regions_from_boundary(
        probability, threshold=threshold, prominence_px=prominence_px, min_area_px2=min_area_px2
    )


def fitting_threshold(pairs: Iterable, output: str, prominence_px: float, min_area_px2: int) -> float:
    """Find the threshold at which all images together have as many crossings as their truths.

    `pairs`: (probability, truth as a bool map of the boundary). The highest probability of boundary is seldom its right
    place: where people disagree by some pixels it is low all along a line, and a cut at 0.5 would lose the line.
    """
    found, wanted = np.zeros(len(THRESHOLDS), np.int64), 0
    settings = (prominence_px, min_area_px2)
    for probability, truth in pairs:
        wanted += _crossed(truth.astype(np.float32), output, 0.5, *settings)
        found += [_crossed(probability, output, float(threshold), *settings) for threshold in THRESHOLDS]
    return float(THRESHOLDS[np.abs(found - wanted).argmin()])


def _crossed(probability: np.ndarray, output: str, threshold: float, prominence_px: float, min_area_px2: int) -> int:
    """Count the crossings of the lines that a threshold makes of a probability."""
    regions = cut(probability, output, threshold, prominence_px, min_area_px2)
    return crossings(1 - regions.astype(np.int8) if output == "lines" else regions)
