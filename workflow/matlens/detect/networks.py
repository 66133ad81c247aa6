"""Networks that find objects, applied by tiles; `network_learning` trains them."""

from collections.abc import Mapping

import numpy as np

from matlens import columns, nets, objects, registry, run_lengths
from matlens.detect import AUTO
from matlens.learn import pixels, tiles
from matlens.learn.pixels import Model

TILE_PX = 1024
LEAST_CORE = 64  # pixels of the edge of what a tile answers for: smaller ones repeat their surroundings too often
FLOOR = 0.05  # lowest score that is looked at
OVERLAP = 0.3  # of boxes, where none was chosen yet


def build(network: Mapping):
    """Make a network with random weights from its entry in a card."""
    import torch

    maker = registry.load(nets.OBJECT_NETS, network["name"])
    net = maker(**{key: value for key, value in network.items() if key != "name"})
    return net.to(memory_format=torch.channels_last)


def names_kinds(method: str) -> bool:
    """Say whether a network can tell kinds of objects apart."""
    return "outputs" in registry.options_of(registry.load(nets.OBJECT_NETS, method))


def prepare(
    arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto", member: int | None = None
) -> Model:
    """Make a model from weights and their card, on a device (see matlens.learn.devices).

    `member`: number of the network of an ensemble that is used alone, from 0; None for all of them.
    """
    from matlens.detect import ensemble, views
    from matlens.learn import devices
    from matlens.nets.pixel.blocks import quickened

    place, own, nets_ = devices.choose_device(device), ensemble.of_member(card, member), []
    for number, part in enumerate(ensemble.parts(arrays, card)):
        if member in (None, number):
            net = build(card["network"])
            devices.load_arrays(net, part)
            nets_.append(quickened(net.eval()).to(place))
    net = nets_[0] if len(nets_) == 1 else ensemble.Ensemble(nets_)
    return Model(views.of(net, own["options"].get("views", "one")), own, place)


def mapped(net, device):
    """Return the function from a tile (channels, y, x) to the maps from which objects are read."""
    import torch

    def predict(tile: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            maps = net.maps(torch.from_numpy(np.ascontiguousarray(tile))[None].to(device))
        return [part[0].cpu().numpy() for part in maps]

    return predict


def mapped_whole(image: np.ndarray, net, device, look: Mapping, tile_px: int | None = None) -> tuple[list, tuple]:
    """Return the maps that the objects of an image (y, x) are read from, and the size at which the network sees it.

    Tiles give maps of the whole image. `look`: how the network sees images (standardise, magnification).
    """
    import torch

    seen = pixels.seen(image, colour=False, **{key: look[key] for key in ("standardise", "magnification")})
    core = max((tile_px or TILE_PX) - 2 * net.radius, LEAST_CORE)
    maps = tiles.stitched(mapped(net, device), seen, core=core, radius=net.radius, stride=net.stride)
    given = [torch.from_numpy(part)[None].to(device, memory_format=torch.channels_last) for part in maps]
    return given, seen.shape[1:]


def read(maps: list, size: tuple, net, shape: tuple[int, int], floor: float, overlap: float) -> dict[str, np.ndarray]:
    """Read the objects of an image of a `shape` from its maps: arrays by name, best first.

    They are corner, centre, score and, if the network makes them, mask and kind. No seam is seen: what is chosen of
    boxes that overlap is chosen from those of the whole image.
    """
    import torch

    with torch.inference_mode():
        found = {name: part.cpu().numpy() for name, part in net.find(maps, size, floor, overlap).items()}
    corner = found.pop("box").astype(np.float64).reshape(-1, 2, 2) * (np.array(shape) / size)
    return found | {"corner": corner, "centre": corner.mean(1), "score": found["score"].astype(np.float64)}


def searched(
    image: np.ndarray, net, device, look: Mapping, *, floor: float, overlap: float, tile_px: int | None
) -> dict[str, np.ndarray]:
    """Find the objects of an image of any size (y, x) by tiles, see `read`."""
    maps, size = mapped_whole(image, net, device, look, tile_px)
    return read(maps, size, net, image.shape, floor, overlap)


def detect(
    image: np.ndarray,
    model: Model,
    *,
    threshold: float | str = AUTO,
    overlap: float | str = AUTO,
    tile_px: int | None = None,
):
    """Find objects by a trained network, in an image of any size.

    `threshold`: least score, between 0 and 1; auto: that of the card. `overlap`: of two boxes that overlap by more
    (intersection over union) that of lower score is dropped; auto: that of the card. `tile_px`: edge of a tile, margin
    included, whose core has at least 64 pixels; None for 1024. It changes the memory, not the answer.
    """
    level = model.card["threshold"] if threshold == AUTO else float(threshold)
    look, shared = model.card["options"], model.card.get("overlap", OVERLAP) if overlap == AUTO else float(overlap)
    found = searched(image, model.net, model.device, look, floor=level, overlap=shared, tile_px=tile_px)
    made = table(found, image.shape)
    made.attrs["threshold"] = level
    if "kind" in found:
        made[columns.PHASE_NAME] = np.array(model.card["kinds"], object)[found["kind"].argmax(1)]
    return made


def table(found: Mapping[str, np.ndarray], shape: tuple[int, int]):
    """Make the table of detections: from the masks where there are some, else ellipses in the boxes."""
    import pandas as pd

    low, high = found["corner"][:, 0], found["corner"][:, 1]
    sides = np.maximum(high - low, 1e-3)
    first = np.clip(np.floor(low + 0.5), 0, np.array(shape) - 1).astype(np.int64)
    last = np.clip(np.floor(high + 0.5).astype(np.int64), first + 1, shape)
    made = pd.DataFrame({"score": found["score"]})
    made[objects.PLACE] = found["centre"] - 0.5  # the centre of pixel i is at i
    made[objects.BOX] = np.hstack([first, last])
    made[columns.AREA] = np.pi / 4 * sides.prod(1)
    made["major_axis_px"], made["minor_axis_px"] = sides.max(1), sides.min(1)
    made["orientation_deg"] = np.where(sides[:, 0] > sides[:, 1], 90.0, 0.0)
    made[columns.MASK] = ""
    if "mask" not in found or not len(made):
        return made
    filled = [_filled(*parts) for parts in zip(found["mask"], low, high, first, last, strict=True)]
    made[columns.MASK] = [run_lengths.encode(mask) for mask in filled]
    inside = [np.nonzero(mask) for mask in filled]
    y, x = (np.concatenate([part[axis] for part in inside]) for axis in (0, 1))
    own = objects.describe_pixels(y, x, np.repeat(np.arange(len(filled)), [len(part[0]) for part in inside]))
    rows = own[columns.OBJECT].to_numpy()
    made.loc[rows, objects.PLACE] = own[objects.PLACE].to_numpy(float) + first[rows]
    made.loc[rows, objects.SHAPE] = own[objects.SHAPE].to_numpy(float)
    return made


def _filled(mask: np.ndarray, low, high, first, last) -> np.ndarray:
    """Resample the grid of a mask to the whole pixels of its box; inside is a probability of a half or more."""
    from scipy import ndimage

    places = [
        (np.arange(a, b) + 0.5 - start) / max(end - start, 1e-3) * n - 0.5
        for a, b, start, end, n in zip(first, last, low, high, mask.shape, strict=True)
    ]
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(mask.astype(np.float32), grid, order=1, mode="nearest") >= 0.5
