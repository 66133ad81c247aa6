"""Model: loops that ripen, one item per frame: large ones grow at the cost of small ones, and their total area stays.

In a mean field dr/dt = rate (1 / mean of r - 1 / r) for loops that take and give point defects at their line. The
distribution of r over its mean becomes u (2 - u)^-4 exp(-4 / (2 - u)) and then keeps its form, while the square of the
mean grows by rate / 2 in unit time and the number falls as its inverse. Source: the method of C. Wagner,
Z. Elektrochem. 65 (1961) 581, here for a conserved area instead of a volume.
"""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, truth_objects
from matlens.ingest.models import synthetic
from matlens.ingest.models.loops_video import paint
from matlens.ingest.models.voids_video import spread
from matlens.job.batch import BadItem

EXPONENT = 2.0
GONE_PX = 0.7  # radius below which a loop is none any more
STEPS = 400  # of the law, from one frame to the next
LARGEST = 2.0  # radius over the mean


def plan(*, series: int = 3, val_series: int = 1, frames: int = 6, frame_h: float = 1.0, seed: int = 0):
    """List the frames of all series; those of a series are a group, in the order of `time_h`.

    The first `val_series` have the split val, the others test.
    """
    import pandas as pd

    rows = [
        {
            columns.ITEM: f"{one[columns.ITEM]}_{frame:04d}",
            columns.GROUP: one[columns.ITEM],
            columns.SPLIT: one[columns.SPLIT],
            columns.ITEM_SEED: one[columns.ITEM_SEED],
            columns.TIME: frame * frame_h,
        }
        for one in synthetic.divided("series", series, 0, val_series, seed).to_dict("records")
        for frame in range(frames)
    ]
    return pd.DataFrame(rows)


def steady(count: int, rng) -> np.ndarray:
    """Draw radii of mean 1 (n,) of the distribution that keeps its form, one from each of `count` equal parts."""
    u = np.linspace(0, LARGEST, 4001)[:-1]
    density = u * (LARGEST - u) ** -4 * np.exp(-4 / (LARGEST - u))
    below = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    drawn = np.interp((np.arange(count) + rng.uniform(0, 1, count)) / count, below / below[-1], u)
    return drawn / drawn.mean()


def aged(radius: np.ndarray, rate: float, hours: float, steps: int) -> np.ndarray:
    """Return the radii (n,) after a time; loops that have vanished have 0. `rate` in square pixels per hour."""
    squared = radius**2
    for _ in range(steps):
        alive = squared > GONE_PX**2
        if not alive.any():
            break
        now = np.sqrt(squared[alive])
        squared[alive] += 2 * rate * hours / steps * (now / now.mean() - 1)
        squared[~alive] = 0
    return np.where(squared > GONE_PX**2, np.sqrt(np.clip(squared, 0, None)), 0.0)


def read(
    item: dict,
    phases: list[str],
    *,
    frames: int = 6,
    frame_h: float = 1.0,
    size_px: tuple = (512, 512),
    pixel_size_um: float | None = 0.0005,
    loops: int = 150,
    radius_px: float = 6.0,
    rate_px2_per_h: float = 20.0,
    hollow: float = 0.0,
    contrast: float = 0.25,
    grey: float = 0.6,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one frame; the truth is a region map whose numbers are those of the loops in every frame of the series.

    `loops`, `radius_px`: number and mean radius in the first frame; none lies on another in any frame.
    `rate_px2_per_h`: twice the growth of the square of the mean radius. `hollow`: radius of a pale middle, in radii
    (0: discs).
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    frame = round(float(item[columns.TIME]) / frame_h)
    if not 0 <= frame < frames:
        raise BadItem(f"time_h {item[columns.TIME]} is outside the {frames} frames of the series")
    rng = np.random.default_rng(seed)
    radii = [radius_px * steady(loops, rng)]
    for _ in range(frames - 1):
        radii.append(aged(radii[-1], rate_px2_per_h, frame_h, STEPS))
    place, now = spread(size, np.max(radii, axis=0), rng), radii[frame]
    bright, truth = np.full(size, grey, np.float32), np.zeros(size, np.int32)
    here = np.flatnonzero(now)
    paint(bright, truth, here + 1, place[here], now[here], contrast, hollow)
    meta = {columns.TRUE_RADIUS: float(now[here].mean()) if len(here) else np.nan, "true_exponent": EXPONENT}
    look = {"pixel_size_um": pixel_size_um, "edge": 0.0, "imaging": imaging, "meta": meta}
    made = synthetic.micrograph(np.clip(bright, 0, 1), truth, None, seed + frame, **look)
    made.objects = truth_objects.of_regions(made)
    return made
