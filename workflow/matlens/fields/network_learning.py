"""Train networks that predict fields, as corrections of a linear kernel; `networks` applies them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from matlens import nets
from matlens.fields import components, familiar, linear_kernel, networks
from matlens.fields.lessons import Lesson, names_of
from matlens.fields.problem import mean_load
from matlens.fields.settings import SAME, written
from matlens.job.batch import BadItem
from matlens.learn import intervals, members
from matlens.learn.options import TRAINING, Training, own_options


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Options of the cells of an epoch and of the loss: `batch` at a time; `loss` is l1 or l2."""

    batch: int = 8
    loss: str = "l2"


@dataclass(frozen=True, kw_only=True)
class Against:
    """Options of training against a discriminator, which joins after the part `alone` of the training: size of the
    gradient of its verdict over that of the error of the field, its width, and its learning rate over that of the
    network."""

    adversarial: float = 0.1
    alone: float = 0.5
    discriminator_width: int = 16
    discriminator_rate: float = 0.4


CELLS, AGAINST, ALONE = Cells(), Against(), Against(adversarial=0.0)


class Lessons:
    """The cells of a training: inputs and targets of the network, by shape, and the turns that leave the load."""

    def __init__(self, lessons: list[Lesson], phases: int, kernel: Mapping, scales: Mapping):
        about = lessons[0].about
        self.names, self.axes, self.phases, self.scales = names_of(about), about["axes"], phases, scales
        self.spacing = tuple(about["spacing"])
        self.load = mean_load(about["loading"], self.axes, about["quantity"])
        self.inputs, self.targets = [], []
        for lesson in lessons:
            linear = linear_kernel.apply(kernel, lesson.labels, phases)
            self.inputs.append(networks.seen(lesson.labels, phases, linear, scales))
            rest = (lesson.field - linear) / networks.column(scales["correction"], linear.ndim)
            self.targets.append(rest.astype(np.float32))

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[dict]:
        """Yield the cells of an epoch in batches of one shape each, in random order, each cell turned at random."""
        import torch

        by_shape: dict = {}
        for number in rng.permutation(len(self.inputs)):
            by_shape.setdefault(self.inputs[number].shape, []).append(number)
        parts = [numbers[k : k + size] for numbers in by_shape.values() for k in range(0, len(numbers), size)]
        for at in rng.permutation(len(parts)):
            pairs = [self.turned(number, rng) for number in parts[at]]
            yield {
                name: torch.from_numpy(np.stack(values))
                for name, values in zip(("pixels", "truth"), zip(*pairs, strict=True), strict=True)
            }

    def count(self, size: int) -> int:
        """Return the number of batches of an epoch."""
        shapes = [each.shape for each in self.inputs]
        return sum(-(-shapes.count(shape) // size) for shape in set(shapes))

    def turned(self, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Turn a cell by one of the symmetries of its load, drawn at random."""
        given, wanted = self.inputs[number], self.targets[number]
        turns = components.symmetries(self.load, given.shape[1:], self.spacing)
        order, flips = turns[rng.integers(len(turns))]
        count = len(given) - len(wanted)
        marks = [components.turned(each, 0, order, flips) for each in given[:count]]
        fields = [self._turned(part, order, flips) for part in (given[count:], wanted)]
        return np.ascontiguousarray(np.concatenate([marks, fields[0]])), np.ascontiguousarray(fields[1])

    def _turned(self, values: np.ndarray, order: tuple, flips: tuple) -> np.ndarray:
        rank, scale = len(self.names[0]), networks.column(self.scales["spread"], values.ndim)
        made = []
        for part, size in zip(np.split(values, 2), np.split(scale, 2), strict=True):
            whole = components.turned(components.unstacked(part * size, self.names, self.axes), rank, order, flips)
            made.append(components.stacked(whole, self.names, self.axes) / size)
        return np.concatenate(made)


def _sorted(samples, phases: int) -> tuple[list[Lesson], list[Lesson]]:
    """Split samples into training and validation cells. Raises BadItem if they are not of one problem."""
    parts: dict = {"train": [], "val": []}
    first = None
    for lesson, role, item in samples:
        own = {name: lesson.about[name] for name in SAME} | {"axes": lesson.about["axes"]}
        first = first or own
        if own != first:
            name = next(key for key in own if own[key] != first[key])
            raise BadItem(f"'{item}' has another {name} than the items before it; a network learns one problem")
        if lesson.labels.max() >= phases:
            raise BadItem(f"'{item}' has the phase number {lesson.labels.max()}, and the study names {phases} phases")
        parts[role].append(lesson)
    if not parts["train"]:
        raise BadItem("no solved item to train on; check the splits and hold_out of the study, and `rejected`")
    return parts["train"], parts["val"]


def scales_of(lessons: list[Lesson], kernel: Mapping, phases: int) -> dict[str, list[float]]:
    """Return the mean of the components and, of each of both fields, the rms of its fluctuation and of the error of
    the linear kernel."""
    fields = [each.field.reshape(len(each.field), -1) for each in lessons]
    rest = [each.field - linear_kernel.apply(kernel, each.labels, phases) for each in lessons]
    mean = _symmetric(np.mean([each.mean(axis=1) for each in fields], axis=0), lessons[0])

    def rms(parts: list) -> list[float]:
        squares = np.mean([(part.reshape(len(mean), -1).astype(float) ** 2).mean(axis=1) for part in parts], axis=0)
        return [float(np.sqrt(half.mean())) or 1.0 for half in np.split(squares, 2) for _ in half]

    return {
        "mean": [float(value) for value in mean],
        "spread": rms([each - mean[:, None] for each in fields]),
        "correction": rms(rest),
    }


def _symmetric(mean: np.ndarray, lesson: Lesson) -> np.ndarray:
    """Average the mean of the components over the symmetries of the load."""
    about, shape = lesson.about, lesson.labels.shape
    names, load = names_of(about), mean_load(about["loading"], about["axes"], about["quantity"])
    turns = components.symmetries(load, shape, tuple(about["spacing"]))
    halves = [components.unstacked(half.reshape(-1, *(1,) * len(shape)), names, about["axes"])
              for half in np.split(mean, 2)]  # fmt: skip
    made = [np.mean([components.turned(half, load.ndim, *turn) for turn in turns], axis=0) for half in halves]
    return np.concatenate([components.stacked(half, names, about["axes"]).ravel() for half in made])


def _kernel(lessons: list[Lesson], phases: int) -> dict[str, np.ndarray]:
    """Learn the linear kernel from the cells of the shape that most of them have."""
    shapes = [each.labels.shape for each in lessons]
    chosen = [each for each in lessons if each.labels.shape == max(set(shapes), key=lambda s: (shapes.count(s), s))]
    found = linear_kernel.fit([each.labels for each in chosen], [each.field for each in chosen], phases)
    return {**found, "kernel": found["kernel"].astype(np.float16 if _fits(found["kernel"]) else np.float32)}


def _fits(kernel: np.ndarray) -> bool:
    """Check whether half precision holds every component of a kernel: none too large, and none lost in its steps."""
    sizes = np.abs(kernel).reshape(len(kernel), -1).max(axis=1)
    return bool(sizes.min() > 1e-5 and 1e-3 < sizes.max() < 6e4)


def _answers(net, lessons: Lessons, device) -> list[np.ndarray]:
    """Return the correction of a network for every cell."""
    import torch

    with torch.no_grad():
        return [net(torch.from_numpy(given)[None].to(device))[0].cpu().numpy() for given in lessons.inputs]


def _left(found: list[np.ndarray], wanted: list[np.ndarray]) -> float:
    """Return the error of corrections over that of the linear kernel, 1 being no better."""
    wrong = sum(float(((one - true) ** 2).sum()) for one, true in zip(found, wanted, strict=True))
    return float(np.sqrt(wrong / max(sum(float((true**2).sum()) for true in wanted), 1e-30)))


def _judge(net, lessons: Lessons, device) -> dict[str, float]:
    """Score a network on validation cells by what it leaves of the error of the linear kernel."""
    left = _left(_answers(net, lessons, device), lessons.targets)
    return {"left_of_linear_kernel": left, "score": 1.0 - left}


def _together(nets: list, lessons: Lessons | None, device) -> dict:
    """Score the mean of an ensemble on validation cells, and calibrate the 90 % interval of the answer by them.

    They have chosen the epochs, too, so that the interval may be slightly narrow.
    """
    if len(nets) < 2 or lessons is None:
        return {}
    each = [_answers(net.eval().to(device), lessons, device) for net in nets]
    means = [np.mean(parts, axis=0) for parts in zip(*each, strict=True)]
    rest = np.concatenate([_answer(true - mean) for true, mean in zip(lessons.targets, means, strict=True)])
    apart = np.concatenate([_answer(np.std(parts, axis=0)) for parts in zip(*each, strict=True)])
    left = _left(means, lessons.targets)
    return {"left_of_linear_kernel": left, "interval": intervals.calibrate_together(np.abs(rest), apart)}


def _answer(correction: np.ndarray) -> np.ndarray:
    """Return the part of a correction that belongs to the answer, flat."""
    return np.split(correction, 2)[1].ravel().astype(float)


def learn(
    samples, phases: list, method: str, initial: Mapping | None, checkpoint, options: Mapping, *,
    training: Training = TRAINING, cells: Cells = CELLS, ensemble: int = 1,
) -> tuple[dict, dict]:  # fmt: skip
    """Train networks on solved cells; returns weights, linear kernel and domain by name, and their card.

    `samples`: (lesson, "train" or "val", item), see `lessons`. The network learns what the linear kernel leaves of
    both fields. Cells are turned by the symmetries of the load. Without validation samples, the last epoch is kept.
    `ensemble`: number of networks, whose seeds differ; validation cells calibrate the interval of several. Raises
    BadItem if the items are not of one problem.
    """
    return _learn(samples, phases, method, initial, checkpoint, options, training, cells, ALONE, ensemble)


def learn_against(
    samples, phases: list, method: str, initial: Mapping | None, checkpoint, options: Mapping, *,
    training: Training = TRAINING, cells: Cells = CELLS, against: Against = AGAINST, ensemble: int = 1,
) -> tuple[dict, dict]:  # fmt: skip
    """Train a network against a discriminator of its fields, as P. Isola et al., CVPR 2017; all else as `learn`."""
    return _learn(samples, phases, method, initial, checkpoint, options, training, cells, against, ensemble)


def _learn(samples, phases, method, initial, checkpoint, options, training, cells, against, ensemble: int):
    """Train the networks of an ensemble, alone or against discriminators."""
    from matlens.learn import loop

    train, judges = _sorted(samples, len(phases))
    kernel = _kernel(train, len(phases))
    scales = scales_of(train, kernel, len(phases))
    taught, judged = (Lessons(part, len(phases), kernel, scales) if part else None for part in (train, judges))
    network = {
        "name": method,
        "dims": train[0].labels.ndim,
        "channels": len(taught.inputs[0]),
        "outputs": len(taught.targets[0]),
        **own_options(nets.FIELD_NETS, method, options),
    }
    stated = {**asdict(training), **asdict(cells), **asdict(against), **own_options(nets.FIELD_NETS, method, options)}
    identity = {"network": network, "options": stated, "data": _digest(taught, initial)}
    found, history = [], []
    for number in range(ensemble):
        file, label = checkpoint, method
        if number:
            file = checkpoint and members.checkpoint_of(checkpoint, number)
            label = f"{method} {number + 1} of {ensemble}"
        own = replace(training, seed=training.seed + number)
        net, rows = _member(taught, judged, identity, initial, file, label, own, cells, against)
        found.append(net)
        history += [{"member": number, **row} for row in rows] if ensemble > 1 else rows
    for number in range(1, ensemble) if checkpoint else ():
        members.checkpoint_of(checkpoint, number).unlink(missing_ok=True)
    domain = familiar.fit(np.array([familiar.described(each.labels, len(phases)) for each in train]))
    about = train[0].about
    card = {
        "network": network,
        "options": stated,
        "settings": {name: written(about[name]) for name in SAME} | {"spacing": list(about["spacing"])},
        "axes": about["axes"],
        "scales": scales,
        "parameters": sum(p.numel() for net in found for p in net.parameters()),
        "ensemble": ensemble,
        "scores": next(row for row in reversed(history) if row["best"]) | {"best": True},
        "history": history,
    }
    together = _together(found, judged, loop.choose_device(training.device))
    card |= {"interval": together.pop("interval")} if together else {}
    card["scores"] |= together
    arrays = {
        f"{networks.member(k)}.{name}": v for k, net in enumerate(found) for name, v in loop.arrays_of(net).items()
    }
    arrays |= {f"kernel.{name}": values for name, values in kernel.items()}
    return arrays | {f"domain.{name}": values.astype(np.float32) for name, values in domain.items()}, card


def _member(taught, judged, identity: Mapping, initial, checkpoint, label: str, training, cells, against):
    """Train one network; returns it and its history."""
    import torch

    from matlens.fields import tasks
    from matlens.learn import loop

    torch.manual_seed(training.seed)
    net = networks.build(identity["network"])
    if initial:
        loop.load_arrays(net, {k[4:]: v for k, v in initial.items() if k.startswith("net.")}, partly=True)
    place = loop.choose_device(training.device)
    task = tasks.task(net, taught, cells, against, (lambda one: _judge(one, judged, place)) if judged else None)
    about = {"checkpoint": checkpoint, "identity": {**identity, "seed": training.seed}, "label": label}
    return net, loop.train(task.models, task, training, **about)


def _digest(lessons: Lessons, initial: Mapping | None) -> str:
    """Hash the training data, so that a checkpoint of other data is not resumed."""
    from matlens.learn import pixels

    return pixels.digest(zip(lessons.inputs, lessons.targets, strict=True), initial)
