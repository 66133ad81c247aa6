"""Train networks that label pixels, on fully or partly labelled images; `networks` applies them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from matlens import masked, nets, objects
from matlens.job.batch import BadItem
from matlens.learn import fit, pixels, tiles
from matlens.learn.options import (
    CHANGES,
    LOOK,
    PATCHES,
    TRAINING,
    Changes,
    Look,
    Patches,
    Training,
)
from matlens.segment import instances, lines, overlap


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Options of the loss, see `matlens.nets.pixel.losses`."""

    loss: str = "dice_cross_entropy"
    class_weights: str = "equal"
    boundary_weight: float = 0.0
    boundary_sigma_px: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Output:
    """Options of the output that training needs, see `networks.segment`.

    `class_bias` "fitted" multiplies the probabilities of the phases by the factors with which the validation samples
    have phases of their true fractions (see `class_bias`).
    """

    views: str = "one"
    output: str = "phases"
    boundary_phase: int = 1
    prominence_px: float = 2.0
    min_area_px2: int = 30
    class_bias: str = "none"


LOSS, OUTPUT = Loss(), Output()
BIAS_ROUNDS = 40


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
            confusion += overlap.confusion(marks, values.argmax(0), len(phases))
    each = overlap.ious(confusion)
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


def _usable(samples, phases: list, whole: bool) -> tuple[list, list]:
    """Split samples into training and validation samples: phase maps, or region maps if `whole` objects are wanted.

    Raises BadItem if a truth has unknown numbers.
    """
    train, judges = [], []
    for image, truth, role, item in samples:
        if truth.shape != image.shape[image.ndim - truth.ndim :]:
            raise BadItem(f"the truth of '{item}' is of shape {truth.shape}, its image of {image.shape}")
        if not np.isfinite(image).all():
            raise BadItem(f"'{item}' contains NaN or infinite pixels; fix the image or exclude it with hold_out")
        if whole:
            if (truth != masked.unlabelled(truth.dtype)).any():
                (train if role == "train" else judges).append((image, objects.regions_of(truth)))
            continue
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


class Phases:
    """Parts of a training for phases: number of outputs, targets, loss, score, and what the card gets in the end."""

    kind = "labels"

    def __init__(self, phases: list, loss: Loss, output: Output):
        self.phases, self.options, self.output, self.outputs = phases, loss, output, len(phases)

    def target(self, truth: np.ndarray) -> np.ndarray:
        """Return the target of a truth map."""
        return truth

    def loss(self, truths: list, place) -> Callable:
        """Return the function that computes the training loss of a network and a batch."""
        value = _mean_loss(truths, self.outputs, place, self.options)
        return lambda model, drawn: value(model(drawn["pixels"]), drawn["truth"])

    def judge(self, net, samples: list, place) -> dict[str, float]:
        """Score a network on whole images."""
        return _judge(net, samples, self.phases, place)

    def fitted(self, net, judges: list, train: list, place) -> dict:
        """Choose on the validation samples what the card keeps beside the weights."""
        if not judges:
            return {}
        if self.output.output in lines.OUTPUTS:
            return {"threshold": _threshold(net, judges, place, self.output)}
        return {"class_bias": class_bias(net, judges, place, self.output)} if self.output.class_bias != "none" else {}


