"""Train networks on crystal graphs of a fold, and apply them.

An ensemble is one file of weights; a prefix separates its members. The model card has everything else that is needed to
apply it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from matlens import registry
from matlens.crystal import graphs as flat
from matlens.learn import cards, intervals, roles
from matlens.learn import graphs as lessons
from matlens.learn import members as stored_members
from matlens.learn.graphs import build
from matlens.learn.intervals import NORMAL_90
from matlens.learn.options import Training, own_options
from matlens.nets import CRYSTAL_NETS, SITES
from matlens.predict import applicability_domain, ensembles, heads, transforms

COVERAGE = intervals.COVERAGE


def _loss(name: str) -> Callable:
    from torch.nn import functional as F

    return {"l1": F.l1_loss, "mse": F.mse_loss, "huber": F.smooth_l1_loss}[name]


def parted(train, validation, part: float, seed: int, groups=None) -> tuple[np.ndarray, np.ndarray]:
    """Split a fraction `part` off the training items as validation set, unless one is given; both sorted.

    groups (n,): specimens of all items, which are not divided; None: each item by itself.
    """
    if len(validation) or part <= 0:
        return train, validation
    count = min(max(1, round(part * len(train))), len(train) - 1)
    held = np.random.default_rng([seed, 7]).permutation(train)[:count]
    if groups is not None and len(some := train[np.isin(groups[train], groups[held])]) < len(train):
        held = some
    return np.setdiff1d(train, held), np.sort(held)


class Cut(NamedTuple):
    """Training set of an ensemble: (training, left out) positions of each member, all that is learned from, its parts.

    parts: number of the member that leaves a training crystal out; None if all members learn from the same ones.
    """

    members: list[tuple[np.ndarray, np.ndarray]]
    train: np.ndarray
    parts: np.ndarray | None


def cut_members(graphs, train, validation, ensemble: int, leave_out: str, part: float, seed: int, groups=None) -> Cut:
    """Choose the training set of each member of an ensemble; see `ensembles.parts` for `leave_out`, and `parted`."""
    train = np.sort(np.asarray(train))
    if leave_out == "none":
        train, held = parted(train, np.asarray(validation), part, seed, groups)
        return Cut([(train, held)] * ensemble, train, None)
    if ensemble < 2:
        raise ValueError("leave_out: an ensemble of one cannot leave out a part for each member; set ensemble: 5")
    parts = ensembles.parts(graphs, train, ensemble, leave_out, seed)
    return Cut([(train[parts != number], train[parts == number]) for number in range(ensemble)], train, parts)


def scales(targets: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the targets (n, t) over the training set, both (t,).

    Whatever the unit; targets that are all alike have a millionth of their value. Raises ValueError if all are NaN.
    """
    known = np.isfinite(targets[train]).any(axis=0)
    if not known.all():
        raise ValueError(
            f"target {int(np.argmin(known)) + 1} of {len(known)} is known of no training crystal; remove it from 'also'"
        )
    centre, spread = np.nanmean(targets[train], axis=0), np.nanstd(targets[train], axis=0)
    size = np.where(centre == 0, 1.0, np.abs(centre))
    return centre, np.where(spread > 1e-12 * size, spread, 1e-6 * size)


def learn(
    graphs,
    y,
    train,
    validation,
    checkpoint,
    method: str,
    options: dict,
    groups=None,
    *,
    epochs: int = 60,
    batch: int = 64,
    most_atoms: int = 0,
    learning_rate: float = 0.005,
    weight_decay: float = 0.0001,
    loss: str = "l1",
    ensemble: int = 1,
    leave_out: str = "none",
    validation_part: float = 0.05,
    patience: int = 0,
    seed: int = 0,
    device: str = "auto",
    also: tuple[str, ...] = (),
) -> tuple[dict, dict, list[dict], dict]:
    """Train an ensemble of networks on the targets of a fold.

    graphs: Graphs of n crystals. y: targets (n,), or (n, t) with those of `also` after the first, NaN if unknown.
    train, validation: positions. leave_out "none": members differ in their seeds only; without validation items, a
    fraction `validation_part` of train is held out, and calibrates the 90 % interval. "random", "clusters": each member
    leaves out another part of train, see `ensembles`; these calibrate. If patience > 0 they also choose the epoch, and
    the interval may be slightly narrow. batch: crystals per batch. most_atoms: atoms per batch instead (0: off), which
    bounds memory for crystals of different sizes. checkpoint: file from which a killed run continues. options: include
    those of the network. groups (n,): specimens that validation does not divide. also: further targets; see `heads`.
    Returns arrays by name, a model card, history rows per member and epoch, and the predictions of held-out training
    crystals: position, predicted, low_90, high_90 (in the unit of y), and those of `also` by name.
    Source of the interval: J. Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094 (locally weighted split conformal).
    """
    method, targets = method.partition(".")[0], np.asarray(y, float).reshape(len(graphs), -1)
    cut = cut_members(graphs, train, validation, ensemble, leave_out, validation_part, seed, groups)
    centre, spread = scales(targets, cut.train)
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}
    training = Training(epochs=epochs, patience=patience, seed=seed, device=device, **rates)
    task = Batches(loss, batch, most_atoms)
    files = [stored_members.checkpoint_of(checkpoint, member) for member in range(ensemble)]
    given = graphs, (targets - centre) / spread, cut
    found, history = train_members(*given, method, options, task, training, files, spread[0])
    arrays = stored_members.joined(found)
    card = {"method": method, "network": own_options(CRYSTAL_NETS, method, options), "ensemble": ensemble}
    card |= {"leave_out": leave_out, "mean": float(centre[0]), "std": float(spread[0]), "trained_on": len(cut.train)}
    if also:
        scale = zip(also, centre[1:].tolist(), spread[1:].tolist(), strict=True)
        card["outputs"] = [{"target": name, "mean": mean, "std": std} for name, mean, std in scale]
    about, domain = applicability_domain.describe(graphs, cut.train, cut.parts, seed)
    arrays, card = arrays | domain, card | about
    calibration, held = calibrate_outputs(graphs, targets, arrays, card, cut, device, seed)
    for file in files:
        file.unlink(missing_ok=True)
    return arrays, card | calibration, history, held


