"""Remarks on scores: targets that tell nothing or ask for other settings, and features that are the target."""

from collections.abc import Mapping

import numpy as np

from matlens import columns

DECADES = 100.0  # ratio of large to small targets (95 and 5 %) from which their logarithm is worth a comparison
TOLD = 0.99999  # correlation from which a feature is the target in another unit
ENOUGH = 10  # items from which that is no chance


def of_targets(y: np.ndarray, task: str = "regression", transform: str = "none") -> list[str]:
    """Return remarks on known targets (n,): all alike, two classes, or of other orders of magnitude."""
    y = np.asarray(y, float)
    y = y[np.isfinite(y)]
    if len(y) < 2 or task == "classification":
        return []
    if (y == y[0]).all():
        return ["all targets are equal: there is nothing to learn"]
    if np.isin(y, (0.0, 1.0)).all():
        return ["all targets are 0 or 1: with task: classification they are scored as classes"]
    low, high = np.quantile(y, (0.05, 0.95))
    if transform == "none" and y.min() > 0 and high > DECADES * low:
        return [f"targets differ by factors (5 %: {low:.3g}, 95 %: {high:.3g}): compare transform: log"]
    return []


def of_copies(known, split: str) -> list[str]:
    """Return a remark if shuffled folds divide specimens: the test items have copies among the training items.

    known: table of predictions with item, group (the specimen) and fold.
    """
    if split != "kfold" or columns.GROUP not in known:
        return []
    folds = known.groupby(columns.GROUP)["fold"].transform("nunique")
    several = known.groupby(columns.GROUP)[columns.ITEM].transform("nunique") > 1
    count = int(known[columns.ITEM][(folds > 1) & several].nunique())
    whole = known[columns.ITEM].nunique()
    text = f"{count} of {whole} items have their specimen among those learned from (split: kfold): compare split: group"
    return [text] if count else []


def of_features(features: Mapping, y: np.ndarray) -> list[str]:
    """Return a remark for every feature (n,), by name, that is the targets (n,) in another unit."""
    found = []
    for name, values in features.items():
        there = np.isfinite(values) & np.isfinite(y)
        x, z = np.asarray(values, float)[there], np.asarray(y, float)[there]
        if there.sum() >= ENOUGH and x.std() > 0 and z.std() > 0 and abs(np.corrcoef(x, z)[0, 1]) > TOLD:
            found.append(f"the feature {name} is the target in another unit: such scores say nothing of new items")
    return found


def added(errors, remarks: list[str]):
    """Add remarks to a table of scores, and print them; the table is the same without any."""
    if not remarks:
        return errors
    print("\n".join(remarks))
    return errors.assign(**{columns.REMARK: "; ".join(remarks)})
