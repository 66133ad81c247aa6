"""One tabular method on one study: features in, and out come predictions, scores, importance and a learning curve."""

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


def evaluate(index, tables: dict, make: Callable, settings: dict) -> tuple[dict, list[dict]]:
    """Predict the target of every item from features, by models that have not seen its specimen.

    `index`: DataFrame of the items. `tables`: measure name -> DataFrame. `make`: returns an unfitted regressor.
    `settings`: target, features, group, folds, seed. Items without a target are predicted by a model of all the others
    (fold -1). Returns the tables `predictions`, `errors`, `importance`, `learning_curve`, and rows of `rejected`:
    items that lack a feature. Fewer specimens than folds is a ValueError.
    """
    import pandas as pd

    table = features.build(index, tables, settings["features"])
    whole = table.notna().all(axis=1).to_numpy()
    lost = [
        batch.rejection(item, "predict", f"no value of {', '.join(table.columns[row.isna()][:3])}")
        for item, row in table[~whole].iterrows()
    ]
    index, x = index[whole].reset_index(drop=True), table[whole].to_numpy(float)
    y, groups, items = _target(index, settings["target"]), _groups(index, settings["group"]), index[columns.ITEM]
    known = np.isfinite(y)
    folds, seed = settings["folds"], settings["seed"]
    cv = validation.cross_validate(make, x[known], y[known], groups[known], folds, seed)
    predictions = [_predictions(items[known], y[known], groups[known], cv)]
    if not known.all():
        new = validation.fit_predict(make, x[known], y[known], groups[known], x[~known], folds, seed)
        names = ("predicted", "half_width_90", "outside_range")
        predictions.append(
            _predictions(items[~known], y[~known], groups[~known], dict(zip(names, new, strict=True), fold=-1))
        )
    out = predictions[0]
    covered = (out["target"] >= out["low_90"]) & (out["target"] <= out["high_90"])
    scores = {**validation.errors(y[known], cv["predicted"]), "coverage_90": covered.mean(), "items": int(known.sum())}
    arguments = (make, x[known], y[known], groups[known], folds, seed)
    importance = validation.permutation_importance(*arguments)
    return {
        "predictions": pd.concat(predictions, ignore_index=True),
        "errors": pd.DataFrame([{"target": settings["target"], **scores}]),
        "importance": pd.DataFrame({"feature": table.columns, "mae_growth": importance[:, 0], "std": importance[:, 1]}),
        "learning_curve": pd.DataFrame(validation.learning_curve(*arguments)),
    }, lost
