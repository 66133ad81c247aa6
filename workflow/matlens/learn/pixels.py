"""Pixel networks of every task: input channels, training patches, inference by tiles."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from matlens import nets, registry
from matlens.job.batch import BadItem
from matlens.learn import tiles
from matlens.learn.options import APPLICATION, Application, Changes, Patches

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


def seen(image: np.ndarray, *, colour: bool, standardise: bool, magnification: float = 1.0) -> np.ndarray:
    """Return the input of a network, channels first: (1, [z,] y, x) of a grey one, (3, y, x) of colour."""
    channels = image if colour else image[None]
    if magnification != 1:
        channels = resized(channels, magnified(channels.shape[1:], magnification))
    return np.stack([standardised(channel) for channel in channels]) if standardise else channels


def magnified(space: tuple[int, ...], factor: float) -> tuple[int, ...]:
    """Return the size of an image at another magnification, at least one pixel."""
    return tuple(max(1, round(n * factor)) for n in space)


def marks_at(truth: np.ndarray, factor: float) -> np.ndarray:
    """Return a truth map at another magnification, by the nearest pixels."""
    if factor == 1:
        return truth
    size = magnified(truth.shape, factor)
    places = [((np.arange(n) + 0.5) * old / n).astype(int) for n, old in zip(size, truth.shape, strict=True)]
    return truth[np.ix_(*places)]


def describe(method: str, image: np.ndarray, outputs: int, own: Mapping) -> dict:
    """Describe a network for its card: arguments set by the data, and its options; `image` is (channels, [z,] y, x)."""
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


def resized(image: np.ndarray, space: tuple[int, ...]) -> np.ndarray:
    """Resample an image (channels, [z,] y, x) to another size, by linear interpolation, smoothed where it shrinks."""
    import torch
    from torch.nn import functional

    given = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]
    if len(space) == 2:
        return functional.interpolate(given, space, mode="bilinear", antialias=True)[0].numpy()
    return functional.interpolate(given, space, mode="trilinear")[0].numpy()


def adapted(net, image: np.ndarray, layout: Mapping, device):
    """Return a copy of a network whose normalisation has the statistics of an image instead of those learned.

    Raises BadItem if the network has no batch normalisation. Source: Y. Li et al., Pattern Recognit. 80 (2018) 109.
    """
    import copy

    from torch.nn.modules.batchnorm import _BatchNorm

    if all(n <= net.stride for n in image.shape[1:]):
        return net  # one place on the coarsest level has no spread
    twin = copy.deepcopy(net)
    layers = [part for part in twin.modules() if isinstance(part, _BatchNorm)]
    if not layers:
        raise BadItem("adapt: batch_statistics is for networks with norm: batch; these weights have none")
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain average over the tiles
        layer.train()
    for _ in tiles.bands(predictor(twin, device, as_is), image, **{**layout, "kind": "one"}):
        pass
    return twin.eval()


def answers(
    image: np.ndarray, model: Model, colour, activation: Callable, application: Application = APPLICATION
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the output of a network for an image, band by band: (first row, (channels, rows, ...))."""
    from matlens.learn import augment

    net, options = model.net, model.card["options"]
    if image.ndim != model.card["network"]["dims"]:
        raise BadItem(f"these weights are for {model.card['network']['dims']} axes, this image has {image.ndim}")
    if not np.isfinite(image).all():
        raise BadItem("the image contains NaN or infinite pixels; fix or mask them, or exclude the image with hold_out")
    coloured = options.get("colour", False)
    if coloured and colour is None:
        raise BadItem("these weights want colour, and none was kept of this image; say colour: true under ingest")
    raw = colour if coloured else image
    if application.input_blur_px > 0:
        channels = raw if coloured else raw[None]
        raw = augment.blurred(channels, application.input_blur_px).astype(np.float32)[slice(None) if coloured else 0]
    pixels = seen(raw, colour=coloured, standardise=options["standardise"])
    scales = [scale * options.get("magnification", 1.0) for scale in application.scales]
    layout = layout_of(net, image.ndim, application.tile_px, application.overlap_px, application.views)
    if application.adapt != "none":
        own = resized(pixels, magnified(image.shape, scales[0])) if scales[0] != 1 else pixels
        net = adapted(net, own, layout, model.device)
    predict = predictor(net, model.device, activation)
    if all(scale == 1 for scale in scales):
        yield from tiles.bands(predict, pixels, **layout)
        return
    total = 0.0
    for scale in scales:
        scaled = resized(pixels, magnified(image.shape, scale))
        whole = np.concatenate([values for _, values in tiles.bands(predict, scaled, **layout)], 1)
        total = total + resized(whole, image.shape)
    yield 0, total / np.float32(len(scales))


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
