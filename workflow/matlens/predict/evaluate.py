"""One method on one study: features or images in; predictions, errors, importance and a learning curve out."""

from collections.abc import Callable

import numpy as np

from matlens import batch, columns
from matlens.predict import features, validation


def _target(index, name: str) -> np.ndarray:
    return features.numeric(index, name, "predict.target: index").to_numpy()


def _groups(index, name: str) -> np.ndarray:
    """Name the specimen of every item; an item without one is a specimen of its own."""
    own = index[columns.ITEM].astype(str).to_numpy()
    if name not in index.columns:
        return own
    given = index[name]
    return np.where(given.isna() | (given.astype(str) == ""), own, given.astype(str))


def _predictions(items, y, groups, cv: dict):
    import pandas as pd

    half = cv["half_width_90"]
    return pd.DataFrame(
        {
            columns.ITEM: items,
            columns.GROUP: groups,
            "fold": cv["fold"],
            "target": y,
            "predicted": cv["predicted"],
            "low_90": cv["predicted"] - half,
            "high_90": cv["predicted"] + half,
            "outside_training_range": cv["outside_range"],
        }
    )


def evaluate(index, x, make: Callable, settings: dict, blocks: dict, describe: Callable = validation.itself) -> dict:
    """Predict the target of every item by models that have not seen its specimen.

    `index`: DataFrame of n items. `x`: (n, f) features. `make`: returns an unfitted regressor. `settings`: target,
    group, folds, seed. `blocks`: name -> columns whose importance is measured together. `describe`: what the range flag
    looks at. Items without a target are predicted by a model of all the others (fold -1).
    Returns the tables `predictions`, `errors`, `importance`, `learning_curve`. Fewer specimens than folds: ValueError.
    """
    import pandas as pd

    y, groups, items = _target(index, settings["target"]), _groups(index, settings["group"]), index[columns.ITEM]
    known = np.isfinite(y)
    folds, seed = settings["folds"], settings["seed"]
    learned = (make, x[known], y[known], groups[known])
    cv = validation.cross_validate(*learned, folds, seed, describe)
    predictions = [_predictions(items[known], y[known], groups[known], cv)]
    if not known.all():
        new = validation.fit_predict(*learned, x[~known], folds, seed, describe)
        names = ("predicted", "half_width_90", "outside_range")
        found = dict(zip(names, new, strict=True), fold=-1)
        predictions.append(_predictions(items[~known], y[~known], groups[~known], found))
    covered = predictions[0]["target"].between(predictions[0]["low_90"], predictions[0]["high_90"])
    errors = {**validation.errors(y[known], cv["predicted"]), "coverage_90": covered.mean(), "items": int(known.sum())}
    importance = validation.permutation_importance(*learned, folds, seed, list(blocks.values()))
    return {
        "predictions": pd.concat(predictions, ignore_index=True),
        "errors": pd.DataFrame([{"target": settings["target"], **errors}]),
        "importance": pd.DataFrame({"feature": list(blocks), "mae_growth": importance[:, 0], "std": importance[:, 1]}),
        "learning_curve": pd.DataFrame(validation.learning_curve(*learned, folds, seed)),
    }


def evaluate_table(index, tables: dict, make: Callable, settings: dict) -> tuple[dict, list[dict]]:
    """Evaluate a method on the features that the settings name; returns its tables, and the items that lack a feature.

    `tables`: measure name -> DataFrame with the column `item`. See `features.build` for the names of features.
    """
    table = features.build(index, tables, settings["features"])
    whole = table.notna().all(axis=1).to_numpy()
    lost = [
        batch.rejection(item, "predict", f"no value of {', '.join(table.columns[row.isna()][:3])}")
        for item, row in table[~whole].iterrows()
    ]
    blocks = {name: np.array([number]) for number, name in enumerate(table.columns)}
    return evaluate(index[whole].reset_index(drop=True), table[whole].to_numpy(float), make, settings, blocks), lost
