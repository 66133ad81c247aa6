"""Networks that label pixels: FCN-8s, U-Net, U-Net++, U-Net 3+; learned from labelled images, applied by tiles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from matlens import registry
from matlens.batch import BadItem
from matlens.segment import lines, tiles

TILE_PX = {2: 512, 3: 128}  # by the number of axes: what a tile of some dozen channels takes stays below a gigabyte
NETWORK = ("width", "depth", "norm", "encoder", "deep_supervision")


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


def _build(network: Mapping):
    """Make a network with random weights from its entry in a card."""
    import torch

    from matlens import nets

    maker = registry.load(nets.NETS, network["name"])
    net = maker(**{key: value for key, value in network.items() if key != "name"})
    # The layout that convolutions on a CPU and on tensor cores want: a fifth less time.
    return net.to(memory_format=torch.channels_last) if network["dims"] == 2 else net


def _predictor(net, device):
    """Wrap a network as a function from a tile to the probabilities of the phases, in numpy."""
    import torch

    def predict(tile: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            logits = net(torch.from_numpy(tile)[None].to(device))
            return torch.softmax(logits.float(), 1)[0].cpu().numpy()

    return predict


def _confusion(truth: np.ndarray, labels: np.ndarray, phases: int) -> np.ndarray:
    """Count pixels by (truth, label); those of truth 255 are left out."""
    judged = truth != 255
    return np.bincount(truth[judged].astype(np.int64) * phases + labels[judged], minlength=phases**2).reshape(
        phases, -1
    )


def ious(confusion: np.ndarray) -> np.ndarray:
    """Return the intersection over union of every phase from a matrix of counts; NaN where neither has the phase."""
    both = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - both
    return np.where(union > 0, both / np.maximum(union, 1), np.nan)


def _layout(net, dims: int, tile_px: int | None = None, overlap_px: int | None = None, views: str = "one") -> dict:
    """Lay out tiles: they share all that a pixel can see; in volumes at most half a tile, or little else were left."""
    whole = 2 * net.radius + net.stride
    tile = tile_px or (max(TILE_PX[2], 2 * whole) if dims == 2 else TILE_PX[dims])
    overlap = overlap_px
    if overlap is None:
        overlap = whole if dims == 2 else min(whole, tile // 2)
    return {"tile": tile, "overlap": overlap, "stride": net.stride, "radius": net.radius, "kind": views}


def _judge(net, samples: list, phases: list, device) -> dict[str, float]:
    """Score a network on whole images: mean cross entropy, IoU of every phase, and their mean as `score`."""
    confusion, losses, count = np.zeros((len(phases),) * 2, np.int64), 0.0, 0
    predict = _predictor(net, device)
    for image, truth in samples:
        for first, values in tiles.bands(predict, image, **_layout(net, truth.ndim)):
            marks = truth[first : first + values.shape[1]]
            judged = marks != 255
            picked = np.take_along_axis(values, np.where(judged, marks, 0)[None].astype(np.int64), 0)[0][judged]
            losses, count = (
                losses - float(np.log(np.maximum(picked, 1e-7), dtype=np.float64).sum()),
                count + picked.size,
            )
            confusion += _confusion(marks, values.argmax(0), len(phases))
    each = ious(confusion)
    named = {f"iou_{name}": float(value) for name, value in zip(phases, each, strict=True) if np.isfinite(value)}
    return {"val_loss": losses / max(count, 1), **named, "score": float(np.nanmean(each)) if count else 0.0}


def _class_weights(truths: list, phases: int, kind: str):
    """Weigh the classes alike (None), or by the inverse square root of their share, with a mean of 1."""
    import torch

    if kind == "equal":
        return None
    counts = sum(np.bincount(t[t != 255].ravel(), minlength=phases)[:phases] for t in truths)
    weights = 1.0 / np.sqrt(np.maximum(counts / counts.sum(), 1e-6))
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


def _usable(samples, phases: list) -> tuple[list, list]:
    """Sort samples into those to train on and those that judge; a truth with unknown numbers is a BadItem."""
    train, judges = [], []
    for image, truth, role, item in samples:
        if truth.shape != image.shape[image.ndim - truth.ndim :]:
            raise BadItem(f"the truth of '{item}' is of shape {truth.shape}, its image of {image.shape}")
        if not np.isfinite(image).all():
            raise BadItem(f"'{item}' has pixels that are no numbers; mend it or hold it out")
        if truth.dtype == np.int32:  # a region map: a region is phase 1, -1 is not labelled
            truth = np.where(truth < 0, 255, truth > 0)
        odd = np.setdiff1d(np.unique(truth), [*range(len(phases)), 255])
        if odd.size:
            raise BadItem(f"the truth of '{item}' has the number {odd[0]}, but the phases are 0 to {len(phases) - 1}")
        if (truth != 255).any():
            (train if role == "train" else judges).append((image, truth.astype(np.uint8)))
    if not train:
        raise BadItem("no labelled image to train on; give truths, or mind the splits and hold_out of the study")
    return train, judges


def learn(
    samples,
    phases: list,
    method: str,
    initial: Mapping | None,
    checkpoint,
    *,
    width: int = 16,
    depth: int = 3,
    norm: str = "batch",
    encoder: str = "plain",
    deep_supervision: bool = False,
    epochs: int = 40,
    patches: int = 128,
    patch_px: int = 128,
    batch: int = 8,
    accumulate: int = 1,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-4,
    clip_norm: float = 1.0,
    patience: int = 0,
    loss: str = "dice_cross_entropy",
    class_weights: str = "equal",
    boundary_weight: float = 0.0,
    boundary_sigma_px: float = 3.0,
    balance: float = 0.5,
    rotation: str = "free",
    zoom: float = 0.2,
    bend_px: float = 0.0,
    brightness: float = 0.2,
    contrast: float = 0.2,
    blur_px: float = 0.7,
    noise: float = 0.2,
    invert: float = 0.0,
    colour: bool = False,
    standardise: bool = True,
    device: str = "auto",
    seed: int = 0,
    views: str = "one",
    output: str = "phases",
    boundary_phase: int = 1,
    prominence_px: float = 2.0,
    min_area_px2: int = 30,
) -> tuple[dict, dict]:
    """Train a network on labelled images; returns its weights by name, and its card with the history of its epochs.

    `samples`: (image float32 in [0, 1], truth with 255 where it is not known, "train" or "val", item), the image (3, y,
    x) where `colour` is to be seen; `method`: a name in `matlens.nets.NETS`; `initial`: weights by name to start from;
    `checkpoint`: file to resume from, or None.
    Options: those of the network (see matlens.nets.unet.UNet), of the loop (matlens.learn.train), of the losses
    (matlens.nets.losses) and of the changes to patches (matlens.nets.patches.Changes). An epoch is `patches` patches
    of `patch_px`, `batch` at a time; `balance` of them are drawn phase first.
    Without a sample that judges, the last epoch is kept. For an `output` of grain boundaries the card gets the
    `threshold` at which the samples that judge, seen by `views`, show grains of the size of their truth (see
    `matlens.segment.lines`).
    Truths with numbers beyond the phases are a BadItem.
    """
    options = {name: value for name, value in locals().items() if name in registry.options_of(learn)}
    import torch

    from matlens import learn as loop
    from matlens.nets import losses
    from matlens.nets import patches as cuts

    train, judges = _usable(samples, phases)
    look = {"colour": colour, "standardise": standardise}
    train, judges = ([(seen(image, **look), truth) for image, truth in part] for part in (train, judges))
    network = {"name": method, "dims": train[0][1].ndim, "channels": len(train[0][0]), "phases": len(phases)}
    network |= {name: options[name] for name in NETWORK if name != "deep_supervision" or method != "fcn"}
    if method == "fcn" and deep_supervision:
        raise ValueError("fcn has one head; leave out deep_supervision")
    torch.manual_seed(seed)
    net = _build(network)
    kept = loop.load_arrays(net, initial, partly=True) if initial else []
    place = loop.choose_device(device)
    images, truths = zip(*train, strict=True)
    weights = _class_weights(truths, len(phases), class_weights)
    weights = None if weights is None else weights.to(place)
    side = max(-(-patch_px // net.stride) * net.stride, net.stride)
    changes = cuts.Changes(rotation, zoom, bend_px, brightness, contrast, blur_px, noise, invert)
    steps = max(1, patches // batch)

    def batches(epoch: int, rng: np.random.Generator):
        for _ in range(steps):
            yield cuts.batch(images, truths, batch, side, len(phases), balance, changes, rng)

    def mean_loss(model, drawn: dict):
        return losses.total(
            model(drawn["pixels"]),
            drawn["truth"],
            parts=losses.LOSSES[loss],
            class_weights=weights,
            boundary=boundary_weight,
            sigma_px=boundary_sigma_px,
        )

    def score(model):
        return _judge(model, judges, phases, place)

    history = loop.train(
        net,
        batches,
        mean_loss,
        score if judges else None,
        steps=steps,
        epochs=epochs,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        accumulate=accumulate,
        clip_norm=clip_norm,
        patience=patience,
        seed=seed,
        device=device,
        checkpoint=checkpoint,
        identity={"network": network, "options": options, "data": _digest(train + judges, initial)},
        label=method,
    )
    best = next(row for row in reversed(history) if row["best"])
    card = {
        "network": network,
        "options": options,
        "phases": list(phases),
        "parameters": sum(p.numel() for p in net.parameters()),
        "scores": {name: value for name, value in best.items() if name != "best"},
        "not_from_initial_weights": kept,
        "history": history,
    }
    if output in lines.OUTPUTS and judges:
        predict, layout = _predictor(net, place), _layout(net, network["dims"], views=views)
        pairs = (
            (
                np.concatenate([part[boundary_phase] for _, part in tiles.bands(predict, image, **layout)]),
                truth == boundary_phase,
            )
            for image, truth in judges
        )
        card["threshold"] = lines.fitting_threshold(pairs, output, prominence_px, min_area_px2)
    return loop.arrays_of(net), card


def _digest(samples: list, initial: Mapping | None) -> str:
    """Digest what training starts from, so that a checkpoint of other data is not resumed."""
    import hashlib

    digest = hashlib.sha256()
    for image, truth in samples:
        digest.update(image.tobytes() + truth.tobytes())
    for name in sorted(initial or {}):
        digest.update(name.encode() + np.ascontiguousarray(initial[name]).tobytes())
    return digest.hexdigest()


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto") -> Model:
    """Make the model that `segment` applies from weights and their card, on a device (see matlens.learn)."""
    from matlens import learn as loop

    net = _build(card["network"])
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
    layout = _layout(net, image.ndim, tile_px, overlap_px, views)
    yield from tiles.bands(_predictor(net, model.device), pixels, **layout)


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
