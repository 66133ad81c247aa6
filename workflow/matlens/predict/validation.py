"""Honest error bars: cross-validation that never divides a specimen, importance, learning curve, range flag."""

from collections.abc import Callable

import numpy as np

Z90 = 1.6448536269514722  # half-width of the central 90 % of a standard normal


def grouped_folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Assign every item to a fold so that no group is divided; folds are balanced by number of items.

    `groups`: (n,) labels. Returns int (n,), 0 to folds - 1. Fewer groups than folds is a ValueError.
    Groups are shuffled by `seed`, then the largest goes to the fold that is smallest so far.
    """
    names, member, sizes = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise ValueError(f"{folds} folds need at least {folds} groups (specimens); there are {len(names)}")
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load, fold_of = np.zeros(folds, int), np.zeros(len(names), int)
    for group in order:
        fold_of[group] = np.argmin(load)
        load[fold_of[group]] += sizes[group]
    return fold_of[member]


def outside_range(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Flag rows with any feature below the least or above the largest value of the training set, or missing.

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


def _inner_residuals(make: Callable, x: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int, seed: int):
    """Predict every training item by a model that has not seen its group."""
    folds = min(folds, len(np.unique(groups.astype(str))))
    if folds < 2:
        return y - y.mean()
    member = grouped_folds(groups, folds, seed)
    residual = np.empty_like(y)
    for fold in range(folds):
        rest, held = member != fold, member == fold
        residual[held] = y[held] - make().fit(x[rest], y[rest]).predict(x[held])
    return residual


def itself(x: np.ndarray) -> np.ndarray:
    """Describe a row by its own values."""
    return x


def fit_predict(make: Callable, x, y, groups, x_new, folds: int, seed: int, describe: Callable = itself):
    """Fit on (x, y) and predict new rows, with the half-width of a 90 % interval.

    The half-width is the 90 % quantile of the absolute residuals of a grouped cross-validation inside the training set,
    never of fitted residuals (cross-conformal prediction; V. Vovk, Ann. Math. Artif. Intell. 74 (2015) 9). `describe`
    turns rows into the values whose range is compared.
    Returns predictions (n,), half-width (float), range flags (n,).
    """
    half = float(np.quantile(np.abs(_inner_residuals(make, x, y, groups, folds, seed)), 0.9, method="higher"))
    return make().fit(x, y).predict(x_new), half, outside_range(describe(x), describe(x_new))


def cross_validate(make: Callable, x, y, groups, folds: int, seed: int, describe: Callable = itself) -> dict:
    """Predict every item by a model that has seen no item of its group.

    Returns arrays of n: `predicted`, `half_width_90`, `outside_range`, `fold`.
    """
    member = grouped_folds(groups, folds, seed)
    predicted, half, outside = np.empty(len(y)), np.empty(len(y)), np.empty(len(y), bool)
    for fold in range(folds):
        rest, held = member != fold, member == fold
        predicted[held], half[held], outside[held] = fit_predict(
            make, x[rest], y[rest], groups[rest], x[held], folds, seed, describe
        )
    return {"predicted": predicted, "half_width_90": half, "outside_range": outside, "fold": member}


def permutation_importance(make, x, y, groups, folds: int, seed: int, blocks: list, repeats: int = 10) -> np.ndarray:
    """Measure by how much the MAE on held-out groups grows when one block of columns is shuffled between items.

    `blocks`: b arrays of column numbers; for a table one column each, for an image the pixels of a cell.
    Returns (b, 2): mean and standard deviation over folds and repeats. Source: L. Breiman, Mach. Learn. 45 (2001) 5.
    """
    member, rng = grouped_folds(groups, folds, seed), np.random.default_rng(seed)
    growth = np.zeros((len(blocks), folds, repeats))
    for fold in range(folds):
        rest, held = member != fold, member == fold
        model = make().fit(x[rest], y[rest])
        base = np.abs(model.predict(x[held]) - y[held]).mean()
        for number, block in enumerate(blocks):
            for repeat in range(repeats):
                shuffled = x[held].copy()
                shuffled[:, block] = shuffled[:, block][rng.permutation(len(shuffled))]
                growth[number, fold, repeat] = np.abs(model.predict(shuffled) - y[held]).mean() - base
    flat = growth.reshape(len(growth), -1)
    return np.stack([flat.mean(axis=1), flat.std(axis=1)], axis=1)


def learning_curve(make, x, y, groups, folds: int, seed: int, steps: int = 5) -> list[dict]:
    """Measure the held-out MAE of models that learn from a growing share of the training groups.

    Returns rows with `train_items`, `train_groups`, `mae` and `mae_std` over folds.
    """
    member, rng = grouped_folds(groups, folds, seed), np.random.default_rng(seed)
    names = groups.astype(str)
    orders = [rng.permutation(np.unique(names[member != fold])) for fold in range(folds)]
    rows = []
    for share in np.linspace(1 / steps, 1, steps):
        found = []
        for fold, order in enumerate(orders):
            taken = order[: max(2, round(share * len(order)))]
            rest = np.isin(names, taken) & (member != fold)
            model = make().fit(x[rest], y[rest])
            held = member == fold
            found.append((rest.sum(), len(taken), np.abs(model.predict(x[held]) - y[held]).mean()))
        items, used, mae = np.array(found).T
        rows.append({"train_items": items.mean(), "train_groups": used.mean(), "mae": mae.mean(), "mae_std": mae.std()})
    return rows
