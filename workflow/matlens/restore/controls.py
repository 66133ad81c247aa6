"""Controls that see the clean image: they bound every score from above."""

import numpy as np
from scipy import ndimage

from matlens.job.batch import BadItem
from matlens.restore import quality
from matlens.restore.classical import WIDTHS


def _known(clean):
    if clean is None:
        raise BadItem("it has no clean image, and this control needs one; give 'clean' in ingest")
    return clean


def clean(clean):
    """Return the clean image itself. Raises BadItem if the item has none."""
    return _known(clean)


def oracle(image, clean):
    """Smooth by the Gaussian that is best by the clean image, free of gain and offset.

    Raises BadItem if the item has no clean image.
    """
    true = _known(clean).astype(np.float64)
    made = [ndimage.gaussian_filter(image, width, mode="mirror") if width else image for width in WIDTHS]
    ratios = [quality.psnr_db(quality.fitted(one.astype(np.float64), true), true) for one in made]
    return made[int(np.argmax(ratios))]
