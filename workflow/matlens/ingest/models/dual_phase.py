"""Model: two phases, as grains assigned to one of them (ferrite, martensite) or as a thresholded random field."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import polycrystal, sem, synthetic


def plan(*, fractions: tuple = (0.3,), images: int = 4, seed: int = 0):
    """List `images` micrographs for each fraction of the second phase."""
    return synthetic.items(columns.TRUE_MODEL_FRACTION, list(fractions), images, seed, begin="fraction_")


def chosen(sizes: np.ndarray, fraction: float, rng) -> np.ndarray:
    """Assign random grains to the second phase until its fraction is nearest to `fraction`: bool."""
    order = rng.permutation(len(sizes))
    filled = np.concatenate([[0], np.cumsum(sizes[order])]) / sizes.sum()
    marked = np.zeros(len(sizes), dtype=bool)
    marked[order[: np.abs(filled - fraction).argmin()]] = True
    return marked


def cut(field: np.ndarray, fraction: float) -> np.ndarray:
    """Mark the highest values of a field, as many pixels as make up `fraction`: bool."""
    count = round(fraction * field.size)
    marked = np.zeros(field.size, dtype=bool)
    marked[np.argsort(field, axis=None, kind="stable")[field.size - count :]] = True
    return marked.reshape(field.shape)


def read(
    item: dict,
    *,
    size_px: tuple = (512, 512),
    pixel_size_um: float | None = 0.1,
    kind: str = "grains",
    grains: int = 400,
    diameter_cv: float = 0.35,
    length_px: float = 8.0,
    greys: tuple = (0.34, 0.64),
    grey_spread: float = 0.04,
    edge: float = 0.08,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one dual-phase micrograph, in two dimensions or three; the truth is a uint8 phase map of 0 and 1.

    `kind`: grains, `grains` Laguerre grains (`diameter_cv` as in polycrystal) of which a random choice is the second
    phase, to within a grain of the fraction; or field, a Gaussian random field with the autocorrelation
    exp(-r^2 / 4 `length_px`^2), cut at the exact fraction. `greys`: brightness of the phases; `grey_spread`: deviation
    from grain to grain; `edge`: rim.
    """
    size = synthetic.sized(size_px)
    seed, fraction = int(item[columns.ITEM_SEED]), float(item[columns.TRUE_MODEL_FRACTION])
    rng = np.random.default_rng(seed)
    if kind == "grains":
        places, weights = polycrystal.sites(size, grains, "laguerre", diameter_cv, rng)
        regions = polycrystal.tessellate(size, places, weights, True)
        sizes = np.bincount(regions.ravel(), minlength=grains + 1)
        second = np.concatenate([[False], chosen(sizes[1:], fraction, rng)])
        truth, grey = second[regions], sem.paint(regions, np.where(second, greys[1], greys[0]), grey_spread, rng)
    else:
        truth = cut(synthetic.gaussian_field(size, length_px, rng), fraction)
        grey = np.where(truth, greys[1], greys[0])
    return synthetic.micrograph(
        grey,
        truth.astype(np.uint8),
        sem.boundaries(truth),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_FRACTION: float(truth.mean())},
    )
