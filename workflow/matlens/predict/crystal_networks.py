"""Networks that predict a property of crystals from their graphs: learned on a fold, applied to anything.

An ensemble is one file of weights, its members told apart by a prefix; what else an application needs is in the card.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from matlens.crystal import graphs as flat
from matlens.learn import cards, roles
from matlens.learn import graphs as lessons
from matlens.learn.graphs import build
from matlens.learn.options import Training, own_options
from matlens.nets import CRYSTAL_NETS, SITES
from matlens.predict import familiar

COVERAGE = 0.9
NORMAL_90 = 1.6449  # a normal distribution has 90 % within so many standard deviations
LEAST_CALIBRATED = 10  # residuals below which an interval is not calibrated


def _loss(name: str) -> Callable:
    from torch.nn import functional as F

    return {"l1": F.l1_loss, "mse": F.mse_loss, "huber": F.smooth_l1_loss}[name]


def parted(train: np.ndarray, validation: np.ndarray, part: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Set a part of the training items aside, where no validation items are given; both sorted."""
    if len(validation) or part <= 0:
        return train, validation
    count = min(max(1, round(part * len(train))), len(train) - 1)
    held = np.random.default_rng([seed, 7]).permutation(train)[:count]
    return np.setdiff1d(train, held), np.sort(held)


def learn(
    graphs,
    y,
    train,
    validation,
    checkpoint,
    method: str,
    options: dict,
    *,
    epochs: int = 60,
    batch: int = 64,
    most_atoms: int = 0,
    learning_rate: float = 0.005,
    weight_decay: float = 0.0001,
    loss: str = "l1",
    ensemble: int = 1,
    validation_part: float = 0.05,
    patience: int = 0,
    seed: int = 0,
    device: str = "auto",
) -> tuple[dict, dict, list[dict]]:
    """Train an ensemble of networks on the targets of a fold.

    `graphs`: Graphs of n crystals. `y`: (n,) targets. `train`, `validation`: positions; without the latter a part
    `validation_part` of the former is set aside. It calibrates the 90 % interval; where `patience` is above 0, it also
    chooses the epoch, and the interval may then be a little narrow. `batch` crystals make a batch, or else as many as
    have `most_atoms` atoms (0: never), which bounds memory where crystals are of many sizes. `checkpoint`: file that a
    killed run goes on from. `options`: those of the network are among them. `ensemble` members differ in their seeds
    alone. Returns arrays by name, a card and a row of history per member and epoch.
    Source of the interval: J. Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094 (locally weighted split conformal).
    """
    method = method.partition(".")[0]
    train, held = parted(np.asarray(train), np.asarray(validation), validation_part, seed)
    centre = float(y[train].mean())
    spread = max(float(y[train].std()), 1e-6 * max(1.0, abs(centre)))  # a constant is learned as one
    deal = lessons.dealer(graphs, train, batch, most_atoms)
    lesson = lessons.Lesson(graphs, (y - centre) / spread, held, deal, spread)
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}
    training = Training(epochs=epochs, patience=patience, seed=seed, device=device, **rates)
    identity = {"method": method, "options": options, "train": train.tolist(), "target": [centre, spread]}
    files = [Path(checkpoint).with_suffix(f".{member}.safetensors") for member in range(ensemble)]
    arrays, history = _ensemble(method, options, lesson, loss, training, files, identity)
    card = {
        "method": method,
        "network": own_options(CRYSTAL_NETS, method, options),
        "ensemble": ensemble,
        "mean": centre,
        "std": spread,
        "trained_on": len(train),
        **familiar.seen(graphs, train),
    }
    calibration = _calibrated(flat.taken(graphs, held), y[held], arrays, card, device)
    for file in files:
        file.unlink(missing_ok=True)
    return arrays, card | calibration, history


def _ensemble(method: str, options: Mapping, lesson, loss: str, training: Training, files: list, identity: dict):
    """Train networks that differ in their seeds alone; returns their arrays by number and name, and their history."""
    arrays, history = {}, []
    for member, file in enumerate(files):
        own, label = replace(training, seed=training.seed + member), f"{method} {member + 1} of {len(files)}"
        found, rows = _member(method, options, lesson, loss, own, checkpoint=file, identity=identity, label=label)
        arrays |= {f"{member}/{name}": value for name, value in found.items()}
        history += [{"member": member, **row} for row in rows]
    return arrays, history


