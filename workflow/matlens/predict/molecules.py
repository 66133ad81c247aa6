"""Energies of breaking a bond of a molecule, by a network trained on graphs of reactants and products."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matlens import columns
from matlens.learn.options import Training
from matlens.molecule import bonds, graphs
from matlens.predict import crystal_tables
from matlens.predict.folds import Fold, specimens
from matlens.predict.validation import NORMAL_90

APPLIED = 256  # reactions in a batch of predictions


@dataclass(frozen=True, kw_only=True)
class Network:
    """Options of the network: number and width of the gated layers, and steps of Set2Set."""

    layers: int = 3
    width: int = 64
    steps: int = 6


NETWORK = Network()


class Learned(NamedTuple):
    """Predictions (m,), half-width of the 90 % interval, held-out positions and their predictions, and the history."""

    predicted: np.ndarray
    half: float
    held: np.ndarray
    held_predicted: np.ndarray
    history: list


def _batch(made) -> dict:
    import torch

    return {k: torch.as_tensor(v) if isinstance(v, np.ndarray) else v for k, v in graphs.batch(made).items()}


def _lesson(made, target, train, size: int):
    """Return a function of (epoch, generator) that yields batches of the training reactions in random order."""
    import torch

    def batches(epoch, rng):
        order = rng.permutation(train)
        for start in range(0, len(order), size):
            at = order[start : start + size]
            batch = _batch([made[number] for number in at])
            yield batch | {"target": torch.as_tensor(target[at], dtype=torch.float32)}

    return batches


def _answers(net, made, device: str) -> np.ndarray:
    import torch

    from matlens.learn import loop

    place, found = loop.choose_device(device), []
    net.to(place).eval()
    with torch.no_grad():
        for start in range(0, len(made), APPLIED):
            found.append(net(loop.moved(_batch(made[start : start + APPLIED]), place)).float().cpu().numpy())
    return np.concatenate(found).astype(float) if found else np.zeros(0)


def bondnet(
    texts,
    y,
    groups,
    new,
    *,
    network: Network = NETWORK,
    epochs: int = 40,
    batch: int = 64,
    learning_rate: float = 0.003,
    weight_decay: float = 0.0001,
    validation_part: float = 0.05,
    seed: int = 0,
    device: str = "auto",
) -> Learned:
    """Train BonDNet on reactions, and predict others.

    `texts` (n,), `new` (m,): SMILES with a marked bond (`bonds.marked`). y (n,): energies. groups (n,): a group is
    never divided. `validation_part`: fraction of the groups that is held out and calibrates the 90 % interval.
    Source: M. Wen et al., Chem. Sci. 12 (2021) 1858; interval: split conformal, J. Lei et al., J. Am. Stat. Assoc. 113
    (2018) 1094.
    """
    import torch
    from torch.nn import functional as F

    from matlens.learn import loop
    from matlens.nets.molecule.bondnet import BonDNet

    known = np.unique(groups)
    out = np.random.default_rng([seed, 7]).permutation(known)[: max(1, round(validation_part * len(known)))]
    held, train = (np.flatnonzero(np.isin(groups, out, invert=one)) for one in (False, True))
    made, y = [graphs.of_marked(str(text)) for text in texts], np.asarray(y, float)
    centre, spread = y[train].mean(), y[train].std() or 1.0
    torch.manual_seed(seed)
    net = BonDNet(inputs=(graphs.ATOM, graphs.BOND, graphs.WHOLE), **vars(network))
    task = loop.Task(
        _lesson(made, (y - centre) / spread, train, batch),
        lambda net, given: F.l1_loss(net(given), given["target"]),
        None,
        steps=-(-len(train) // batch),
    )
    training = Training(
        epochs=epochs, patience=0, seed=seed, device=device, learning_rate=learning_rate, weight_decay=weight_decay
    )
    history = loop.train(net, task, training, label="bondnet")
    kept = _answers(net, [made[number] for number in held], device) * spread + centre
    residual = np.sort(np.abs(kept - y[held]))
    rank = min(len(residual), int(np.ceil(0.9 * (len(residual) + 1))))
    asked = _answers(net, [graphs.of_marked(str(text)) for text in new], device) * spread + centre
    return Learned(asked, float(residual[rank - 1]), held, kept, history)


def fold_predictions(method, index, fold: Fold, number: int, *, target: str, group: str = "group") -> tuple:
    """Train a method of molecules on one fold; return the tables of test items and of held-out training items.

    outside_training_range: the molecule has an element that the training set lacks.
    """
    texts, y = index[bonds.BROKEN].to_numpy(), index[target].to_numpy(float)
    items, groups = index[columns.ITEM].to_numpy(), specimens(index, group)
    learned = method(texts[fold.train], y[fold.train], groups[fold.train], texts[fold.test])
    low, high = learned.predicted - learned.half, learned.predicted + learned.half
    width = np.full(len(low), learned.half)
    found = {"predicted": learned.predicted, "low_90": low, "high_90": high, "half_width_90": width}
    found |= {"std": width / NORMAL_90, **_outside(texts[fold.train], texts[fold.test])}
    test = crystal_tables.rows(items[fold.test], groups[fold.test], number, y[fold.test], found)
    at, kept = fold.train[learned.held], learned.held_predicted
    ends = {"predicted": kept, "low_90": kept - learned.half, "high_90": kept + learned.half}
    return test, crystal_tables.held_rows(items[at], groups[at], number, y[at], ends)


def _outside(train, test) -> dict:
    seen = {symbol for text in train for symbol in bonds.elements(bonds.parsed(text))}
    unseen = [",".join(sorted(set(bonds.elements(bonds.parsed(text))) - seen)) for text in test]
    return {"outside_training_range": np.array([text != "" for text in unseen]), "unseen_elements": unseen}
