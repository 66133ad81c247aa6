"""Networks that restore images, applied by tiles; `pair_learning` and `blind_spot` train them."""

import numpy as np

from matlens.job.batch import BadItem
from matlens.learn.pixels import Model
from matlens.restore import training


def restore(
    image: np.ndarray, model: Model, *, tile_px: int | None = None, overlap_px: int | None = None, views: str = "one"
) -> np.ndarray:
    """Restore an image of any size by overlapping tiles, in its own units.

    `tile_px`, `overlap_px`: None for tiles without visible seams. `views`: "one", or the average over "mirrors" or
    "right_angles" too. Raises BadItem if the weights are of images and this is a volume, or the reverse.
    """
    dims = model.card["network"]["dims"]
    if image.ndim != dims:
        raise BadItem(f"these weights are for {dims} axes, this image has {image.ndim}")
    return training.applied(model.net, model.device, image, views, tile_px=tile_px, overlap_px=overlap_px)
