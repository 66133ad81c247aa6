"""Train networks on reactions that break a bond of a molecule, and apply them.

An ensemble is one file of weights; a prefix separates its members. The model card has everything else that is needed to
apply it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from matlens import columns, registry
from matlens.learn import cards, intervals, members, roles
from matlens.learn.intervals import NORMAL_90
from matlens.learn.options import Training, own_options
from matlens.molecule import bonds, graphs
from matlens.molecule.reactions import Reaction
from matlens.nets import MOLECULE_NETS
from matlens.predict import transforms
from matlens.predict.folds import Fold

APPLIED = 256  # reactions in a batch of predictions


def build(method: str, options: Mapping):
    """Build a network with random weights from its own options."""
    sizes = graphs.ATOM, graphs.BOND, graphs.WHOLE
    return registry.load(MOLECULE_NETS, method)(inputs=sizes, **own_options(MOLECULE_NETS, method, options))


def _batch(made: Sequence[graphs.Graph]) -> dict:
    import torch

    return {k: torch.as_tensor(v) if isinstance(v, np.ndarray) else v for k, v in graphs.batch(made).items()}


def _lesson(made: Mapping[int, graphs.Graph], target: np.ndarray, train: np.ndarray, size: int):
    """Return a function of (epoch, generator) that yields batches of the training reactions in random order."""
    import torch

    def batches(epoch, rng):
        order = rng.permutation(train)
        for at in np.array_split(order, -(-len(order) // size)):
            batch = _batch([made[int(number)] for number in at])
            yield batch | {"target": torch.as_tensor(target[at], dtype=torch.float32)}

    return batches


def _answers(net, made: Sequence[graphs.Graph], device: str) -> np.ndarray:
    import torch

    from matlens.learn import loop
    from matlens.learn.whole_tiles import WholeTiles

    place, found = loop.choose_device(device), []
    net.to(place).eval()
    with torch.no_grad(), WholeTiles():  # the answer for a reaction does not depend on the others
        for start in range(0, len(made), APPLIED):
            found.append(net(loop.moved(_batch(made[start : start + APPLIED]), place)).float().cpu().numpy())
    return np.concatenate(found).astype(float) if found else np.zeros(0)


def parted(train: np.ndarray, groups: np.ndarray, part: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split a fraction of the groups off the training positions; a group is never divided, and one remains.

    groups (n,): of all items. Returns the positions that are learned from, and those held out.
    """
    known = np.unique(groups[train])
    count = min(max(1, round(part * len(known))), len(known) - 1) if part > 0 else 0
    out = np.random.default_rng([seed, 7]).permutation(known)[:count]
    held = np.isin(groups[train], out)
    return train[~held], train[held]


def learn(
    reactions: Sequence[Reaction],
    y,
    groups,
    train,
    checkpoint,
    method: str,
    options: dict,
    *,
    epochs: int = 40,
    batch: int = 64,
    learning_rate: float = 0.003,
    weight_decay: float = 0.0001,
    loss: str = "l1",
    ensemble: int = 1,
    validation_part: float = 0.05,
    seed: int = 0,
    device: str = "auto",
) -> tuple[dict, dict, list[dict], dict]:
    """Train an ensemble of networks, whose seeds differ, on the targets of a fold.

    reactions (n,), y (n,): targets, NaN if unknown. groups (n,): a group is never divided. train: positions.
    `validation_part`: fraction of the groups of train that is held out and calibrates the 90 % interval. checkpoint:
    file from which a killed run continues. options: include those of the network.
    Returns arrays by name, a model card, history rows per member and epoch, and the predictions of held-out reactions:
    position, predicted, low_90, high_90 (in the unit of y).
    Source: M. Wen et al., Chem. Sci. 12 (2021) 1858; interval: split conformal, J. Lei et al., J. Am. Stat. Assoc. 113
    (2018) 1094.
    """
    method, y = method.partition(".")[0], np.asarray(y, float)
    train, held = parted(np.sort(np.asarray(train)), np.asarray(groups), validation_part, seed)
    centre, spread = float(y[train].mean()), float(y[train].std()) or 1.0
    made = {int(at): graphs.of_reaction(reactions[at]) for at in (*train, *held)}
    training = Training(
        epochs=epochs, patience=0, seed=seed, device=device, learning_rate=learning_rate, weight_decay=weight_decay
    )
    parts, history = [], []
    for member in range(ensemble):
        file = members.checkpoint_of(checkpoint, member)
        own = replace(training, seed=seed + member), f"{method} {member + 1} of {ensemble}"
        found, rows = _member(method, options, made, (y - centre) / spread, train, (loss, batch), *own, file)
        parts.append(found)
        history += [{"member": member, **row} for row in rows]
    arrays = members.joined(parts)
    card = {"method": method, "network": own_options(MOLECULE_NETS, method, options), "ensemble": ensemble}
    card |= {"mean": centre, "std": spread, "trained_on": len(train), **_domain([reactions[at] for at in train])}
    values = _values([made[int(at)] for at in held], arrays, card, device)
    residual = np.abs(values.mean(axis=0) - y[held]) if len(held) else np.zeros(0)
    card |= intervals.calibrate_together(residual, values.std(axis=0))
    for member in range(ensemble):
        members.checkpoint_of(checkpoint, member).unlink(missing_ok=True)
    ends = intervals.together(values, card)
    return arrays, card, history, dict(zip(("position", "predicted", "low_90", "high_90"), (held, *ends), strict=True))


