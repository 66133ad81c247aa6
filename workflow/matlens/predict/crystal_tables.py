"""Targets and folds of crystal graphs, and the tables of predictions."""

from collections.abc import Iterable, Mapping

import numpy as np

from matlens import columns
from matlens.crystal import graphs
from matlens.learn import features
from matlens.nets import SITES
from matlens.predict import cautions, folds, transforms, validation


def rows_of(index, items):
    """Return the index rows of some items, in their order."""
    return index.set_index(columns.ITEM).loc[list(items)].reset_index()


def target_rows(index, items, target: str):
    """Return the index rows of graphs, in their order, and the targets (n,), NaN if unknown."""
    table = rows_of(index, items)
    return table, features.numeric(table, target, "predict.target: index").to_numpy(float)


def gathered(index, shards: Iterable[Mapping], settings: Mapping, only=None):
    """Concatenate stored graphs, and divide them into folds.

    shards: arrays of each shard. only: items to take, None for all. Returns Graphs of n crystals, their index rows,
    targets (n,; NaN if unknown) and the list of folds.
    """
    every = graphs.concatenate([graphs.from_arrays(arrays) for arrays in shards])
    if only is not None:
        every = graphs.taken(every, np.flatnonzero(np.isin(every.crystals.item.astype(str), list(only))))
    table, y = target_rows(index, every.crystals.item, settings["target"])
    at = index[columns.ITEM].reset_index(drop=True).reset_index().set_index(columns.ITEM)["index"]
    at = at.loc[list(every.crystals.item)].to_numpy()
    return every, table, y, folds.of_part(settings["split"], index, at, **cutting(settings))


def cutting(settings: Mapping) -> dict:
    """Return the settings of the stage that define the folds."""
    return {name: settings[name] for name in ("target", "folds", "seed", "group", "allow_incomplete")}


def rows(items, groups, fold, y, found: dict):
    """Make the table of predictions, one row per crystal. found: as `crystal_networks.apply` returns."""
    import pandas as pd

    return pd.DataFrame(
        {
            columns.ITEM: np.asarray(items).astype(str),
            columns.GROUP: groups,
            "fold": fold,
            "target": y,
            "predicted": found["predicted"],
            "low_90": found["low_90"],
            "high_90": found["high_90"],
            "outside_training_range": found["outside_training_range"],
            "std": found["std"],
            "unseen_elements": found["unseen_elements"],
        }
    )


def held_rows(items, groups, fold: int, y, found: Mapping):
    """Make the table of held-out predictions of training items, one row per item. found: predicted, low_90, high_90."""
    import pandas as pd

    names = {columns.ITEM: np.asarray(items).astype(str), columns.GROUP: groups, "fold": fold, "target": y}
    return pd.DataFrame({**names, **{name: found[name] for name in ("predicted", "low_90", "high_90")}})


def learned_targets(index, y: np.ndarray, also: Iterable[str], transform: str) -> np.ndarray:
    """Return the targets of a network (n, t): the transformed target, and further columns of the index."""
    more = [features.numeric(index, name, "predict.also: index").to_numpy(float) for name in also]
    return np.column_stack([transforms.forward(transform, y), *more])


def held_of_network(index, y: np.ndarray, held: Mapping, settings: Mapping, fold: int):
    """Make the table of held-out training items of a network, one row per item and target that it learned.

    held: as `crystal_networks.learn` returns. The column quantity names the target.
    """
    import pandas as pd

    items, groups, parts = index[columns.ITEM].to_numpy(), folds.specimens(index, settings["group"]), []
    for name, one in {settings["target"]: held, **held.get("also", {})}.items():
        first, at = name == settings["target"], one["position"]
        ends = (one[each] for each in ("predicted", "low_90", "high_90"))
        found = transforms.interval(settings["transform"] if first else "none", *ends)
        known = y if first else features.numeric(index, name, "predict.also: index").to_numpy(float)
        parts.append(held_rows(items[at], groups[at], fold, known[at], found).assign(quantity=name))
    return pd.concat(parts, ignore_index=True)


def held_of_target(table, target: str):
    """Return the rows of one target of a table of held-out items of networks."""
    return table[table["quantity"] == target].drop(columns="quantity").reset_index(drop=True)


def site_table(graphs, values, method: str, target: str):
    """Make the table of site values, one row per atom, see `crystal_networks.sites`; no rows if values is None."""
    import pandas as pd

    from matlens.crystal.compositions import SYMBOLS

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
            "quantity": target if SITES.get(method) == "reading" else f"attention, {target}",
        }
    )


def no_sites():
    """Make an empty table of site values."""
    import pandas as pd

    names = (columns.ITEM, "atom", "element", "frac_x", "frac_y", "frac_z", "site_value", "quantity")
    return pd.DataFrame({name: [] for name in names})


def history_table(rows: list[dict], fold: int):
    """Make the training history: fold, member, epoch, learning_rate, train_loss, validation_mae, best."""
    import pandas as pd

    names = ["fold", "member", "epoch", "learning_rate", "train_loss", "validation_mae", "best"]
    return pd.DataFrame([{"fold": fold, **row} for row in rows]).reindex(columns=names)


def judged(tables: list, target: str, transform: str = "", task: str = "regression", split: str = "") -> dict:
    """Concatenate and score the predictions of all folds; returns the four tables of the stage.

    transform ("": not known), task, split: those of the learning, for remarks, see `cautions`.

    Importance and learning curve have no rows, because each row would need one training.
    """
    import pandas as pd

    every = pd.concat(tables, ignore_index=True).sort_values([columns.ITEM, "fold"], kind="stable", ignore_index=True)
    known = every[every["fold"] >= 0]
    scores = validation.errors(known["target"].to_numpy(), known["predicted"].to_numpy())
    covered = known["target"].between(known["low_90"], known["high_90"])
    covered = float(covered.mean()) if known["low_90"].notna().any() else float("nan")
    remarks = cautions.of_targets(known["target"], task, transform) + cautions.of_copies(known, split)
    one = {"target": target, **scores, "coverage_90": covered, "items": known[columns.ITEM].nunique()}
    return {
        "predictions": every,
        "errors": cautions.added(pd.DataFrame([one]), remarks),
        "importance": pd.DataFrame({"feature": [], "mae_growth": [], "std": []}),
        "learning_curve": pd.DataFrame(np.zeros((0, 4)), columns=["train_items", "train_groups", "mae", "mae_std"]),
    }