class Batches(NamedTuple):
    """Loss and batches of a training: number of crystals, or of atoms if `most_atoms` is above 0."""

    loss: str
    batch: int
    most_atoms: int


def train_members(
    graphs, targets, cut: Cut, method: str, options: Mapping, task: Batches, training: Training, files, spread: float
):
    """Train the members of an ensemble (seeds differ) on standardised targets (n, t).

    Returns a list of arrays by name, one per member, and the history. A network has one output for each target.
    """
    made, history = [], []
    for member, (file, (train, held)) in enumerate(zip(files, cut.members, strict=True)):
        deal = lessons.dealer(graphs, train, task.batch, task.most_atoms)
        lesson = lessons.Lesson(graphs, targets, held, deal, spread)
        own, label = replace(training, seed=training.seed + member), f"{method} {member + 1} of {len(files)}"
        identity = {
            "method": method, "options": dict(options), "train": train.tolist(),
            "target": np.nan_to_num(targets[train]).round(6).tolist(),
        }  # fmt: skip
        found, rows = _member(method, options, lesson, task.loss, own, checkpoint=file, identity=identity, label=label)
        made.append(found)
        history += [{"member": member, **row} for row in rows]
    return made, history


def output_of(method: str, arrays: Mapping, number: int) -> dict[str, np.ndarray]:
    """Return the weights of the network that has one output of several; with one output, they stay as they are."""
    if not hasattr(registry.load(CRYSTAL_NETS, method), "readout"):
        return dict(arrays)
    start = f"{registry.load(CRYSTAL_NETS, method).readout}."
    return {
        name: value[number : number + 1] if name.startswith(start) else value for name, value in arrays.items()
    }  # fmt: skip


def _member(method: str, options: Mapping, lesson: lessons.Lesson, loss: str, training: Training, **more):
    """Train one network, with a validation score per epoch only for early stopping; returns arrays and history."""
    import torch

    from matlens.learn import loop

    torch.manual_seed(training.seed)
    net, measure, several = build(method, options), _loss(loss), lesson.target.shape[1] > 1
    if several:
        net.widen(lesson.target.shape[1])

    def score(net):
        answered = lessons.answers(net, flat.taken(lesson.graphs, lesson.held), training.device)
        first = answered[:, 0] if several else answered
        error = lesson.spread * np.nanmean(np.abs(first - lesson.target[lesson.held, 0]))
        return {"validation_mae": error, loop.SCORE: -error}

    def distance(net, made):
        target = made["target"] if several else made["target"][:, 0]
        known = torch.isfinite(target)
        return measure(net(made)[known], target[known])

    task = loop.Task(
        lessons.batches(lesson, net.line_graph),
        distance,
        score if training.patience and len(lesson.held) else None,
        steps=len(lesson.deal(np.random.default_rng(training.seed))),
    )
    history = loop.train(net, task, training, **more)
    return loop.arrays_of(net), history


def members(arrays: Mapping, card: Mapping):
    """Yield the networks of an ensemble with their weights. Raises ValueError if they do not fit the card."""
    from matlens.learn import loop

    for member in range(card["ensemble"] + card.get("whole", 0)):
        net = build(card["method"], card["network"])
        if card.get("outputs"):
            net.widen(1 + len(card["outputs"]))
        loop.load_arrays(net, stored_members.part(arrays, member))
        yield net


