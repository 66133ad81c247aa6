"""Weak labels: scribbles instead of masks, and proposals of places to label next.

Source of the approach: J. Na et al., Acta Materialia 255 (2023) 119086 (scribbles, and new labels where the model is
unsure).
"""

from collections.abc import Iterable, Iterator

import numpy as np

UNLABELLED = 255
MEASURES = ("entropy", "margin", "confidence")


def scribbles(truth: np.ndarray, *, fraction: float = 0.05, seed: int = 0, margin_px: float = 1.5) -> np.ndarray:
    """Thin a mask to scribbles: strokes along the middle of the regions, all else 255 (not labelled), as uint8.

    `truth`: uint8 phase map, 2-D; 255 stays. `fraction`: part of the pixels of every phase that stays labelled; strokes
    of one pixel's width are drawn region by region, in an order drawn with `seed`, until the part is reached, the last
    one cut short; where a phase has no more middle, less stays. At least one pixel of every phase does. Strokes keep
    `margin_px` from the edge of a phase wherever the region is that wide: a person does not draw on edges.
    """
    if truth.ndim != 2:
        raise ValueError(f"scribbles are drawn on images, not on arrays of {truth.ndim} axes")
    rng = np.random.default_rng(seed)
    out = np.full(truth.shape, UNLABELLED, np.uint8)
    for phase in np.setdiff1d(np.unique(truth), [UNLABELLED]):
        mask = truth == phase
        left = max(1, round(fraction * np.count_nonzero(mask)))
        for pixels in _strokes(mask, margin_px, rng):
            # Nearest to a point of the stroke first, so that what is cut short is still one piece.
            start = pixels[rng.integers(len(pixels))]
            near = np.argsort(((pixels - start) ** 2).sum(1), kind="stable")[:left]
            out[tuple(pixels[near].T)] = phase
            left -= len(near)
            if left <= 0:
                break
    return out


def _strokes(mask: np.ndarray, margin_px: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the strokes of a mask in random order, each as (pixels, 2): its skeleton without crossings, in pieces."""
    import cc3d
    from scipy import ndimage
    from skimage.morphology import skeletonize

    from matlens.segment.regions import distance

    # Padding makes the border of the image an edge as well: otherwise strokes would run along it.
    depth = distance(np.pad(mask, 1))[1:-1, 1:-1]
    regions = cc3d.connected_components(mask, connectivity=8)
    skeleton = skeletonize(mask)
    widest = ndimage.maximum(depth, regions, np.arange(regions.max() + 1)) if regions.max() else np.zeros(1)
    skeleton &= depth > np.minimum(margin_px, widest[regions] - 1e-3)
    crossings = skeleton & (ndimage.uniform_filter(skeleton.astype(np.float32), 3, mode="constant") * 9 > 3.5)
    pieces = cc3d.connected_components(skeleton & ~crossings, connectivity=8)
    if not pieces.max():
        pieces = cc3d.connected_components(skeleton if skeleton.any() else mask, connectivity=8)
    places = np.argwhere(pieces > 0)
    number = pieces[pieces > 0]
    order = np.argsort(number, kind="stable")
    strokes = np.split(places[order], np.flatnonzero(np.diff(number[order])) + 1)
    for index in rng.permutation(len(strokes)):
        yield strokes[index]


def uncertainty(probabilities: np.ndarray, measure: str = "entropy") -> np.ndarray:
    """Return the uncertainty of a model at every pixel, 0 (certain) to 1 (all classes equally likely), as float32.

    `probabilities`: (*shape, classes), summing to 1. "entropy": -sum p ln p / ln classes; "margin": 1 - (largest -
    second); "confidence": (1 - largest) classes / (classes - 1).
    """
    p = np.asarray(probabilities, np.float32)
    classes = p.shape[-1]
    if classes < 2:
        raise ValueError("a single class has no uncertainty; give the probabilities of all classes")
    if measure == "entropy":
        return -(p * np.log(np.maximum(p, 1e-12))).sum(-1) / np.float32(np.log(classes))
    if measure == "confidence":
        return (1.0 - p.max(-1)) * np.float32(classes / (classes - 1))
    if measure == "margin":
        top = np.partition(p, classes - 2, axis=-1)
        return 1.0 - (top[..., -1] - top[..., -2])
    raise ValueError(f"unknown measure '{measure}'; allowed: {', '.join(MEASURES)}")


def propose(
    probabilities: Iterable[tuple[str, np.ndarray]],
    *,
    count: int = 10,
    measure: str = "entropy",
    patch_px: int | None = None,
    most_per_item: int | None = None,
):
    """Rank the images or patches to label next, the most uncertain first.

    `probabilities`: (item, array (y, x, classes)) by the one. `count`: how many to propose. `measure`: see
    `uncertainty`; the mean over the image or the patch decides. `patch_px`: edge of square patches on a grid, in
    pixels; None ranks whole images. `most_per_item`: most patches of one image; None for any number. Patches at the far
    borders are moved in, so that all have one size. Ties keep the order of the items. Returns a DataFrame: rank, item,
    y_px, x_px (first row and column), height_px, width_px, uncertainty.
    """
    import pandas as pd

    rows = []
    for item, array in probabilities:
        unsure = uncertainty(array, measure)
        height, width = (min(n, patch_px or n) for n in unsure.shape)
        own = [
            (item, y, x, height, width, float(unsure[y : y + height, x : x + width].mean()))
            for y in _starts(unsure.shape[0], height)
            for x in _starts(unsure.shape[1], width)
        ]
        # A stable sort: among equals the first in the image.
        rows += sorted(own, key=lambda row: -row[-1])[:most_per_item]
    rows = sorted(rows, key=lambda row: -row[-1])[:count]
    frame = pd.DataFrame(rows, columns=["item", "y_px", "x_px", "height_px", "width_px", "uncertainty"])
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return frame


def _starts(length: int, edge: int) -> list[int]:
    """Place patches of one edge along a length: side by side, the last moved in."""
    return sorted({min(start, length - edge) for start in range(0, length, edge)})
