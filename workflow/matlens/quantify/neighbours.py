"""Neighbouring regions, and the length of the boundary that they share."""

import numpy as np

from matlens.quantify import boundaries, region_map


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
    """Measure the boundary between every two regions that share at least one pixel edge.

    `labels`: uint8 phase map or int32 region map, 2-D or 3-D. `spacing`: that of each axis in pixel widths. `gap_px`:
    regions first grow into the background by this much, so that grains with a line between them touch. Other options:
    see `region_map.number`. Returns a row for each pair: `region_a` < `region_b` and `boundary_length_px` (3-D:
    `boundary_area_px2`), estimated from crossings along 4 (13) directions: see `boundaries`.
    """
    import pandas as pd

    found = region_map.number(labels, phases, connectivity, background, min_area_px2)
    grown = region_map.grow(found.pixels, gap_px, found.known, spacing)
    _, pairs, length = boundaries.count(grown, found.count, spacing)
    size = "boundary_length_px" if found.pixels.ndim == 2 else "boundary_area_px2"
    numbers = found.number[pairs - 1]
    return pd.DataFrame({"region_a": numbers[:, 0], "region_b": numbers[:, 1], size: length})
