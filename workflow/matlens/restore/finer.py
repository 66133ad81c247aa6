"""Images at more pixels than were taken: `scale` pixels for one along each axis of the image plane."""

from collections.abc import Mapping

import numpy as np

from matlens import masked
from matlens.job.batch import BadItem
from matlens.learn.options import Training
from matlens.learn.pixels import Model
from matlens.restore import domain
from matlens.restore import training as shared
from matlens.restore.training import CROPS, Crops


def averaged(image: np.ndarray, scale: int) -> np.ndarray:
    """Average blocks of `scale` x `scale` pixels, as a coarser scan would; the border is repeated to a multiple."""
    lacking = [(0, -n % scale) for n in image.shape]
    wide = np.pad(image.astype(np.float64), lacking, mode="edge")
    height, width = (n // scale for n in wide.shape)
    return wide.reshape(height, scale, width, scale).mean((1, 3)).astype(np.float32)


def coarse(image: np.ndarray, scale: int, points: str) -> np.ndarray:
    """Return the image that is made finer, with `points` "thinned" its averaged blocks. Raises BadItem for volumes."""
    if image.ndim != 2:
        raise BadItem("it is a volume; super-resolution is for images and frames")
    return averaged(image, scale) if points == "thinned" else image


def _cut(found: np.ndarray, image: np.ndarray, points: str) -> np.ndarray:
    """Cut what the repeated border added."""
    return found[: image.shape[0], : image.shape[1]] if points == "thinned" else found


def splined(small: np.ndarray, scale: int) -> np.ndarray:
    """Interpolate by cubic splines, pixel edges kept."""
    from scipy import ndimage

    return ndimage.zoom(small, scale, order=3, mode="mirror", grid_mode=True).astype(np.float32)


def cubic(image, *, scale: int = 2, points: str = "measured") -> np.ndarray:
    """Add pixels by cubic splines."""
    return _cut(splined(coarse(image, scale, points), scale), image, points)


def nearest(image, *, scale: int = 2, points: str = "measured") -> np.ndarray:
    """Repeat every pixel: the control that adds nothing between pixels."""
    found = coarse(image, scale, points).astype(np.float32)
    return _cut(found.repeat(scale, 0).repeat(scale, 1), image, points)


def learned(image, model: Model, *, scale: int = 2, points: str = "measured", views: str = "one") -> np.ndarray:
    """Add pixels by cubic splines that a network corrects. Raises BadItem if the weights are of another scale.

    Source: J. Kim, J. K. Lee, K. M. Lee, CVPR 2016, 1646.
    """
    if model.card["scale"] != scale:
        raise BadItem(f"the weights are of scale {model.card['scale']}, not {scale}; give that, or other weights")
    first = splined(coarse(image, scale, points), scale)
    return _cut(shared.applied(model.net, model.device, first, views), image, points)


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = shared.TRAINING,
    crops: Crops = CROPS,
    scale: int = 2,
) -> tuple[dict, dict]:
    """Train a network on images whose blocks are averaged; the clean image is the aim where an item has one.

    `samples`: (image, clean or None, "train" or "val", item). Loss and score as those of `pair_learning`.
    """
    from matlens.restore import pair_learning

    samples = list(samples)
    pairs = []
    for image, clean, role, item in samples:
        first = splined(averaged(image, scale), scale) if image.ndim == 2 else image
        pairs.append((first[: image.shape[0], : image.shape[1]], image if clean is None else clean, role, item))
    if any(noisy.ndim != 2 for noisy, *_ in pairs):
        raise BadItem("super-resolution is for images and frames, not for volumes")
    offered = {"samples": pairs, "method": method, "initial": initial, "checkpoint": checkpoint, "options": options}
    arrays, card = pair_learning.learn(**offered, training=training, crops=crops)
    seen = domain.ranges(averaged(image, scale) for image, _, role, _ in samples if role == "train")
    card["options"].pop("degrade")
    card["options"]["scale"] = scale
    return arrays, {**card, "scale": scale, "domain": seen}


def attributes(attrs: Mapping, scale: int) -> dict:
    """Divide the distances of pixels in the attributes of an item by the scale."""
    found = dict(attrs)
    if found.get("pixel_size_um"):
        found["pixel_size_um"] = found["pixel_size_um"] / scale
    if found.get("spacing_um"):
        found["spacing_um"] = [size / scale if size else None for size in found["spacing_um"]]
    return found


def unmeasured(layers: Mapping, scale: int) -> dict:
    """Return the layer of unmeasured pixels for `scale` pixels in place of one; {} where all are measured."""
    ignore = layers.get(masked.IGNORE)
    return {} if ignore is None else {masked.IGNORE: ignore.repeat(scale, -2).repeat(scale, -1)}
