"""Label images for the tests of fields."""

import numpy as np
from scipy import ndimage


def cell(shape=(24, 24), seed=0):
    """Label a periodic smooth field: 1 above a threshold, 0 below."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2, mode="wrap")
    return (field > 0.2 * field.std()).astype(np.uint8)
