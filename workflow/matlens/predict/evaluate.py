"""One method on one study: features or images in; predictions, errors, importance and a learning curve out."""

from collections.abc import Callable

import numpy as np

from matlens import columns
from matlens.job import batch
from matlens.learn import features
from matlens.predict import cautions, crystal_tables, folds, transforms, validation
from matlens.predict.folds import specimens


def _target(index, name: str) -> np.ndarray:
    return features.numeric(index, name, "predict.target: index").to_numpy()


def _classes(y: np.ndarray, name: str) -> None:
    """Raise ValueError if the target of a classification is not 0 or 1."""
    if not np.isin(y, (0.0, 1.0)).all():
        wrong = y[~np.isin(y, (0.0, 1.0))][0]
        raise ValueError(f"predict.task: a classification needs a target of 0 and 1; '{name}' has {wrong:g}")


def _predictions(items, y, groups, cv: dict, transform: str):
    import pandas as pd

    half = cv["half_width_90"]
    found = transforms.interval(transform, cv["predicted"], cv["predicted"] - half, cv["predicted"] + half)
    return pd.DataFrame(
        {
            columns.ITEM: items,
            columns.GROUP: groups,
            "fold": cv["fold"],
            "target": y,
            "predicted": found["predicted"],
            "low_90": found["low_90"],
            "high_90": found["high_90"],
            "outside_training_range": cv["outside_range"],
        }
    )


def _held(items, y, groups, kept: list, numbers: list, transform: str):
    """Concatenate the held-out predictions of the training items of all folds."""
    import pandas as pd

    parts = []
    for fold, (at, predicted, half) in zip(numbers, kept, strict=True):
        found = transforms.interval(transform, predicted, predicted - half, predicted + half)
        parts.append(crystal_tables.held_rows(items.to_numpy()[at], groups[at], fold, y[at], found))
    return pd.concat(parts, ignore_index=True)


DEFAULTS = {
    "split": "group",
    "use_folds": None,
    "allow_incomplete": False,
    "task": "regression",
    "transform": "none",
    "shuffles": 10,
    "curve_steps": 5,
}


def evaluate(
    index,
    x,
    make: Callable,
    settings: dict,
    blocks: dict,
    describe: Callable = validation.itself,
    keep: Callable | None = None,
    items=None,
) -> dict:
    """Cross-validate a method on a study; returns the four tables of the stage.

    `index`: DataFrame of the items. `items`: names of the n that have features, in its order; None: all. `x`: (n, f)
    features. `make`: returns an unfitted regressor. `settings`: target, group, folds, seed; split and
    allow_incomplete, see `folds.make`; use_folds, their numbers; task: in a "classification" the target is 1 or 0, and
    the prediction is the probability of 1; transform of the target, see `transforms`; importance and learning curve
    are those of the transformed target; shuffles (permutations per feature) and curve_steps (0: none). `blocks`: name
    -> columns whose importance is measured together. `describe`: maps features to the values of the range flag. Items
    without a target are predicted by a model of all others (fold -1). `keep(fold, model, half_width_90, train, x of
    train)`: callback with the model of every fold.
    Returns the tables `predictions`, `errors`, `importance`, `learning_curve`, `held_out`. Raises
    ValueError if there are fewer specimens than folds.
    """
    import pandas as pd

    settings, at = DEFAULTS | settings, np.arange(len(index))
    at = at if items is None else at[index[columns.ITEM].isin(items)]
    given = {name: settings[name] for name in ("target", "folds", "seed", "group", "allow_incomplete")}
    made = folds.of_part(settings["split"], index, at, **given)
    index = index.iloc[at].reset_index(drop=True)
    raw, groups = _target(index, settings["target"]), specimens(index, settings["group"])
    y = transforms.forward(settings["transform"], raw)
    if settings["task"] == "classification":
        _classes(raw[np.isfinite(raw)], settings["target"])
    numbers = folds.used(made, settings["use_folds"])
    cut = [(made[number].train, made[number].test) for number in numbers]
    predictions, held = _predicted(index, x, (raw, y), groups, make, settings, (numbers, cut), describe, keep)
    told = cautions.of_features({name: x[:, part[0]] for name, part in blocks.items() if len(part) == 1}, raw)
    importance, curve = np.zeros((0, 2)), []
    names = list(blocks) if settings["shuffles"] else []
    if names:
        parts = list(blocks.values())
        importance = validation.permutation_importance(make, x, y, cut, settings["seed"], parts, settings["shuffles"])
    if settings["curve_steps"]:
        curve = validation.learning_curve(make, x, y, groups, cut, settings["seed"], settings["curve_steps"])
    return {
        "predictions": pd.concat(predictions, ignore_index=True),
        "errors": _errors(predictions[0], settings, told),
        **_studied(names, importance, curve),
        "held_out": held,
    }


