"""Networks that predict a property of crystals from their graphs: learned on a fold, applied to anything.

An ensemble is one file of weights, its members told apart by a prefix; what else an application needs is in the card.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matlens import registry
from matlens.crystal import graphs as flat
from matlens.job.provenance import provenance
from matlens.nets import CRYSTAL_NETS, SITES
from matlens.predict import familiar

COVERAGE = 0.9
NORMAL_90 = 1.6449  # a normal distribution has 90 % within so many standard deviations
MOST_EDGES = {False: 6_000, True: 2_000}  # in a batch that is applied, without and with angles: what fits into a cache
LEAST_CALIBRATED = 10  # residuals below which an interval is not calibrated


def build(method: str, options: Mapping):
    """Make a network with random weights from those options that are its own."""
    return registry.call(registry.load(CRYSTAL_NETS, method), {}, options)


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
    train, held = parted(np.asarray(train), np.asarray(validation), validation_part, seed)
    centre = float(y[train].mean())
    spread = max(float(y[train].std()), 1e-6 * max(1.0, abs(centre)))  # a constant is learned as one

    def deal(rng: np.random.Generator) -> list[np.ndarray]:
        dealt = flat.by_atoms(graphs.atoms[train], most_atoms, rng) if most_atoms else None
        return [train[some] for some in dealt or flat.shuffled(len(train), batch, rng)]

    lesson = _Lesson(graphs, (y - centre) / spread, held, deal, spread)
    training = {"epochs": epochs, "learning_rate": learning_rate, "weight_decay": weight_decay, "patience": patience}
    identity = {"method": method, "options": options, "train": train.tolist(), "target": [centre, spread]}
    arrays, history = {}, []
    files = [Path(checkpoint).with_suffix(f".{member}.safetensors") for member in range(ensemble)]
    for member, file in enumerate(files):
        more = {"seed": seed + member, "device": device, "checkpoint": file, "identity": identity}
        found, rows = _member(
            method, options, lesson, loss, label=f"{method} {member + 1} of {ensemble}", **training, **more
        )
        arrays |= {f"{member}/{name}": value for name, value in found.items()}
        history += [{"member": member, **row} for row in rows]
    card = {
        "method": method,
        "network": {k: v for k, v in options.items() if k in registry.options_of(registry.load(CRYSTAL_NETS, method))},
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


class _Lesson(NamedTuple):
    """What every member of an ensemble learns from: targets are standardised, `spread` is what they were divided by."""

    graphs: flat.Graphs
    target: np.ndarray
    held: np.ndarray
    deal: Callable[[np.random.Generator], list[np.ndarray]]
    spread: float


def _member(
    method: str, options: Mapping, lesson: _Lesson, loss: str, *, seed: int, device: str, patience: int, **training
):
    """Train one network, judged after every epoch only where it may stop; returns its arrays and its history."""
    import torch

    from matlens.learn import loop

    torch.manual_seed(seed)
    net, measure = build(method, options), _loss(loss)
    target = torch.from_numpy(lesson.target.astype(np.float32))

    def batches(epoch, rng):
        for chosen in lesson.deal(rng):
            made = flat.batch(lesson.graphs, chosen, net.line_graph)
            yield {**made, "target": target[torch.from_numpy(chosen)]}

    def score(net):
        missed = _values(net, flat.taken(lesson.graphs, lesson.held), device) - lesson.target[lesson.held]
        error = lesson.spread * np.abs(missed).mean()
        return {"validation_mae": error, loop.SCORE: -error}

    history = loop.train(
        net,
        batches,
        lambda net, made: measure(net(made), made["target"]),
        score if patience and len(lesson.held) else None,
        steps=len(lesson.deal(np.random.default_rng(seed))),
        patience=patience,
        seed=seed,
        device=device,
        **training,
    )
    return loop.arrays_of(net), history


def _values(net, graphs, device: str, sites: bool = False) -> np.ndarray:
    """Run a network over graphs by batches of bounded size; returns (n,), in units of the standardised target."""
    import torch

    from matlens.learn import loop

    place, found = loop.choose_device(device), []
    net.to(place).eval()
    with torch.inference_mode():
        for run in flat.in_order(graphs, MOST_EDGES[net.line_graph]):
            made = loop.moved(flat.batch(graphs, run, net.line_graph), place)
            found.append((net.site_values(made) if sites else net(made)).float().cpu().numpy())
    return np.concatenate([np.zeros(0, np.float32), *found])


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
    values = np.stack([_values(net, graphs, device) for net in members(arrays, card)])
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
    found = np.mean([_values(net, graphs, device, sites=True) for net in members(arrays, card)], axis=0, dtype=float)
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


def completed(card: dict, settings: dict, options: dict, graph: dict, fold: int) -> dict:
    """Add to a card what the weights learned, where they learned it, and what made them.

    `graph`: the way of connecting that made the graphs, and its options: weights mean nothing on other graphs.
    """
    training = {k: v for k, v in options.items() if k not in card["network"]}
    learned = {"target": settings["target"], "graph": graph, "split": settings, "fold": fold, "training": training}
    return {**card, **learned, **provenance()}
