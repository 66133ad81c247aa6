"""Pixel networks of every task: input channels, training patches, inference by tiles."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from matlens import nets, registry
from matlens.job.batch import BadItem
from matlens.learn import tiles
from matlens.learn.options import Changes, Patches

TILE_PX = {2: 512, 3: 128}  # by the number of axes: what a tile of some dozen channels takes stays below a gigabyte
RENAMED = {"phases": "outputs"}  # names in cards of before


@dataclass
class Model:
    """A trained network, and the description of its input images from the model card."""

    net: object
    card: dict
    device: object


def standardised(channel: np.ndarray) -> np.ndarray:
    """Shift and scale a channel to mean 0 and standard deviation 1, so that light and contrast do not matter."""
    spread = float(channel.std(dtype=np.float64))
    return ((channel - channel.mean(dtype=np.float64)) / (spread if spread > 1e-6 else 1.0)).astype(np.float32)


def seen(image: np.ndarray, *, colour: bool, standardise: bool) -> np.ndarray:
    """Return the input of a network, channels first: (1, [z,] y, x) of a grey one, (3, y, x) of colour."""
    channels = image if colour else image[None]
    return np.stack([standardised(channel) for channel in channels]) if standardise else channels


def describe(method: str, image: np.ndarray, outputs: int, own: Mapping) -> dict:
    """Describe a network for its card: what the data give, and its own options; `image` is (channels, [z,] y, x)."""
    return {"name": method, "dims": image.ndim - 1, "channels": len(image), "outputs": outputs, **own}


def build(network: Mapping):
    """Make a network with random weights from its entry in a card."""
    import torch

    maker = registry.load({**nets.NETS, **nets.IMAGE_NETS}, network["name"])
    net = maker(**{RENAMED.get(key, key): value for key, value in network.items() if key != "name"})
    # The layout that convolutions on a CPU and on tensor cores want: a fifth less time.
    return net.to(memory_format=torch.channels_last) if network["dims"] == 2 else net


def softmax(answer):
    """Turn logits (batch, channels, ...) into probabilities."""
    import torch

    return torch.softmax(answer.float(), 1)


def as_is(answer):
    """Leave the answer of a network as it is: grey levels, fields."""
    return answer.float()


def predictor(net, device, activation: Callable = softmax) -> Callable[[np.ndarray], np.ndarray]:
    """Wrap a network as a function from a tile to its answer in numpy; the activation is that of the task."""
    import torch

    def predict(tile: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return activation(net(torch.from_numpy(tile)[None].to(device)))[0].cpu().numpy()

    return predict


def layout_of(net, dims: int, tile_px: int | None = None, overlap_px: int | None = None, views: str = "one") -> dict:
    """Lay out tiles: they share all that a pixel can see; in volumes at most half a tile, or little else were left."""
    whole = 2 * net.radius + net.stride
    tile = tile_px or (max(TILE_PX[2], 2 * whole) if dims == 2 else TILE_PX[dims])
    overlap = overlap_px
    if overlap is None:
        overlap = whole if dims == 2 else min(whole, tile // 2)
    around = net.padding == "circular"
    return {
        "tile": tile, "overlap": overlap, "stride": net.stride, "radius": net.radius, "kind": views, "around": around,
    }  # fmt: skip


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto") -> Model:
    """Make a model from weights and their card, on a device (see matlens.learn.devices)."""
    from matlens.learn import loop

    net = build(card["network"])
    loop.load_arrays(net, arrays)
    place = loop.choose_device(device)
    return Model(net.eval().to(place), dict(card), place)


def answers(
    image: np.ndarray, model: Model, colour, activation: Callable, *, tile_px: int | None, overlap_px: int | None,
    views: str,
) -> Iterator[tuple[int, np.ndarray]]:  # fmt: skip
    """Yield the output of a network for an image, band by band: (first row, (channels, rows, ...))."""
    net, options = model.net, model.card["options"]
    if image.ndim != model.card["network"]["dims"]:
        raise BadItem(f"these weights are for {model.card['network']['dims']} axes, this image has {image.ndim}")
    if not np.isfinite(image).all():
        raise BadItem("the image contains NaN or infinite pixels; fix or mask them, or exclude the image with hold_out")
    coloured = options.get("colour", False)
    if coloured and colour is None:
        raise BadItem("these weights want colour, and none was kept of this image; say colour: true under ingest")
    pixels = seen(colour if coloured else image, colour=coloured, standardise=options["standardise"])
    layout = layout_of(net, image.ndim, tile_px, overlap_px, views)
    yield from tiles.bands(predictor(net, model.device, activation), pixels, **layout)


def lessons(train: list, outputs: int, stride: int, patches: Patches, changes: Changes, kind: str = "labels"):
    """Return the function that draws the batches of an epoch, and their number.

    `train`: pairs of what is seen (channels, [z,] y, x) and its target; see `augment.draw`.
    """
    from matlens.learn import augment

    images, targets = zip(*train, strict=True)
    side = max(-(-patches.patch_px // stride) * stride, stride)
    steps = max(1, patches.patches // patches.batch)

    def batches(epoch: int, rng: np.random.Generator):
        for _ in range(steps):
            yield augment.batch(images, targets, patches.batch, side, outputs, patches.balance, changes, rng, kind)

    return batches, steps


def digest(samples: Iterable, initial: Mapping | None) -> str:
    """Hash the training data, so that a checkpoint of other data is not resumed."""
    digest = hashlib.sha256()
    for image, target in samples:
        digest.update(image.tobytes() + target.tobytes())
    for name in sorted(initial or {}):
        digest.update(name.encode() + np.ascontiguousarray(initial[name]).tobytes())
    return digest.hexdigest()
