"""Model: atom columns in two domains of STEM frames: computed ones without grain, and recorded ones."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import scenes, synthetic
from matlens.job.batch import BadItem

FEWEST_PX = 5.0  # shortest period that pixels resolve


def plan(*, simulated: int = 16, recorded: int = 24, train_images: int = 12, val_images: int = 4, seed: int = 0):
    """List the frames: all simulated ones are train; of the recorded ones the first are train, the next val.

    No two frames, of either domain, show the same place.
    """
    import pandas as pd

    parts = [("simulated", simulated, simulated, 0), ("recorded", recorded, train_images, val_images)]
    found = pd.concat([synthetic.divided(*part, seed + k) for k, part in enumerate(parts)], ignore_index=True)
    return found.assign(**{columns.ITEM_SEED: [synthetic.seed_of(seed, number) for number in range(len(found))]})


def places(size: tuple[int, int], period_px: float, vacancies: float, rng) -> np.ndarray:
    """Draw the columns (n, 2) of a strained square lattice at any orientation, some of them missing."""
    turn, strain = rng.uniform(0, np.pi / 2), rng.uniform(0.95, 1.05, 2)
    axes = period_px * strain[:, None] * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    reach = int(2 * max(size) / period_px) + 2
    cells = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    found = cells @ axes + rng.uniform(0, period_px, 2) + np.array(size) / 2
    found = found[((found > 2) & (found < np.array(size) - 3)).all(1)]
    return found[rng.random(len(found)) >= vacancies]


def read(
    item: dict,
    *,
    size_px: tuple = (64, 64),
    pixel_size_um: float | None = 2e-5,
    period_px: float = 10.0,
    width_px: float = 1.7,
    radius_px: float = 2.5,
    vacancies: float = 0.1,
    greys: tuple = (0.1, 0.85),
    recorded_greys: tuple = (0.3, 0.55),
    imaging: Mapping = synthetic.AS_IS,
    recorded_imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one frame; the truth is a phase map of discs, `radius_px`, around the columns.

    `period_px`: distance of the columns; `width_px`: standard deviation of their Gaussian; `vacancies`: part of them
    that is missing; `greys`, `recorded_greys`: brightness of ground and column, and `imaging`, `recorded_imaging`:
    options of `sem.image`, of the two domains. Raises BadItem if discs would touch.
    """
    if period_px < max(FEWEST_PX, 2.2 * radius_px):
        raise BadItem(f"columns {period_px:g} px apart run together; make period_px larger, or radius_px smaller")
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    spots = places(size, period_px, vacancies, rng)
    shape, truth = np.zeros(size), np.zeros(size, np.uint8)
    for spot, height in zip(spots, rng.uniform(0.8, 1.0, len(spots)), strict=True):
        scenes.stamp(shape, spot[None], height, width_px)
        distance = np.hypot(
            *(np.arange(n).reshape(s) - c for n, s, c in zip(size, ((-1, 1), (1, -1)), spot, strict=True))
        )
        truth[distance <= radius_px] = 1
    made = item[columns.ITEM].startswith("recorded")
    low, high = recorded_greys if made else greys
    return synthetic.micrograph(
        low + (high - low) * shape,
        truth,
        None,
        seed,
        pixel_size_um=pixel_size_um,
        edge=0.0,
        imaging=recorded_imaging if made else imaging,
        meta={columns.TRUE_REGIONS: len(spots)},
    )
