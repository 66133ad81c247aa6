"""Train networks on crystal graphs of a fold, and apply them.

An ensemble is one file of weights; a prefix separates its members. The model card has everything else that is needed to
apply it.
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
from matlens.predict import applicability_domain

COVERAGE = 0.9
NORMAL_90 = 1.6449  # half-width of the 90 % interval of a normal distribution, in standard deviations
LEAST_CALIBRATED = 10  # smallest number of residuals to calibrate an interval


def _loss(name: str) -> Callable:
    from torch.nn import functional as F

    return {"l1": F.l1_loss, "mse": F.mse_loss, "huber": F.smooth_l1_loss}[name]


def parted(train: np.ndarray, validation: np.ndarray, part: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split a fraction `part` off the training items as validation set, unless one is given; both sorted."""
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

    graphs: Graphs of n crystals. y: targets (n,).
    train, validation: positions. Without validation items, a fraction `validation_part` of train is held out. They
    calibrate the 90 % interval. If patience > 0 they also choose the epoch, and the interval may be slightly narrow.
    batch: crystals per batch. most_atoms: atoms per batch instead (0: off), which bounds memory for crystals of
    different sizes. checkpoint: file from which a killed run continues. options: include those of the network.
    ensemble: number of members, which differ in their seeds only.
    Returns arrays by name, a model card, and history rows per member and epoch.
    Source of the interval: J. Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094 (locally weighted split conformal).
    """
    method = method.partition(".")[0]
    train, held = parted(np.asarray(train), np.asarray(validation), validation_part, seed)
    centre = float(y[train].mean())
    spread = max(float(y[train].std()), 1e-6 * max(1.0, abs(centre)))  # avoids division by zero for a constant target
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
        **applicability_domain.describe(graphs, train),
    }
    calibration = _calibrated(flat.taken(graphs, held), y[held], arrays, card, device)
    for file in files:
        file.unlink(missing_ok=True)
    return arrays, card | calibration, history


def _ensemble(method: str, options: Mapping, lesson, loss: str, training: Training, files: list, identity: dict):
    """Train the members of an ensemble (seeds differ); returns arrays by "member/name", and the history."""
    arrays, history = {}, []
    for member, file in enumerate(files):
        own, label = replace(training, seed=training.seed + member), f"{method} {member + 1} of {len(files)}"
        found, rows = _member(method, options, lesson, loss, own, checkpoint=file, identity=identity, label=label)
        arrays |= {f"{member}/{name}": value for name, value in found.items()}
        history += [{"member": member, **row} for row in rows]
    return arrays, history


def _member(method: str, options: Mapping, lesson: lessons.Lesson, loss: str, training: Training, **more):
    """Train one network, with a validation score per epoch only for early stopping; returns arrays and history."""
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
    """Yield the networks of an ensemble with their weights. Raises ValueError if they do not fit the card."""
    from matlens.learn import loop

    for member in range(card["ensemble"]):
        net = build(card["method"], card["network"])
        start = f"{member}/"
        loop.load_arrays(net, {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)})
        yield net


def _answers(graphs, arrays: Mapping, card: Mapping, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (n,) and standard deviation (n,) of the ensemble over n graphs."""
    values = np.stack([lessons.answers(net, graphs, device) for net in members(arrays, card)])
    values = values.astype(float) * card["std"] + card["mean"]
    return values.mean(axis=0), values.std(axis=0)


def apply(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> dict[str, np.ndarray]:
    """Predict the target of every crystal, with uncertainty and applicability domain.

    Returns arrays (n,): predicted (mean of the ensemble), std, half_width_90 (NaN if the card has no calibration),
    outside_training_range (bool) and unseen_elements (symbols that are not in the training set, as text).
    """
    predicted, apart = _answers(graphs, arrays, card, device)
    half = card.get("quantile_90", float("nan")) * (apart + card.get("floor", float("nan")))
    return {
        "predicted": predicted,
        "std": half / NORMAL_90,
        "half_width_90": half,
        **applicability_domain.flag_outside(graphs, card),
    }


def sites(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> np.ndarray | None:
    """Return a site value for every atom (N,), the mean of the ensemble; None if the network has none.

    See nets.SITES: a reading has the unit of the target; attention is a weight, with sum 1 over a crystal.
    """
    if card["method"] not in SITES:
        return None
    found = np.mean(
        [lessons.answers(net, graphs, device, sites=True) for net in members(arrays, card)], axis=0, dtype=float
    )
    return found * card["std"] + card["mean"] if SITES[card["method"]] == "reading" else found


def _calibrated(graphs, y: np.ndarray, arrays: Mapping, card: Mapping, device: str) -> dict:
    """Calibrate the 90 % interval: return the factor on the ensemble spread that covers 90 % of the residuals."""
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
    """Complete a model card with target, graph builder, split, training options and provenance.

    graph: graph builder and its options; the weights are valid for these graphs only. name: method or method.variant.
    items (n,), cut (Fold): training and validation items.
    """
    training = {k: v for k, v in options.items() if k not in card["network"]}
    learned = {"target": settings["target"], "graph": graph, "split": settings, "fold": fold, "options": training}
    by_role = roles.of_folds(items, cut.train, cut.validation) if cut is not None else {}
    return cards.completed({**card, **learned}, name or card["method"], kind="crystals", roles=by_role)
