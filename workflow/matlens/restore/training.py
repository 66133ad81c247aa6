"""What the learned restorations share: scale of their input, patches, network, card."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from matlens import nets
from matlens.job.batch import BadItem
from matlens.learn import pixels, tiles
from matlens.learn.options import Changes, Training, own_options
from matlens.restore.scale import robust


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


def network_of(
    method: str, image: np.ndarray, options: Mapping, initial: Mapping | None, seed: int, data: Mapping | None = None
) -> tuple:
    """Make the network of a method for images such as this one: (entry of the card, own options, network, lacking).

    `data`: its numbers of channels and outputs; None: one of each.
    """
    import torch

    from matlens.learn import loop

    own = own_options(nets.IMAGE_NETS, method, options)
    network = pixels.describe(method, image[None], 1, own) | dict(data or {})
    torch.manual_seed(seed)
    net = pixels.build(network)
    return network, own, net, loop.load_arrays(net, initial, partly=True) if initial else []


def learned(
    method: str, net, network: Mapping, task, stated: Mapping, training: Training, data: str, checkpoint
) -> tuple[dict, dict]:
    """Train a network for a task; returns its weights and the shared part of its card."""
    from matlens.learn import loop

    identity = {"network": network, "options": stated, "data": data}
    history = loop.train(net, task, training, checkpoint=checkpoint, identity=identity, label=method)
    best = next(row for row in reversed(history) if row["best"])
    card = {
        "network": network,
        "options": stated,
        "parameters": sum(p.numel() for p in net.parameters()),
        "scores": {name: value for name, value in best.items() if name != "best"},
        "history": history,
    }
    return loop.arrays_of(net), card


def options_of(own: Mapping, *groups, **more) -> dict:
    """Put the options of a training together for its card."""
    return {**own, **{name: value for group in groups for name, value in asdict(group).items()}, **more}


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
