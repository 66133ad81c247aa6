"""Model: cross-sections of aligned fibres in a matrix, as discs with a minimum distance."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import packing, synthetic


def plan(*, fractions: tuple = (0.5,), images: int = 4, seed: int = 0):
    """List `images` cross-sections for each volume fraction of fibres."""
    return synthetic.items(columns.TRUE_MODEL_FRACTION, list(fractions), images, seed, begin="fraction_")


def discs(size: tuple[int, int], fraction: float, radius_px: float, variation: float, gap_px: float, rng):
    """Pack discs into a periodic image: `(centres, radii)` in pixels; their area is exactly `fraction` of it.

    Radii are normal, cut at three standard deviations, then scaled together to the exact area.
    """
    area = fraction * size[0] * size[1]
    count = max(1, round(area / (np.pi * radius_px**2 * (1 + variation**2))))
    radii = np.maximum(1 + variation * np.clip(rng.standard_normal(count), -3, 3), 0.1)
    radii *= np.sqrt(area / (np.pi * (radii**2).sum()))
    return packing.pack(radii, size, rng, gap=gap_px), radii


def read(
    item: dict,
    *,
    size_px: tuple = (512, 512),
    pixel_size_um: float | None = 0.35,
    radius_px: float = 10.0,
    radius_cv: float = 0.06,
    gap_px: float = 1.5,
    greys: tuple = (0.32, 0.62),
    grey_spread: float = 0.02,
    edge: float = 0.1,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one cross-section; the truth is a uint8 phase map, 0 matrix and 1 fibre.

    `radius_px`, `radius_cv`: mean radius of the fibres and its coefficient of variation. `gap_px`: narrowest matrix
    between two fibres (less where it does not fit). `greys`: brightness of matrix and fibres; `grey_spread`: deviation
    from fibre to fibre; `edge`: rim of the fibres.
    """
    size = synthetic.sized(size_px, (2,))
    seed = int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    centres, radii = discs(size, float(item[columns.TRUE_MODEL_FRACTION]), radius_px, radius_cv, gap_px, rng)
    regions = synthetic.draw(size, centres, radii)
    return synthetic.of_bodies(
        regions,
        np.where(np.arange(len(radii) + 1) == 0, *greys),
        grey_spread,
        seed,
        rng,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_REGIONS: len(radii), columns.TRUE_RADIUS: float(radii.mean())},
    )
