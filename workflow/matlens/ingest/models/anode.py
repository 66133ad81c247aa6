"""Model: the anode of a fuel cell before and after reduction: pores, zirconia, nickel oxide or nickel.

Two Gaussian random fields, each cut at a level, part pores from solid, and oxide from zirconia. Nickel takes up less
volume than its oxide: it recedes from the pores, stays on the zirconia, and zirconia does not move. Molar volumes:
Ni 6.59, NiO 11.2 cm3/mol, ratio 0.588.
"""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import dual_phase, synthetic
from matlens.job.batch import BadItem

OXIDE, PORE, ZIRCONIA, NICKEL = "oxide", 0, 1, 2


def plan(*, oxide: int = 12, reduced: int = 8, train_images: int = 8, seed: int = 0):
    """List the volumes: of the oxide the first are train, the others test; all reduced ones are train.

    No two volumes, of either state, are of one specimen.
    """
    import pandas as pd

    parts = ((OXIDE, oxide, train_images, 0), ("reduced", reduced, reduced, 0))
    found = pd.concat([synthetic.divided(*part, seed + k) for k, part in enumerate(parts)], ignore_index=True)
    return found.assign(**{columns.ITEM_SEED: [synthetic.seed_of(seed, number) for number in range(len(found))]})


def receded(oxide: np.ndarray, pores: np.ndarray, ratio: float) -> np.ndarray:
    """Return the part `ratio` of the oxide that is farthest from the pores, bool; to a pixel."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(~pores)
    # Steps of the lattice make ties: by the mean depth around, the rounder corner stays.
    depth = depth + 0.1 * ndimage.gaussian_filter(depth, 1.5)
    inside = np.flatnonzero(oxide)
    kept = inside[np.argsort(-depth.ravel()[inside], kind="stable")[: round(ratio * len(inside))]]
    made = np.zeros(oxide.shape, bool)
    made.ravel()[kept] = True
    return made


def read(
    item: dict,
    *,
    size_px: tuple = (48, 48, 48),
    pixel_size_um: float | None = 0.05,
    pore_fraction: float = 0.3,
    oxide_fraction: float = 0.35,
    length_px: float = 3.0,
    ratio: float = 0.588,
    greys: tuple = (0.1, 0.45, 0.65),
    reduced_greys: tuple = (0.1, 0.45, 0.9),
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one image or volume; the truth of both states is the reduced one: 0 pores, 1 zirconia, 2 nickel.

    So the truth of an oxide is its hidden pair. `pore_fraction`, `oxide_fraction`: of the whole before the reduction;
    `length_px`: the fields have the autocorrelation exp(-r^2 / 4 length^2); `ratio`: volume of nickel over that of its
    oxide; `greys`, `reduced_greys`: brightness of pores, zirconia and oxide or nickel. Raises BadItem if pores and
    oxide leave no zirconia.
    """
    if pore_fraction + oxide_fraction >= 1:
        raise BadItem("pore_fraction and oxide_fraction leave no zirconia; their sum has to be below 1")
    size, seed = synthetic.sized(size_px), int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    pores = dual_phase.cut(synthetic.gaussian_field(size, length_px, rng), pore_fraction)
    field = synthetic.gaussian_field(size, length_px, rng)
    oxide = dual_phase.cut(np.where(pores, -np.inf, field), oxide_fraction)
    nickel = receded(oxide, pores, ratio)
    before = np.where(pores, PORE, np.where(oxide, NICKEL, ZIRCONIA))
    truth = np.where(nickel, NICKEL, np.where(oxide, PORE, before)).astype(np.uint8)
    as_oxide = item[columns.ITEM].startswith(OXIDE)
    grey = np.asarray(greys if as_oxide else reduced_greys, np.float32)[before if as_oxide else truth]
    return synthetic.micrograph(
        grey, truth, None, seed, pixel_size_um=pixel_size_um, edge=0.0, imaging=imaging,
        meta={columns.TRUE_FRACTION: float(nickel.mean())},
    )  # fmt: skip
