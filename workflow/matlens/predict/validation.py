"""Cross-validation with grouped folds, prediction intervals, permutation importance, learning curve, range flag."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

TOGETHER = 4_000_000  # feature values of shuffled items in one call of a model: each call of a forest costs 40 ms


class Answer(NamedTuple):
    """Predictions of a method: predicted (m,), std (m,), half-width of the 90 % interval, and `held` (n,).

    held: prediction of every training item by a model that did not learn from it.
    """

    predicted: np.ndarray
    std: np.ndarray
    half: float
    held: np.ndarray


def grouped_folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Assign every item to a fold; a group is never divided, and folds are balanced by number of items.

    groups: labels (n,). Groups are shuffled by `seed`; then each, largest first, goes to the smallest fold.
    Returns fold numbers (n,), 0 to folds - 1. Raises ValueError if there are fewer groups than folds.
    """
    names, member, sizes = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    if len(names) < folds:
        fix = f"set predict.folds to {len(names)}" if len(names) > 1 else "nothing can be held out; add specimens"
        fix += ", or set predict.split to kfold, which divides specimens: scores are then those of known materials"
        raise ValueError(f"{folds} folds need at least {folds} groups (specimens), there are {len(names)}; {fix}")
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load, fold_of = np.zeros(folds, int), np.zeros(len(names), int)
    for group in order:
        fold_of[group] = np.argmin(load)
        load[fold_of[group]] += sizes[group]
    return fold_of[member]