class Instances(Phases):
    """The same for objects one by one, see `matlens.segment.instances`."""

    kind = "heat"

    def __init__(self, phases: list, loss: Loss, output: Output):
        super().__init__(phases, loss, output)
        self.outputs = 3

    def target(self, truth: np.ndarray) -> np.ndarray:
        return instances.target(truth)

    def loss(self, truths: list, place) -> Callable:
        marks = [np.where(truth < 0, 255, truth > 0) for truth in truths]
        mask_loss = _mean_loss(marks, 2, place, self.options)
        return lambda model, drawn: instances.loss(model(drawn["pixels"]), drawn["truth"], mask_loss)

    def _maps(self, net, samples: list, place):
        """Yield the maps of samples and their truth."""
        predict = pixels.predictor(net, place, instances.activation)
        for image, truth in samples:
            layout = pixels.layout_of(net, truth.ndim, views=self.output.views)
            yield np.concatenate([part for _, part in tiles.bands(predict, image, **layout)], 1), truth

    def judge(self, net, samples: list, place) -> dict[str, float]:
        counted = np.zeros(3, np.int64)
        for maps, truth in self._maps(net, samples, place):
            found = instances.cut(maps, 0.5, instances.FIRST_PROMINENCE, self.output.min_area_px2)
            counted += instances.counts(found, truth)
        return {"score": instances.f1(counted)}

    def fitted(self, net, judges: list, train: list, place) -> dict:
        pairs = self._maps(net, judges or train, place)
        chosen = instances.fitting_prominence(pairs, 0.5, self.output.min_area_px2)
        return {"output": instances.OUTPUT, "prominence": chosen, "prominence_of": "val" if judges else "train"}


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
    validation samples, predicted with `views`, have grains of the size of their truth (see `matlens.segment.lines`);
    for instances the `prominence` of highest F1 on them, or on the training samples if there are none.
    Raises BadItem if a truth has numbers beyond the phases.
    """
    from matlens.learn import loop

    whole = output.output == instances.OUTPUT
    goal = (Instances if whole else Phases)(phases, loss, output)
    train, judges = (
        [(pixels.seen(image, **asdict(look)), pixels.marks_at(truth, look.magnification)) for image, truth in part]
        for part in _usable(samples, phases, whole)
    )
    start = nets.NETS, method, train[0][0], goal.outputs, options, initial, training.seed
    network, own, net, kept = fit.started(*start)
    place = loop.choose_device(training.device)
    shown = [(image, goal.target(truth)) for image, truth in train]
    batches, steps = pixels.lessons(shown, len(phases), net.stride, patches, changes, goal.kind)
    measure = goal.loss([truth for _, truth in train], place)
    judge = (lambda model: goal.judge(model, judges, place)) if judges else None
    stated = fit.stated(own, training, patches, changes, look, loss, output)
    task, data = loop.Task(batches, measure, judge, steps=steps), pixels.digest(train + judges, initial)
    arrays, card = fit.fitted(method, net, network, task, stated, training, data, checkpoint)
    chosen = goal.fitted(net, judges, train, place)
    return arrays, {**card, "phases": list(phases), "not_from_initial_weights": kept, **chosen}


def _mean_loss(truths: list, phases: int, place, loss: Loss) -> Callable:
    """Return the function that computes the training loss of an answer and its truth."""
    from matlens.nets.pixel import losses

    weights = _class_weights(truths, phases, loss.class_weights)
    more = {
        "parts": losses.LOSSES[loss.loss],
        "class_weights": None if weights is None else weights.to(place),
        "boundary": loss.boundary_weight,
        "sigma_px": loss.boundary_sigma_px,
    }
    return lambda answer, truth: losses.total(answer, truth, **more)


def _threshold(net, judges: list, place, output: Output) -> float:
    """Find the boundary probability at which the validation samples have grains of the size of their truth."""
    phase, dims = output.boundary_phase, judges[0][1].ndim
    predict, layout = pixels.predictor(net, place), pixels.layout_of(net, dims, views=output.views)
    pairs = (
        (np.concatenate([part[phase] for _, part in tiles.bands(predict, image, **layout)]), truth == phase)
        for image, truth in judges
    )
    return lines.fitting_threshold(pairs, output.output, output.prominence_px, output.min_area_px2)


def class_bias(net, judges: list, place, output: Output) -> list[float]:
    """Find the logarithms of factors of the probabilities with which the phases have their true fractions.

    Each round corrects every phase by what it lacks; of all rounds the one whose fractions are nearest is returned.
    """
    predict = pixels.predictor(net, place)
    maps = []
    for image, truth in judges:
        layout = pixels.layout_of(net, truth.ndim, views=output.views)
        whole = np.concatenate([part for _, part in tiles.bands(predict, image, **layout)], 1)
        maps.append((np.log(np.maximum(whole, 1e-7))[:, truth != 255], truth[truth != 255]))
    logs, truth = np.concatenate([m for m, _ in maps], 1), np.concatenate([t for _, t in maps])
    wanted = np.bincount(truth, minlength=len(logs)) / truth.size
    bias, best = np.zeros(len(logs)), (np.inf, np.zeros(len(logs)))
    for _ in range(BIAS_ROUNDS):
        found = np.bincount((logs + bias[:, None]).argmax(0), minlength=len(logs)) / truth.size
        best = min(best, (float(np.abs(found - wanted).sum()), bias.copy()), key=lambda pair: pair[0])
        bias += 0.5 * np.log((wanted + 1e-4) / (found + 1e-4))
        bias -= bias.mean()
    return [round(float(value), 4) for value in best[1]]