def _predicted(index, x, target: tuple, groups, make, settings: dict, cut: tuple, describe: Callable, keep) -> tuple:
    """Predict the test items of all folds, and the items without a target by a model of all known items.

    target: as it is, and transformed. Returns a list of tables, and that of held-out training items.
    """
    (numbers, parts), (raw, y), items, transform = cut, target, index[columns.ITEM], settings["transform"]
    known = np.isfinite(y)
    inner = settings["folds"], settings["seed"], describe

    def kept(fold, model, half):
        keep(numbers[fold], model, half, parts[fold][0], x[parts[fold][0]])

    cv = validation.cross_validate(make, x, y, groups, parts, *inner, kept if keep else None)
    at, cv["fold"] = cv["position"], np.array(numbers)[cv["fold"]]
    predictions = [_predictions(items.iloc[at], raw[at], groups[at], cv, transform)]
    held = _held(items, raw, groups, cv["held_out"], numbers, transform)
    if not known.all():

        def last(model, half):
            keep(-1, model, half, np.flatnonzero(known), x[known])

        new = validation.fit_predict(
            make, x[known], y[known], groups[known], x[~known], *inner, last if keep else None
        )  # fmt: skip
        names = ("predicted", "half_width_90", "outside_range")
        found = dict(zip(names, new[:3], strict=True), fold=-1)
        predictions.append(_predictions(items[~known], raw[~known], groups[~known], found, transform))
    return predictions, held


def _errors(known, settings: dict, told: list[str]):
    """Score the predictions of items whose target is known. told: remarks on the features."""
    import pandas as pd

    truth, predicted = known["target"].to_numpy(), known["predicted"].to_numpy()
    covered = known["target"].between(known["low_90"], known["high_90"])
    errors = {**validation.errors(truth, predicted), "coverage_90": covered.mean()}
    errors["items"] = known[columns.ITEM].nunique()
    if settings["task"] == "classification":
        errors |= validation.class_scores(truth, predicted)
    remarks = cautions.of_targets(truth, settings["task"], settings["transform"])
    remarks += cautions.of_copies(known, settings["split"])
    return cautions.added(pd.DataFrame([{"target": settings["target"], **errors}]), remarks + told)


def _studied(names: list, importance: np.ndarray, curve: list) -> dict:
    import pandas as pd

    return {
        "importance": pd.DataFrame({"feature": names, "mae_growth": importance[:, 0], "std": importance[:, 1]}),
        "learning_curve": pd.DataFrame(curve, columns=["train_items", "train_groups", "mae", "mae_std"]),
    }


def evaluate_table(index, tables: dict, make: Callable, settings: dict) -> tuple[dict, list[dict]]:
    """Evaluate a method on the features of the settings; returns its tables, and the items that lack a feature.

    `tables`: measure name -> DataFrame with the column `item`. See `features.build` for the names of features.
    """
    folds.check_items(index)
    table = features.build(index, tables, settings["features"])
    whole = table.notna().all(axis=1).to_numpy()
    named = np.array([name.partition(": ")[0] for name in table.columns])  # a composition has many columns

    def lacking(missing) -> str:
        return f"no value of {', '.join(dict.fromkeys(named[missing]))}"

    lost = [batch.rejection(item, "predict", lacking(row.isna())) for item, row in table[~whole].iterrows()]
    if not whole.any():
        why = lacking(table.isna().any())
        fix = "remove it, or add the measure to the study"
        if any("_um" in name for name in table.columns[table.isna().all()]):
            fix = "lengths in micrometres need a pixel size: give pixel_size_um in ingest, or name the column in pixels"
        raise ValueError(f"predict.features: every item has {why}; {fix}")
    blocks = {name: np.array([number]) for number, name in enumerate(table.columns)}
    return evaluate(index, table[whole].to_numpy(float), make, settings, blocks, items=table.index[whole]), lost