def _member(
    method: str, options: Mapping, made: Mapping, target: np.ndarray, train: np.ndarray, task: tuple[str, int],
    training: Training, label: str, checkpoint: Path,
) -> tuple[dict, list[dict]]:  # fmt: skip
    """Train one network on standardised targets; task: loss, and reactions in a batch. Returns arrays and history."""
    import torch
    from torch.nn import functional as F

    from matlens.learn import loop

    (loss, size), measures = task, {"l1": F.l1_loss, "mse": F.mse_loss, "huber": F.smooth_l1_loss}
    torch.manual_seed(training.seed)
    net = build(method, options)
    lesson = loop.Task(
        _lesson(made, target, train, size),
        lambda net, given: measures[loss](net(given), given["target"]),
        None,
        steps=-(-len(train) // size),
    )
    identity = {
        "method": method, "options": dict(options), "train": train.tolist(), "target": target[train].round(6).tolist()
    }  # fmt: skip
    history = loop.train(net, lesson, training, checkpoint=checkpoint, identity=identity, label=label)
    return loop.arrays_of(net), history


def _values(made: Sequence[graphs.Graph], arrays: Mapping, card: Mapping, device: str) -> np.ndarray:
    """Return the predictions of every member over n reactions (members, n), in the unit that was learned."""
    from matlens.learn import loop

    found = []
    for member in range(card["ensemble"]):
        net = build(card["method"], card["network"])
        loop.load_arrays(net, members.part(arrays, member))
        found.append(_answers(net, made, device))
    return np.stack(found) * card["std"] + card["mean"]


def apply(
    reactions: Sequence[Reaction], arrays: Mapping, card: Mapping, device: str = "auto"
) -> dict[str, np.ndarray | list]:
    """Predict the target of reactions, with uncertainty and applicability domain.

    Returns, each (n,): predicted, low_90, high_90 and half_width_90 (NaN if the card has no calibration), std (half the
    width as standard deviations of a normal distribution), outside_training_range (an element or a charge that the
    training set lacks) and unseen_elements.
    """
    values = _values([graphs.of_reaction(one) for one in reactions], arrays, card, device)
    found = transforms.interval(card.get("transform", "none"), *intervals.together(values, card))
    return {**found, "std": found["half_width_90"] / NORMAL_90, **_outside(reactions, card)}


def _elements(reaction: Reaction) -> set[str]:
    return set(bonds.elements(bonds.parsed(reaction.marked)))


def _charges(reaction: Reaction) -> set[int]:
    return {reaction.charge, *(int(one) for one in reaction.ends if np.isfinite(one))}


def _domain(learned_from: Iterable[Reaction]) -> dict:
    """Return the elements and the charges of the training set, for a model card."""
    some = list(learned_from)
    return {
        "elements": sorted(set().union(*map(_elements, some))),
        "charges": sorted(set().union(*map(_charges, some))),
    }


def _outside(reactions: Iterable[Reaction], card: Mapping) -> dict:
    unseen, other = [], []
    for one in reactions:
        unseen.append(",".join(sorted(_elements(one) - set(card["elements"]))))
        other.append(bool(_charges(one) - set(card["charges"])))
    return {"outside_training_range": np.array([*map(bool, unseen)], bool) | other, "unseen_elements": unseen}


def completed(card: dict, settings: dict, options: dict, fold: int, *, name: str, index, cut: Fold) -> dict:
    """Complete a model card with target, transform, split, training options and provenance; index: of all items."""
    training = {k: v for k, v in options.items() if k not in card["network"]}
    learned = {"target": settings["target"], "transform": settings["transform"], "split": settings, "fold": fold}
    by_role = roles.of_folds(index[columns.ITEM], cut.train, cut.validation)
    return cards.completed({**card, **learned, "options": training}, name, kind="molecules", roles=by_role)
