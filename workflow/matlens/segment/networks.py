"""Networks that label pixels, FCN-8s, U-Net, U-Net++, U-Net 3+, applied by tiles; `network_learning` trains them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from matlens import registry
from matlens.job.batch import BadItem
from matlens.learn import tiles
from matlens.segment import lines

TILE_PX = {2: 512, 3: 128}  # by the number of axes: what a tile of some dozen channels takes stays below a gigabyte


@dataclass
class Model:
    """A network ready to label, and what its card says of the images it wants."""

    net: object
    card: dict
    device: object


def standardised(channel: np.ndarray) -> np.ndarray:
    """Shift and scale a channel to mean 0 and standard deviation 1, so that light and contrast do not matter."""
    spread = float(channel.std(dtype=np.float64))
    return ((channel - channel.mean(dtype=np.float64)) / (spread if spread > 1e-6 else 1.0)).astype(np.float32)


def seen(image: np.ndarray, *, colour: bool, standardise: bool) -> np.ndarray:
    """Make what a network sees of an image, channels first: (1, [z,] y, x) of a grey one, (3, y, x) of colour."""
    channels = image if colour else image[None]
    return np.stack([standardised(channel) for channel in channels]) if standardise else channels


def build(network: Mapping):
    """Make a network with random weights from its entry in a card."""
    import torch

    from matlens import nets

    maker = registry.load(nets.NETS, network["name"])
    net = maker(**{key: value for key, value in network.items() if key != "name"})
    # The layout that convolutions on a CPU and on tensor cores want: a fifth less time.
    return net.to(memory_format=torch.channels_last) if network["dims"] == 2 else net


def predictor(net, device):
    """Wrap a network as a function from a tile to the probabilities of the phases, in numpy."""
    import torch

    def predict(tile: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            logits = net(torch.from_numpy(tile)[None].to(device))
            return torch.softmax(logits.float(), 1)[0].cpu().numpy()

    return predict


def layout_of(net, dims: int, tile_px: int | None = None, overlap_px: int | None = None, views: str = "one") -> dict:
    """Lay out tiles: they share all that a pixel can see; in volumes at most half a tile, or little else were left."""
    whole = 2 * net.radius + net.stride
    tile = tile_px or (max(TILE_PX[2], 2 * whole) if dims == 2 else TILE_PX[dims])
    overlap = overlap_px
    if overlap is None:
        overlap = whole if dims == 2 else min(whole, tile // 2)
    return {"tile": tile, "overlap": overlap, "stride": net.stride, "radius": net.radius, "kind": views}


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto") -> Model:
    """Make the model that `segment` applies from weights and their card, on a device (see matlens.learn.loop)."""
    from matlens.learn import loop

    net = build(card["network"])
    loop.load_arrays(net, arrays)
    place = loop.choose_device(device)
    return Model(net.eval().to(place), dict(card), place)


def probabilities(
    image: np.ndarray, model: Model, colour, *, tile_px: int | None, overlap_px: int | None, views: str
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the probabilities of the phases, band by band: (first row, (phases, rows, ...))."""
    net, options = model.net, model.card["options"]
    if image.ndim != model.card["network"]["dims"]:
        raise BadItem(f"these weights are for {model.card['network']['dims']} axes, this image has {image.ndim}")
    if not np.isfinite(image).all():
        raise BadItem("there are pixels that are no numbers; no network can see past them")
    coloured = options.get("colour", False)
    if coloured and colour is None:
        raise BadItem("these weights want colour, and none was kept of this image; say colour: true under ingest")
    pixels = seen(colour if coloured else image, colour=coloured, standardise=options["standardise"])
    layout = layout_of(net, image.ndim, tile_px, overlap_px, views)
    yield from tiles.bands(predictor(net, model.device), pixels, **layout)


def soft(
    image: np.ndarray,
    model: Model,
    colour: np.ndarray | None = None,
    *,
    tile_px: int | None = None,
    overlap_px: int | None = None,
    views: str = "one",
) -> np.ndarray:
    """Return the probability of every phase at every pixel: float32 of shape (*image.shape, phases)."""
    parts = probabilities(image, model, colour, tile_px=tile_px, overlap_px=overlap_px, views=views)
    return np.moveaxis(np.concatenate([values for _, values in parts], axis=1), 0, -1)


def segment(
    image: np.ndarray,
    model: Model,
    colour: np.ndarray | None = None,
    *,
    tile_px: int | None = None,
    overlap_px: int | None = None,
    views: str = "one",
    output: str = "phases",
    boundary_phase: int = 1,
    threshold: float | None = None,
    prominence_px: float = 2.0,
    min_area_px2: int = 30,
) -> np.ndarray:
    """Label an image of any size by overlapping tiles: the most probable phase (uint8), or grains (int32).

    `colour`: (3, y, x) in [0, 1], for networks that learned from it. `tile_px`: edge of a tile, None for 512 or more,
    in volumes 128; `overlap_px`: what neighbours share, None for as much as makes the answer that of the whole image at
    once (in volumes half a tile at most, where tiles fade into each other); `views`: "one", or the average over
    "mirrors" or "right_angles" too. `output` "lines" marks `boundary_phase` where its probability reaches `threshold`
    and the most probable other phase elsewhere; "grains" cuts grains along such lines (see
    `matlens.segment.regions.regions_from_boundary`). `threshold` None: that of the card, or 0.5.
    """
    parts = probabilities(image, model, colour, tile_px=tile_px, overlap_px=overlap_px, views=views)
    if output == "phases":
        return np.concatenate([values.argmax(0).astype(np.uint8) for _, values in parts])
    values = np.concatenate([part for _, part in parts], 1)
    level = model.card.get("threshold", 0.5) if threshold is None else threshold
    found = lines.cut(values[boundary_phase], output, level, prominence_px, min_area_px2)
    if output == "grains":
        return found
    values[boundary_phase] = -1.0
    return np.where(found, np.uint8(boundary_phase), values.argmax(0).astype(np.uint8))
