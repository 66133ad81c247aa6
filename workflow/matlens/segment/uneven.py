"""Uneven illumination: grey values of one phase that change across the image by as much as phases differ.

One threshold for a whole image then divides it into its bright and its dark side.
"""

import numpy as np

MOST_PX = 40_000  # pixels that are looked at, on a coarser grid of the image
FEWEST = 50  # of a class
# ASSUME: simulated images of discs under ramps and vignettes keep their fraction up to 0.4 and lose it from 0.6 on; of
# 104 micrographs of phases and objects of 12 public sets none is above 0.45, of 55 of etched grains 5 are, with few
# grains across the image. The limit was set after seeing most of them.
LIMIT = 0.5


def change(plane: np.ndarray, classes: np.ndarray, hidden: np.ndarray | None = None) -> float:
    """Return by how much grey values change across an image, over the difference of its classes; 0 of one class.

    A surface of second order, common to all classes, is fitted to the grey values beside a level of each class. Its
    range, 5 to 95 % of the pixels, is divided by the difference of the lightest and the darkest class without it.
    `classes`: number of the class of each pixel; `hidden`: pixels that are not measured are 1.
    """
    step = max(1, int(np.sqrt(plane.size / MOST_PX)))
    cut = (slice(None, None, step),) * 2
    grey, classes = plane[cut].astype(float).ravel(), classes[cut].ravel()
    used = np.ones(len(grey), bool) if hidden is None else hidden[cut].ravel() == 0
    y, x = (part.ravel() for part in np.meshgrid(*(np.linspace(-1, 1, n) for n in plane[cut].shape), indexing="ij"))
    known = [number for number in np.unique(classes[used]) if np.count_nonzero(used & (classes == number)) >= FEWEST]
    used &= np.isin(classes, known)
    if len(known) < 2:
        return 0.0
    member = np.stack([classes[used] == number for number in known], 1)
    surface = np.stack([x, y, x * x, y * y, x * y], 1)[used]
    fitted = np.linalg.lstsq(np.hstack([member.astype(float), surface]), grey[used], rcond=None)[0]
    background = surface @ fitted[len(known) :]
    levels = [(grey[used] - background)[own].mean() for own in member.T]
    low, high = np.quantile(background, [0.05, 0.95])
    return float((high - low) / max(np.ptp(levels), 1e-9))


def doubt(plane: np.ndarray, classes: np.ndarray, hidden: np.ndarray | None = None) -> str | None:
    """Return a remark if one threshold for the whole image may be wrong."""
    found = change(plane, classes, hidden)
    if found <= LIMIT:
        return None
    return (
        f"grey values change across the image by {found:.1f} of the difference between its phases (uneven "
        "illumination, a gradient, or few large grains), and one threshold divides it: compare 'adaptive', or even the "
        "background out"
    )