def apply(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> dict[str, np.ndarray]:
    """Predict the target of every crystal, with uncertainty and applicability domain.

    Returns arrays (n,): predicted, low_90, high_90 and half_width_90 (NaN if the card has no calibration), std (half
    the width as standard deviations of a normal distribution), outside_training_range (bool) and unseen_elements
    (symbols that are not in the training set, as text).
    """
    return apply_outputs(graphs, arrays, card, [""], device)[0]


def apply_outputs(
    graphs, arrays: Mapping, card: Mapping, targets: Iterable[str], device: str, known=None
) -> list[dict]:
    """Predict several targets of every crystal in one pass; see `apply`.

    targets: names of outputs, "" for the first. known: distances to training sets so far, see `heads.distances`.
    Raises ValueError if the network has no such output.
    """
    positions = [heads.number(card, target) for target in targets]
    values = np.stack([lessons.answers(net, graphs, device) for net in members(arrays, card)])
    each, nearest, asked = heads.distances(graphs, arrays, {} if known is None else known)
    outside, found = applicability_domain.flag_outside(graphs, card, nearest), []
    for position in positions:
        own = heads.card_of(card, position)
        ends = heads.interval(
            heads.scaled(values, card, position), each, own, heads.factor(asked, nearest, arrays, card, position)
        )
        one = transforms.interval(own.get("transform", "none"), *ends)
        found.append({**one, "std": one["half_width_90"] / NORMAL_90, **outside})
    return found


def sites(graphs, arrays: Mapping, card: Mapping, device: str = "auto", target: str = "") -> np.ndarray | None:
    """Return a site value for every atom (N,), the mean of the ensemble; None if the network has none.

    See nets.SITES: a reading has the unit of the target; attention is a weight, with sum 1 over a crystal. target: name
    of the output that is read, "" for the first.
    """
    if card["method"] not in SITES:
        return None
    position = heads.number(card, target)
    found = np.mean(
        [lessons.answers(net, graphs, device, sites=True) for net in members(arrays, card)], axis=0, dtype=float
    )
    return heads.scaled(found, card, position) if SITES[card["method"]] == "reading" else found


def calibrate_outputs(graphs, targets, arrays: dict, card: dict, cut: Cut, device: str, seed: int) -> tuple[dict, dict]:
    """Calibrate every output, see `calibrated`; those after the first in the card itself.

    Returns the entries of the card for the first output, and its held-out predictions with those of others as `also`.
    """
    first, held = calibrated(graphs, targets[:, 0], arrays, card, cut, device, 0, seed)
    held["also"] = {}
    for position, output in enumerate(card.get("outputs", ()), 1):
        found, others = calibrated(graphs, targets[:, position], arrays, card, cut, device, position, seed)
        held["also"][output["target"]] = others
        output |= found
    return first, held


def calibrated(
    graphs, y: np.ndarray, arrays: dict, card: Mapping, cut: Cut, device: str, output: int = 0, seed: int = 0
) -> tuple[dict, dict]:
    """Calibrate the 90 % interval of an output on training crystals that were held out.

    y (n,): targets, NaN if unknown. seed: that of the stored points. Returns entries of the card, and the predictions
    of these crystals: position, predicted, low_90, high_90. Adds the sizes of their residuals to the arrays.
    """
    if cut.parts is None:
        return _calibrated_together(graphs, y, arrays, card, cut.members[0][1], device, output)
    known = np.isfinite(y[cut.train])
    position, part = cut.train[known], cut.parts[known]
    predicted, distance = np.zeros(len(position)), np.zeros(len(position))
    for member, net in enumerate(members(arrays, {**card, "whole": 0})):
        own = part == member
        some = flat.taken(graphs, position[own])
        predicted[own] = heads.scaled(lessons.answers(net, some, device), card, output)
        distance[own] = ensembles.others(applicability_domain.distances(some, arrays)[0])[:, member]
    where = applicability_domain.points(flat.taken(graphs, position), arrays)
    found, size, factor = ensembles.calibrate_local(np.abs(predicted - y[position]), distance, where, part)
    arrays[applicability_domain.SIZE.format(output)] = applicability_domain.at_points(size, known, seed)
    half = found["ratios"][int(COVERAGE * len(found["ratios"]))] * ensembles.scale_at(distance, found) * factor
    return found, {
        "position": position,
        "predicted": predicted,
        "low_90": predicted - half,
        "high_90": predicted + half,
    }


def _calibrated_together(graphs, y, arrays: Mapping, card: Mapping, held: np.ndarray, device: str, output: int):
    """Return the factor on the spread of the ensemble that covers 90 % of the residuals of the held-out crystals."""
    held = held[np.isfinite(y[held])]
    some = flat.taken(graphs, held)
    values = np.stack([heads.scaled(lessons.answers(net, some, device), card, output) for net in members(arrays, card)])
    residual = np.abs(values.mean(axis=0) - y[held])
    found = intervals.calibrate_together(residual, values.std(axis=0))
    predicted, low, high = intervals.together(values, found)
    return found, {"position": held, "predicted": predicted, "low_90": low, "high_90": high}


def completed(
    card: dict, settings: dict, options: dict, graph: dict, fold: int, *, name: str = "", items: Iterable = (), cut=None
) -> dict:
    """Complete a model card with target, graph builder, split, training options and provenance.

    graph: graph builder and its options; the weights are valid for these graphs only. name: method or method.variant.
    items (n,), cut (Fold): training and validation items.
    """
    training = {k: v for k, v in options.items() if k not in card["network"]}
    learned = {"target": settings["target"], "graph": graph, "split": settings, "fold": fold, "options": training}
    by_role = roles.of_folds(items, cut.train, cut.validation) if cut is not None else {}
    return cards.completed({**card, **learned}, name or card["method"], kind="crystals", roles=by_role)