def outside_range(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Flag rows with a feature outside the range of the training set, or missing.

    `train`: (m, f), `test`: (n, f). Returns bool (n,).
    """
    low, high = train.min(axis=0), train.max(axis=0)
    return ~np.all((test >= low) & (test <= high), axis=1)


def errors(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Compute MAE, RMSE and the coefficient of determination R2 of predictions."""
    residual = predicted - truth
    spread = np.sum((truth - truth.mean()) ** 2)
    return {
        "mae": float(np.abs(residual).mean()),
        "rmse": float(np.sqrt(np.mean(residual**2))),
        "r2": float(1 - np.sum(residual**2) / spread) if spread > 0 else float("nan"),
    }


def held_out(make: Callable, x: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Predict the training items in an inner grouped cross-validation (n,); their mean if there is one group."""
    folds = min(folds, len(np.unique(groups.astype(str))))
    if folds < 2:
        return np.full(len(y), y.mean())
    member = grouped_folds(groups, folds, seed)
    predicted = np.empty_like(y)
    for fold in range(folds):
        rest, held = member != fold, member == fold
        predicted[held] = make().fit(x[rest], y[rest]).predict(x[held])
    return predicted


def itself(x: np.ndarray) -> np.ndarray:
    """Return the features unchanged."""
    return x


def fit_predict(
    make: Callable,
    x,
    y,
    groups,
    x_new,
    folds: int,
    seed: int,
    describe: Callable = itself,
    keep: Callable | None = None,
):
    """Fit on (x, y) and predict new rows, with the half-width of a 90 % interval.

    The half-width is the 90 % quantile of the absolute residuals of a grouped cross-validation inside the training set,
    never of fitted residuals. describe: maps features to the values whose range is compared. keep(model, half_width):
    callback with the fitted model. Returns predictions (n,), half-width (float), range flags (n,), and the held-out
    predictions of the training items.
    Source: V. Vovk, Ann. Math. Artif. Intell. 74 (2015) 9 (cross-conformal prediction).
    """
    held = held_out(make, x, y, groups, folds, seed)
    half = float(np.quantile(np.abs(held - y), 0.9, method="higher"))
    model = make().fit(x, y)
    if keep is not None:
        keep(model, half)
    return model.predict(x_new), half, outside_range(describe(x), describe(x_new)), held


def cross_validate(
    make: Callable,
    x,
    y,
    groups,
    cut: list,
    folds: int,
    seed: int,
    describe: Callable = itself,
    keep: Callable | None = None,
) -> dict:
    """Predict the test items of every fold by a model trained on its training items.

    cut: (train, test) positions per fold; an item may be in several test sets, or in none. folds: number of inner
    folds, see `fit_predict`. keep(fold, model, half_width): callback with the model of every fold.
    Returns arrays with one row per item and fold, sorted by item: position, predicted, half_width_90, outside_range,
    fold; and as `held_out` a list with position, held-out prediction and half-width of the training items of each fold.
    """
    parts, kept = [], []
    for fold, (train, test) in enumerate(cut):
        own = None if keep is None else partial(keep, fold)
        given = x[train], y[train], groups[train], x[test]
        predicted, half, outside, held = fit_predict(make, *given, folds, seed, describe, own)
        kept.append((train, held, half))
        parts.append((test, predicted, np.full(len(test), half), outside, np.full(len(test), fold)))
    names = ("position", "predicted", "half_width_90", "outside_range", "fold")
    found = dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))
    order = np.argsort(found["position"], kind="stable")
    return {name: values[order] for name, values in found.items()} | {"held_out": kept}


def permutation_importance(make, x, y, cut: list, seed: int, blocks: list, repeats: int = 10) -> np.ndarray:
    """Measure the increase of the test MAE when a block of columns is permuted between items.

    blocks: b arrays of column numbers; one column each for a table, the pixels of a cell for an image. Values are
    permuted between the test items of all folds, so that folds of one item count too.
    Returns (b, 2): mean and standard deviation over folds and repeats. Source: L. Breiman, Mach. Learn. 45 (2001) 5.
    """
    rng = np.random.default_rng(seed)
    growth, every = np.zeros((len(blocks), len(cut), repeats)), np.concatenate([held for _, held in cut])
    shuffles = [(number, repeat) for number in range(len(blocks)) for repeat in range(repeats)]
    for fold, (rest, held) in enumerate(cut):
        model = make().fit(x[rest], y[rest])
        base = np.abs(model.predict(x[held]) - y[held]).mean()
        many = max(1, TOGETHER // max(1, x[held].size))
        for first in range(0, len(shuffles), many):
            some = shuffles[first : first + many]
            shuffled = np.stack([x[held]] * len(some))
            for rows, (number, _) in zip(shuffled, some, strict=True):
                block = blocks[number]
                rows[:, block] = x[rng.choice(every, len(held), replace=False)][:, block]
            found = model.predict(shuffled.reshape(-1, *x.shape[1:])).reshape(len(some), len(held))
            for (number, repeat), values in zip(some, found, strict=True):
                growth[number, fold, repeat] = np.abs(values - y[held]).mean() - base
    flat = growth.reshape(len(growth), -1)
    return np.stack([flat.mean(axis=1), flat.std(axis=1)], axis=1)


def learning_curve(make, x, y, groups, cut: list, seed: int, steps: int = 5) -> list[dict]:
    """Measure the test MAE of models trained on an increasing fraction of the training groups.

    Returns rows with `train_items`, `train_groups`, `mae` and `mae_std` over folds.
    """
    rng = np.random.default_rng(seed)
    names = groups.astype(str)
    orders = [rng.permutation(np.unique(names[train])) for train, _ in cut]
    rows = []
    for share in np.linspace(1 / steps, 1, steps):
        found = []
        for (train, held), order in zip(cut, orders, strict=True):
            taken = order[: max(2, round(share * len(order)))]
            rest = train[np.isin(names[train], taken)]
            model = make().fit(x[rest], y[rest])
            found.append((len(rest), len(taken), np.abs(model.predict(x[held]) - y[held]).mean()))
        items, used, mae = np.array(found).T
        rows.append({"train_items": items.mean(), "train_groups": used.mean(), "mae": mae.mean(), "mae_std": mae.std()})
    return rows


def class_scores(truth: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Score predicted probabilities (n,) of a binary classification; NaN if one class has no item.

    roc_auc: area under the ROC curve, ties count half. balanced_accuracy, accuracy, f1: at a threshold of 0.5.
    For models that predict classes, the rocauc recorded by Matbench equals the balanced accuracy.
    Source: T. Fawcett, Pattern Recognit. Lett. 27 (2006) 861.
    """
    from scipy.stats import rankdata

    true, answer = truth > 0.5, probability >= 0.5
    yes, no, hits = int(true.sum()), int((~true).sum()), int((true & answer).sum())
    if not yes or not no:
        return dict.fromkeys(("roc_auc", "balanced_accuracy", "accuracy", "f1"), float("nan"))
    above = rankdata(probability)[true].sum() - yes * (yes + 1) / 2
    right = int((true == answer).sum())
    return {
        "roc_auc": float(above / (yes * no)),
        "balanced_accuracy": (hits / yes + (right - hits) / no) / 2,
        "accuracy": right / len(true),
        "f1": 2 * hits / (yes + int(answer.sum())),
    }
