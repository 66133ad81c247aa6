"""Shared parts of learned restorations: scale of their input, patches, application."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matlens.image.scale import robust
from matlens.job.batch import BadItem
from matlens.learn import pixels, tiles
from matlens.learn.options import Changes, Training


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Options of the patches of an epoch: their number, edge in pixels, how many at a time, how they are turned."""

    patches: int = 256
    patch_px: int = 128
    batch: int = 8
    rotation: str = "right"

    def changes(self) -> Changes:
        """Return the changes of patches: turned alone, since resampling and light would change the noise."""
        plain = dict.fromkeys(("zoom", "bend_px", "brightness", "contrast", "blur_px", "noise", "invert"), 0.0)
        return Changes(rotation=self.rotation, **plain)

    def steps(self) -> int:
        """Return the number of batches of an epoch."""
        return max(1, self.patches // self.batch)


CROPS, TRAINING = Crops(), Training(learning_rate=1e-3)


def seen(image: np.ndarray, scale: tuple[float, float] | None = None) -> np.ndarray:
    """Return an image in the units of a network, one channel first: shifted and scaled by its level and spread."""
    level, spread = scale or robust(image)
    return ((image - np.float32(level)) / np.float32(spread)).astype(np.float32)[None]


def side_of(net, crops: Crops) -> int:
    """Return the edge of a patch: a multiple of the stride of the network."""
    return max(-(-crops.patch_px // net.stride) * net.stride, net.stride)


def applied(net, device, image: np.ndarray, views: str = "one", **layout) -> np.ndarray:
    """Restore an image in its own units by overlapping tiles: float32, shape of the image."""
    level, spread = robust(image)
    predict = pixels.predictor(net, device, pixels.as_is)
    found = tiles.bands(
        predict, seen(image, (level, spread)), **pixels.layout_of(net, image.ndim, views=views, **layout)
    )
    return np.concatenate([values[0] for _, values in found]) * np.float32(spread) + np.float32(level)


def one_size(samples: list) -> None:
    """Raise BadItem if images and volumes are mixed, or if there is none to train on."""
    if not any(role == "train" for *_, role, _ in samples):
        raise BadItem("no image to train on; add items, or check the splits and hold_out of the study")
    if len({image.ndim for image, *_ in samples}) > 1:
        raise BadItem("images and volumes are mixed, and one network restores one of both; make a study for each")


def digest(samples: list, initial: Mapping | None) -> str:
    """Hash the images of a training, so that a checkpoint of other data is not resumed."""
    parts = ((image, image[:0] if clean is None else clean) for image, clean, *_ in samples)
    return pixels.digest(parts, initial)
