"""How networks that label pixels learn, from images labelled whole or in part; `networks` applies them."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import registry
from matlens.job.batch import BadItem
from matlens.learn import tiles
from matlens.segment import lines
from matlens.segment.networks import build, layout_of, predictor, seen

NETWORK = ("width", "depth", "norm", "encoder", "deep_supervision")
CHANGES = ("rotation", "zoom", "bend_px", "brightness", "contrast", "blur_px", "noise", "invert")
LOOP = ("epochs", "learning_rate", "weight_decay", "accumulate", "clip_norm", "patience", "seed", "device")


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


def _judge(net, samples: list, phases: list, device) -> dict[str, float]:
    """Score a network on whole images: mean cross entropy, IoU of every phase, and their mean as `score`."""
    confusion, losses, count = np.zeros((len(phases),) * 2, np.int64), 0.0, 0
    predict = predictor(net, device)
    for image, truth in samples:
        for first, values in tiles.bands(predict, image, **layout_of(net, truth.ndim)):
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
    Options: those of the network (see matlens.nets.pixel.unet.UNet), of the loop (matlens.learn.loop.train), of the
    losses (matlens.nets.pixel.losses) and of the augmentation (matlens.learn.augment.Changes). An epoch is `patches`
    patches of `patch_px`, `batch` at a time; `balance` of them are drawn phase first.
    Without a sample that judges, the last epoch is kept. For an `output` of grain boundaries the card gets the
    `threshold` at which the samples that judge, seen by `views`, show grains of the size of their truth (see
    `matlens.segment.lines`).
    Truths with numbers beyond the phases are a BadItem.
    """
    options = {name: value for name, value in locals().items() if name in registry.options_of(learn)}
    import torch

    from matlens.learn import loop

    train, judges = _usable(samples, phases)
    look = {"colour": colour, "standardise": standardise}
    train, judges = ([(seen(image, **look), truth) for image, truth in part] for part in (train, judges))
    network = _network(method, train[0], len(phases), options)
    torch.manual_seed(seed)
    net = build(network)
    kept = loop.load_arrays(net, initial, partly=True) if initial else []
    place = loop.choose_device(device)
    batches, steps = _lessons(train, len(phases), net.stride, options)
    history = loop.train(
        net,
        batches,
        _mean_loss([truth for _, truth in train], len(phases), place, options),
        (lambda model: _judge(model, judges, phases, place)) if judges else None,
        steps=steps,
        **{name: options[name] for name in LOOP},
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
        card["threshold"] = _threshold(net, judges, place, options)
    return loop.arrays_of(net), card


def _network(method: str, sample: tuple, phases: int, options: Mapping) -> dict:
    """Describe the network that a card names: what it sees of a sample, and those options that are its own."""
    if method == "fcn" and options["deep_supervision"]:
        raise ValueError("fcn has one head; leave out deep_supervision")
    image, truth = sample
    named = {name: options[name] for name in NETWORK if name != "deep_supervision" or method != "fcn"}
    return {"name": method, "dims": truth.ndim, "channels": len(image), "phases": phases, **named}


def _lessons(train: list, phases: int, stride: int, options: Mapping) -> tuple[Callable, int]:
    """Give the function that draws the batches of an epoch, and how many there are."""
    from matlens.learn import augment as cuts

    images, truths = zip(*train, strict=True)
    side = max(-(-options["patch_px"] // stride) * stride, stride)
    changes = cuts.Changes(*(options[name] for name in CHANGES))
    steps = max(1, options["patches"] // options["batch"])

    def batches(epoch: int, rng: np.random.Generator):
        for _ in range(steps):
            yield cuts.batch(images, truths, options["batch"], side, phases, options["balance"], changes, rng)

    return batches, steps


def _mean_loss(truths: list, phases: int, place, options: Mapping) -> Callable:
    """Give the function from a network and a batch to the loss that it learns by."""
    from matlens.nets.pixel import losses

    weights = _class_weights(truths, phases, options["class_weights"])
    more = {
        "parts": losses.LOSSES[options["loss"]],
        "class_weights": None if weights is None else weights.to(place),
        "boundary": options["boundary_weight"],
        "sigma_px": options["boundary_sigma_px"],
    }
    return lambda model, drawn: losses.total(model(drawn["pixels"]), drawn["truth"], **more)


def _threshold(net, judges: list, place, options: Mapping) -> float:
    """Find the probability of a boundary at which the samples that judge show grains of the size of their truth."""
    phase = options["boundary_phase"]
    predict, layout = predictor(net, place), layout_of(net, judges[0][1].ndim, views=options["views"])
    pairs = (
        (np.concatenate([part[phase] for _, part in tiles.bands(predict, image, **layout)]), truth == phase)
        for image, truth in judges
    )
    return lines.fitting_threshold(pairs, options["output"], options["prominence_px"], options["min_area_px2"])


def _digest(samples: list, initial: Mapping | None) -> str:
    """Digest what training starts from, so that a checkpoint of other data is not resumed."""
    import hashlib

    digest = hashlib.sha256()
    for image, truth in samples:
        digest.update(image.tobytes() + truth.tobytes())
    for name in sorted(initial or {}):
        digest.update(name.encode() + np.ascontiguousarray(initial[name]).tobytes())
    return digest.hexdigest()
