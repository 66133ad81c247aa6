"""Networks that predict a property of crystals from their graphs: learned on a fold, applied to anything.

An ensemble is one file of weights, its members told apart by a prefix; what else an application needs is in the card.
"""

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from matlens import columns, registry
from matlens import graphs as flat
from matlens.nets import CRYSTAL_NETS

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
    import torch

    from matlens import learn as loop

    train, held = parted(np.asarray(train), np.asarray(validation), validation_part, seed)
    centre, spread = float(y[train].mean()), float(y[train].std()) or 1.0
    target = torch.from_numpy(((y - centre) / spread).astype(np.float32))
    measure, arrays, history = _loss(loss), {}, []

    def dealt(rng):
        if most_atoms:
            return flat.by_atoms(graphs.atoms[train], most_atoms, rng)
        return flat.shuffled(len(train), batch, rng)

    for member in range(ensemble):
        torch.manual_seed(seed + member)
        net = build(method, options)
        angles = getattr(net, "line_graph", False)

        def batches(epoch, rng, angles=angles):
            for chosen in dealt(rng):
                made = flat.batch(graphs, train[chosen], angles)
                yield {**made, "target": target[torch.from_numpy(train[chosen])]}

        def score(net, angles=angles):
            error = np.abs(_values(net, graphs, held, angles, device) * spread + centre - y[held]).mean()
            return {"validation_mae": error, loop.SCORE: -error}

        rows = loop.train(
            net,
            batches,
            lambda net, made: measure(net(made), made["target"]),
            score if patience and len(held) else None,
            steps=len(dealt(np.random.default_rng(seed))),
            epochs=epochs,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            patience=patience,
            seed=seed + member,
            device=device,
            checkpoint=Path(checkpoint).with_suffix(f".{member}.safetensors"),
            identity={"method": method, "options": options, "train": train.tolist(), "target": [centre, spread]},
            label=f"{method} {member + 1} of {ensemble}",
        )
        arrays |= {f"{member}/{name}": value for name, value in loop.arrays_of(net).items()}
        history += [{"member": member, **row} for row in rows]
    card = {
        "method": method,
        "network": {k: v for k, v in options.items() if k in registry.options_of(registry.load(CRYSTAL_NETS, method))},
        "ensemble": ensemble,
        "mean": centre,
        "std": spread,
        "trained_on": len(train),
        **_seen(graphs, train),
    }
    for member in range(ensemble):
        Path(checkpoint).with_suffix(f".{member}.safetensors").unlink(missing_ok=True)
    return arrays, card | _calibrated(graphs, y, held, arrays, card, device), history


def _values(net, graphs, chosen, angles: bool, device: str, sites: bool = False) -> np.ndarray:
    """Run a network over some graphs by batches of bounded size; returns (n,), in units of the standardised target."""
    import torch

    from matlens import learn as loop

    place = loop.choose_device(device)
    net.to(place).eval()
    found, some = [], flat.taken(graphs, chosen)
    with torch.inference_mode():
        for run in flat.in_order(some, MOST_EDGES[angles]):
            made = loop.moved(flat.batch(some, run, angles), place)
            found.append((net.site_values(made) if sites else net(made)).float().cpu().numpy())
    return np.concatenate([np.zeros(0, np.float32), *found])


def members(arrays: Mapping, card: Mapping):
    """Yield the networks of an ensemble with their weights; ValueError where they do not fit the card."""
    from matlens import learn as loop

    for member in range(card["ensemble"]):
        net = build(card["method"], card["network"])
        start = f"{member}/"
        loop.load_arrays(net, {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)})
        yield net


