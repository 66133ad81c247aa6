"""The regions of a segmentation as detections with pixels, to be tracked and scored as objects."""

import numpy as np

from matlens import columns, objects, run_lengths


def detect(labels: np.ndarray, *, min_area_px2: float = 0.0):
    """Return the regions of a label image: those of a region map, or connected parts of every phase but the first.

    `min_area_px2`: smaller regions are left out. What is not labelled holds none.
    """
    regions = objects.regions_of(labels)
    found = objects.describe(regions)
    found = found[found[columns.AREA] >= min_area_px2].reset_index(drop=True)
    boxes = zip(found[columns.OBJECT], found[objects.BOX].to_numpy(int), strict=True)
    found[columns.MASK] = [run_lengths.encode(regions[y0:y1, x0:x1] == number) for number, (y0, x0, y1, x1) in boxes]
    found = found.drop(columns=columns.OBJECT)
    found.insert(0, "score", 1.0)
    return found