def _member(method: str, options: Mapping, lesson: lessons.Lesson, loss: str, training: Training, **more):
    """Train one network, judged after every epoch only where it may stop; returns its arrays and its history."""
    import torch

    from matlens.learn import loop

    torch.manual_seed(training.seed)
    net, measure = build(method, options), _loss(loss)

    def score(net):
        missed = lessons.answers(net, flat.taken(lesson.graphs, lesson.held), training.device)
        error = lesson.spread * np.abs(missed - lesson.target[lesson.held]).mean()
        return {"validation_mae": error, loop.SCORE: -error}

    task = loop.Task(
        lessons.batches(lesson, net.line_graph),
        lambda net, made: measure(net(made), made["target"]),
        score if training.patience and len(lesson.held) else None,
        steps=len(lesson.deal(np.random.default_rng(training.seed))),
    )
    history = loop.train(net, task, training, **more)
    return loop.arrays_of(net), history


def members(arrays: Mapping, card: Mapping):
    """Yield the networks of an ensemble with their weights; ValueError where they do not fit the card."""
    from matlens.learn import loop

    for member in range(card["ensemble"]):
        net = build(card["method"], card["network"])
        start = f"{member}/"
        loop.load_arrays(net, {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)})
        yield net


def _answers(graphs, arrays: Mapping, card: Mapping, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Run an ensemble over n graphs: the mean of its members (n,), and their standard deviation (n,)."""
    values = np.stack([lessons.answers(net, graphs, device) for net in members(arrays, card)])
    values = values.astype(float) * card["std"] + card["mean"]
    return values.mean(axis=0), values.std(axis=0)


def apply(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> dict[str, np.ndarray]:
    """Predict the target of every crystal, with what is known of the error.

    Returns arrays of n: predicted (mean of the ensemble), std, half_width_90 (NaN where the card has no calibration),
    outside_training_range (bool) and unseen_elements (text: symbols that no training crystal had).
    """
    predicted, apart = _answers(graphs, arrays, card, device)
    half = card.get("quantile_90", float("nan")) * (apart + card.get("floor", float("nan")))
    return {
        "predicted": predicted,
        "std": half / NORMAL_90,
        "half_width_90": half,
        **familiar.strange(graphs, card),
    }


def sites(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> np.ndarray | None:
    """Give a number for every atom (N,), the mean of the ensemble; None where a network cannot say.

    See nets.SITES: a reading is in the unit of the target, attention a weight; those of a crystal sum to 1.
    """
    if card["method"] not in SITES:
        return None
    found = np.mean(
        [lessons.answers(net, graphs, device, sites=True) for net in members(arrays, card)], axis=0, dtype=float
    )
    return found * card["std"] + card["mean"] if SITES[card["method"]] == "reading" else found


def _calibrated(graphs, y: np.ndarray, arrays: Mapping, card: Mapping, device: str) -> dict:
    """Find by what the spread of the ensemble has to be multiplied so that 90 % of the residuals are inside."""
    if len(y) < LEAST_CALIBRATED:
        return {"calibrated_on": 0}
    predicted, apart = _answers(graphs, arrays, card, device)
    residual = np.abs(predicted - y)
    floor = float(residual.mean()) or 1e-12
    ratio = np.sort(residual / (apart + floor))
    rank = min(len(ratio), int(np.ceil((len(ratio) + 1) * COVERAGE)))
    return {"floor": floor, "quantile_90": float(ratio[rank - 1]), "calibrated_on": len(y)}


def completed(
    card: dict, settings: dict, options: dict, graph: dict, fold: int, *, name: str = "", items: Iterable = (), cut=None
) -> dict:
    """Add to a card what the weights learned, where they learned it, and what made them.

    `graph`: the way of connecting that made the graphs, and its options: weights mean nothing on other graphs. `name`:
    method, or method.variant. `items` (n,) and `cut`, the Fold, say who was learned from.
    """
    training = {k: v for k, v in options.items() if k not in card["network"]}
    learned = {"target": settings["target"], "graph": graph, "split": settings, "fold": fold, "options": training}
    by_role = roles.of_folds(items, cut.train, cut.validation) if cut is not None else {}
    return cards.completed({**card, **learned}, name or card["method"], kind="crystals", roles=by_role)