def apply(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> dict[str, np.ndarray]:
    """Predict the target of every crystal, with what is known of the error.

    Returns arrays of n: predicted (mean of the ensemble), std, half_width_90 (NaN where the card has no calibration),
    outside_training_range (bool) and unseen_elements (text: symbols that no training crystal had).
    """
    every = np.arange(len(graphs))
    values = np.stack(
        [_values(net, graphs, every, getattr(net, "line_graph", False), device) for net in members(arrays, card)]
    )
    values = values.astype(float) * card["std"] + card["mean"]
    sigma = values.std(axis=0) + card.get("floor", float("nan"))
    half = card.get("quantile_90", float("nan")) * sigma
    return {
        "predicted": values.mean(axis=0),
        "std": half / NORMAL_90,
        "half_width_90": half,
        **_strange(graphs, card),
    }


def sites(graphs, arrays: Mapping, card: Mapping, device: str = "auto") -> np.ndarray | None:
    """Give what the network reads from every atom (N,), the mean of the ensemble; None where a network cannot say."""
    found = []
    for net in members(arrays, card):
        if not hasattr(net, "site_values"):
            return None
        found.append(_values(net, graphs, np.arange(len(graphs)), getattr(net, "line_graph", False), device, True))
    return np.mean(found, axis=0, dtype=float)


def _calibrated(graphs, y, held, arrays, card: Mapping, device: str) -> dict:
    """Find by what the spread of the ensemble has to be multiplied so that 90 % of the held residuals are inside."""
    if len(held) < LEAST_CALIBRATED:
        return {"calibrated_on": 0}
    net_values = [
        _values(net, graphs, held, getattr(net, "line_graph", False), device) for net in members(arrays, card)
    ]
    values = np.stack(net_values).astype(float) * card["std"] + card["mean"]
    residual = np.abs(values.mean(axis=0) - y[held])
    floor = float(residual.mean()) or 1e-12
    ratio = np.sort(residual / (values.std(axis=0) + floor))
    rank = min(len(ratio), int(np.ceil((len(ratio) + 1) * COVERAGE)))
    return {"floor": floor, "quantile_90": float(ratio[rank - 1]), "calibrated_on": len(held)}


def _ranges(graphs) -> np.ndarray:
    """Describe crystals by what a training set has a range of: volume per atom, nearest distance (n, 2)."""
    volume = np.abs(np.linalg.det(graphs.crystals.cell)) / graphs.atoms
    nearest = np.full(len(graphs), np.nan)
    full = np.diff(graphs.edge_offsets) > 0
    if full.any():
        nearest[full] = np.minimum.reduceat(graphs.edges["distance"], graphs.edge_offsets[:-1][full])
    return np.stack([volume, nearest], axis=1)


def _seen(graphs, train) -> dict:
    some = flat.taken(graphs, train)
    ranges = _ranges(some)
    return {
        "elements": np.unique(some.crystals.species).tolist(),
        "volume_a3_per_atom": [float(ranges[:, 0].min()), float(ranges[:, 0].max())],
        "nearest_a": [float(np.nanmin(ranges[:, 1])), float(np.nanmax(ranges[:, 1]))],
    }


def _strange(graphs, card: Mapping) -> dict[str, np.ndarray]:
    """Tell which crystals are unlike those that were learned from."""
    from matlens.compositions import SYMBOLS

    unseen = ~np.isin(graphs.crystals.species, card["elements"])
    names, first = np.full(len(graphs), "", dtype=object), graphs.crystals.offsets
    member = np.repeat(np.arange(len(graphs)), graphs.atoms)
    for crystal in np.unique(member[unseen]):
        own = slice(first[crystal], first[crystal + 1])
        names[crystal] = ",".join(SYMBOLS[z - 1] for z in np.unique(graphs.crystals.species[own][unseen[own]]))
    ranges = _ranges(graphs)
    limits = np.array([card["volume_a3_per_atom"], card["nearest_a"]])
    outside = ((ranges < limits[:, 0]) | (ranges > limits[:, 1])).any(axis=1)
    return {"outside_training_range": outside | (names != ""), "unseen_elements": names}


def site_table(graphs, values):
    """Make a row per atom of what a network reads from it; no rows where it cannot say."""
    import pandas as pd

    from matlens.compositions import SYMBOLS

    some = graphs.crystals
    if values is None:
        some, values = some[:0], np.zeros(0)
    counts = np.diff(some.offsets)
    return pd.DataFrame(
        {
            columns.ITEM: np.repeat(some.item.astype(str), counts),
            "atom": np.arange(len(some.species)) - np.repeat(some.offsets[:-1], counts),
            "element": np.array(["", *SYMBOLS], dtype=object)[some.species],
            **{f"frac_{axis}": some.frac[:, k] for k, axis in enumerate("xyz")},
            "site_value": values,
        }
    )


def history_table(rows: list[dict], fold: int):
    """Make the table of a training: fold, member, epoch, learning_rate, losses and scores, best."""
    import pandas as pd

    names = ["fold", "member", "epoch", "learning_rate", "train_loss", "validation_mae", "best"]
    return pd.DataFrame([{"fold": fold, **row} for row in rows]).reindex(columns=names)


def completed(card: dict, settings: dict, options: dict, graph: dict, fold: int) -> dict:
    """Add to a card what the weights learned, where they learned it, and by which versions.

    `graph`: the way of connecting that made the graphs, and its options: weights mean nothing on other graphs.
    """
    training = {k: v for k, v in options.items() if k not in card["network"]}
    versions = {name: metadata.version(name) for name in ("numpy", "torch")}
    return {**card, "target": settings["target"], "graph": graph, "split": settings, "fold": fold} | {
        "training": training,
        "versions": versions,
    }
