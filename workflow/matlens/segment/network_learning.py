"""Train networks that label pixels, on fully or partly labelled images; `networks` applies them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from matlens import nets
from matlens.job.batch import BadItem
from matlens.learn import pixels, tiles
from matlens.learn.options import (
    CHANGES,
    LOOK,
    PATCHES,
    TRAINING,
    Changes,
    Look,
    Patches,
    Training,
    own_options,
)
from matlens.segment import lines


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Options of the loss, see `matlens.nets.pixel.losses`."""

    loss: str = "dice_cross_entropy"
    class_weights: str = "equal"
    boundary_weight: float = 0.0
    boundary_sigma_px: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Output:
    """Options of the output that training needs, see `networks.segment`."""

    views: str = "one"
    output: str = "phases"
    boundary_phase: int = 1
    prominence_px: float = 2.0
    min_area_px2: int = 30


LOSS, OUTPUT = Loss(), Output()


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
    predict = pixels.predictor(net, device)
    for image, truth in samples:
        for first, values in tiles.bands(predict, image, **pixels.layout_of(net, truth.ndim)):
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
    """Split samples into training and validation samples. Raises BadItem if a truth has unknown numbers."""
    train, judges = [], []
    for image, truth, role, item in samples:
        if truth.shape != image.shape[image.ndim - truth.ndim :]:
            raise BadItem(f"the truth of '{item}' is of shape {truth.shape}, its image of {image.shape}")
        if not np.isfinite(image).all():
            raise BadItem(f"'{item}' contains NaN or infinite pixels; fix the image or exclude it with hold_out")
        if truth.dtype == np.int32:  # a region map: a region is phase 1, -1 is not labelled
            truth = np.where(truth < 0, 255, truth > 0)
        odd = np.setdiff1d(np.unique(truth), [*range(len(phases)), 255])
        if odd.size:
            raise BadItem(f"the truth of '{item}' has the number {odd[0]}, but the phases are 0 to {len(phases) - 1}")
        if (truth != 255).any():
            (train if role == "train" else judges).append((image, truth.astype(np.uint8)))
    if not train:
        raise BadItem("no labelled image to train on; add truths, or check the splits and hold_out of the study")
    return train, judges


def learn(
    samples,
    phases: list,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = TRAINING,
    patches: Patches = PATCHES,
    changes: Changes = CHANGES,
    look: Look = LOOK,
    loss: Loss = LOSS,
    output: Output = OUTPUT,
) -> tuple[dict, dict]:
    """Train a network on labelled images; returns its weights by name, and its card with the history of its epochs.

    `samples`: (image float32 in [0, 1], truth with 255 where it is not known, "train" or "val", item), the image (3, y,
    x) where `colour` is to be seen; `method`: a name in `matlens.nets.NETS`; `initial`: weights by name to start from;
    `checkpoint`: file to resume from, or None; `options`: those of the network are among them. Without validation
    samples, the last epoch is kept. For an `output` of grain boundaries the card gets the `threshold` at which the
    validation samples, predicted with `views`, have grains of the size of their truth (see `matlens.segment.lines`).
    Raises BadItem if a truth has numbers beyond the phases.
    """
    import torch

    from matlens.learn import loop

    train, judges = (
        [(pixels.seen(image, **asdict(look)), truth) for image, truth in part] for part in _usable(samples, phases)
    )
    own = own_options(nets.NETS, method, options)
    network = pixels.describe(method.partition(".")[0], train[0][0], len(phases), own)
    torch.manual_seed(training.seed)
    net = pixels.build(network)
    kept = loop.load_arrays(net, initial, partly=True) if initial else []
    place = loop.choose_device(training.device)
    batches, steps = pixels.lessons(train, len(phases), net.stride, patches, changes)
    measure = _mean_loss([truth for _, truth in train], len(phases), place, loss)
    judge = (lambda model: _judge(model, judges, phases, place)) if judges else None
    groups = (training, patches, changes, look, loss, output)
    stated = {**own, **{name: value for group in groups for name, value in asdict(group).items()}}
    identity = {"network": network, "options": stated, "data": pixels.digest(train + judges, initial)}
    task = loop.Task(batches, measure, judge, steps=steps)
    history = loop.train(net, task, training, checkpoint=checkpoint, identity=identity, label=method)
    card = {
        "network": network,
        "options": stated,
        "phases": list(phases),
        **_reached(net, history),
        "not_from_initial_weights": kept,
    }
    if output.output in lines.OUTPUTS and judges:
        card["threshold"] = _threshold(net, judges, place, output)
    return loop.arrays_of(net), card


def _reached(net, history: list[dict]) -> dict:
    """Summarise a training run: size of the network, score of the best epoch, history."""
    best = next(row for row in reversed(history) if row["best"])
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "scores": {name: value for name, value in best.items() if name != "best"},
        "history": history,
    }


def _mean_loss(truths: list, phases: int, place, loss: Loss) -> Callable:
    """Return the function that computes the training loss of a network and a batch."""
    from matlens.nets.pixel import losses

    weights = _class_weights(truths, phases, loss.class_weights)
    more = {
        "parts": losses.LOSSES[loss.loss],
        "class_weights": None if weights is None else weights.to(place),
        "boundary": loss.boundary_weight,
        "sigma_px": loss.boundary_sigma_px,
    }
    return lambda model, drawn: losses.total(model(drawn["pixels"]), drawn["truth"], **more)


def _threshold(net, judges: list, place, output: Output) -> float:
    """Find the boundary probability at which the validation samples have grains of the size of their truth."""
    phase, dims = output.boundary_phase, judges[0][1].ndim
    predict, layout = pixels.predictor(net, place), pixels.layout_of(net, dims, views=output.views)
    pairs = (
        (np.concatenate([part[phase] for _, part in tiles.bands(predict, image, **layout)]), truth == phase)
        for image, truth in judges
    )
    return lines.fitting_threshold(pairs, output.output, output.prominence_px, output.min_area_px2)
