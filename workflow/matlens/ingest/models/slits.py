"""Model: a cell with a straight slit along x, whose periodic images are a row of cracks of known stress intensity."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import sem, synthetic
from matlens.job.batch import BadItem


def plan(*, lengths: tuple = (0.25,), images: int = 4, seed: int = 0):
    """List `images` cells for each length of the slit, as a part of the width of the cell."""
    return synthetic.items(columns.TRUE_LENGTH, list(lengths), images, seed, begin="length_")


def read(
    item: dict,
    *,
    size_px: tuple = (128, 128),
    pixel_size_um: float | None = 1.0,
    height_px: int = 1,
    greys: tuple = (0.7, 0.1),
    edge: float = 0.0,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one cell; the truth is a uint8 phase map, 0 body and 1 slit, which lies anywhere.

    `height_px`: rows of the slit. `meta` has the stress intensity of the row of cracks under a stress across them, over
    that stress and the root of a pixel: sqrt(W tan(pi a / W)), W the width of the cell and a half the length (H. M.
    Westergaard, J. Appl. Mech. 6 (1939) A49); that of cells which are not much higher than the slit is long is smaller.
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    length = round(float(item[columns.TRUE_LENGTH]) * size[1])
    if not 0 < length < size[1] or height_px >= size[0]:
        raise BadItem(
            f"a slit of {length} x {height_px} pixels does not fit into {size[1]} x {size[0]}; change size_px"
        )
    truth = np.zeros(size, np.uint8)
    truth[:height_px, :length] = 1
    truth = np.roll(truth, np.random.default_rng(seed).integers(0, size), (0, 1))
    intensity = np.sqrt(size[1] * np.tan(np.pi * length / 2 / size[1]))
    return synthetic.micrograph(
        np.asarray(greys, np.float32)[truth],
        truth,
        sem.boundaries(truth),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_FRACTION: float(truth.mean()), columns.TRUE_INTENSITY: float(intensity)},
    )
