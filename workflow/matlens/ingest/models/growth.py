"""Model: a crystal that grows from a seed by a local rule which tells left from right, frame by frame.

A pixel becomes solid where the weights of the solid pixels around it reach a threshold (threshold growth; J. Gravner,
D. Griffeath, Trans. Am. Math. Soc. 340 (1993) 837). The rule has the symmetry of a square without mirror lines: four
knight's moves weigh more than the four that mirror them. Facets keep the slope of their direction and move at a speed
that the rule alone decides, which is the kinetic Wulff shape.
"""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import sem, synthetic

HAND, RADIUS = "handedness", "seed_radius_px"
KNIGHT, MIRRORED, SIDES, CORNERS = 3.0, 0.0, 1.0, 1.0  # weights
THRESHOLD = 6.0


def weights(hand: int) -> np.ndarray:
    """Return the weights (5, 5) of a rule of one handedness, 1 or -1."""
    found = np.zeros((5, 5))
    for turn in range(4):
        quarter = np.zeros((5, 5))
        quarter[2, 3], quarter[1, 3] = SIDES, CORNERS
        quarter[1, 4], quarter[3, 4] = (KNIGHT, MIRRORED) if hand > 0 else (MIRRORED, KNIGHT)
        found += np.rot90(quarter, turn)
    return found


def step(state: np.ndarray, hand: int) -> np.ndarray:
    """Return the next state of a crystal, bool (y, x); nothing is solid beyond the border."""
    from scipy import ndimage

    around = ndimage.correlate(state.astype(float), weights(hand), mode="constant")
    return state | (around >= THRESHOLD)


def seed_of(size: tuple[int, int], radius_px: float, rng) -> np.ndarray:
    """Draw a seed of any shape: a disc whose radius varies with the angle by up to a third."""
    y, x = (grid - (n - 1) / 2 for grid, n in zip(np.indices(size), size, strict=True))
    angle, edge = np.arctan2(y, x), 1.0
    for order in (2, 3, 5):
        edge = edge + 0.12 * rng.uniform(-1, 1) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    return np.hypot(y, x) <= radius_px * edge


def plan(*, handedness: tuple = (-1, 1), seed_radii_px: tuple = (3.0, 4.0), images: int = 4, seed: int = 0):
    """List `images` sequences for every handedness and mean radius of the seed."""
    import pandas as pd

    rows = [
        {columns.ITEM: f"hand_{hand:+d}_radius_{radius:g}_{image:04d}", HAND: float(hand), RADIUS: float(radius)}
        for hand in handedness
        for radius in seed_radii_px
        for image in range(images)
    ]
    seeds = [synthetic.seed_of(seed, number) for number in range(len(rows))]
    return pd.DataFrame(rows).assign(**{columns.ITEM_SEED: seeds})


def read(
    item: dict,
    *,
    size_px: tuple = (64, 64),
    pixel_size_um: float | None = 0.01,
    frames: int = 16,
    greys: tuple = (0.2, 0.7),
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one sequence of `frames`; the truth is a uint8 phase map in every frame, 0 liquid and 1 crystal."""
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    states = [seed_of(size, float(item[RADIUS]), np.random.default_rng(seed))]
    while len(states) < frames:
        states.append(step(states[-1], int(item[HAND])))
    truth, imaging = np.stack(states).astype(np.uint8), dict(imaging)
    imaging.pop("keep_clean", None)
    grey = np.asarray(greys, dtype=np.float32)[truth]
    pixels = np.stack([sem.image(one, None, 0.0, seed + number, **imaging) for number, one in enumerate(grey)])
    return Micrograph(
        pixels,
        "tyx",
        pixel_size_um,
        0.0,
        float(np.iinfo(pixels.dtype).max),
        truth,
        meta={columns.TRUE_FRACTION: float(truth[-1].mean())},
    )
