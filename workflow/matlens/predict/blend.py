"""Blend the methods of a study: a weighted mean, with weights from held-out predictions of training items."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.learn.intervals import NORMAL_90
from matlens.predict import transforms

LEAST = 20  # held-out training items that weights are fitted to; with fewer all methods count alike
COUNTS = 0.01  # weight above which a method counts
OUTSIDE, UNSEEN = "outside_training_range", "unseen_elements"
MOST = 4000  # of them; more do not change the weights


def blend(y: np.ndarray, held: np.ndarray, *, methods: tuple[str, ...] = ()) -> np.ndarray:
    """Return weights of methods, not negative and with sum 1, that minimise the mean absolute error.

    y (n,): targets of training items. held (n, m): their predictions by m methods, each by a model that did not learn
    from the item. methods: names of the methods of the study that are blended; empty: all but the controls.
    Source: D. H. Wolpert, Neural Netw. 5 (1992) 241 (stacking); L. Breiman, Mach. Learn. 24 (1996) 49 (no negative
    weights). The linear programme is solved by HiGHS.
    """
    from scipy.optimize import linprog

    count, number = held.shape
    if count < LEAST:
        return np.full(number, 1.0 / number)
    some = np.random.default_rng(0).permutation(count)[:MOST]
    y, held, count = y[some], held[some], len(some)
    centre = np.median(y)  # the weights have the sum 1, so that neither it nor the unit changes them
    unit = np.abs(y - centre).mean() or 1.0
    y, held = (y - centre) / unit, (held - centre) / unit
    # Minimise the sum of t with -t <= y - held w <= t.
    cost = np.concatenate([np.zeros(number), np.ones(count)])
    sides = np.block([[held, -np.eye(count)], [-held, -np.eye(count)]])
    total = np.concatenate([np.ones(number), np.zeros(count)])[None]
    found = linprog(cost, sides, np.concatenate([y, -y]), total, [1.0], method="highs")
    weights = np.clip(found.x[:number], 0, None) if found.success else np.ones(number)
    return weights / weights.sum()


def _joined(tables: Mapping[str, object], names: list[str]):
    """Join the tables of several methods: rows of one item and fold that all of them have."""
    parts = [tables[name].drop_duplicates([columns.ITEM, "fold"]).set_index([columns.ITEM, "fold"]) for name in names]
    shared = parts[0].index
    for part in parts[1:]:
        shared = shared.intersection(part.index, sort=False)
    return [part.loc[shared] for part in parts]


def _columns(parts: list, name: str) -> np.ndarray:
    return np.column_stack([part[name].to_numpy(float) for part in parts])


def blended(predictions: Mapping, held: Mapping, fit, transform: str = "none") -> tuple:
    """Blend the predictions of the methods, fold by fold.

    predictions, held: method -> DataFrame with item, group, fold, target, predicted, low_90, high_90; of test items,
    and of held-out training items. fit(y, held): returns weights, see `blend`. Items that not all methods predict are
    left out. The interval has blended ends, times the factor that covers 90 % of the held-out items, of the target as
    it was learned (`transform`): where that is a logarithm, no end is below the least target. A flag is set
    where any method that counts sets it. Returns the predictions, the held-out predictions of the blend, and its
    weights (fold, blended, weight, held_out_items).
    """
    import pandas as pd

    names = list(predictions)
    known, tests = _joined(held, names), _joined(predictions, names)
    made, kept, rows = [], [], []
    for fold in sorted({int(one) for one in tests[0].index.get_level_values("fold")}):
        of = fold if fold >= 0 else min(int(one) for one in known[0].index.get_level_values("fold"))
        old = [part[part.index.get_level_values("fold") == of] for part in known]
        weights = fit(old[0]["target"].to_numpy(float), _columns(old, "predicted"))
        factor = _factor(old, weights, transform) if len(old[0]) >= LEAST else 1.0
        first = int(np.argmax(weights))
        own = [part[part.index.get_level_values("fold") == fold] for part in tests]
        made.append(_mixed(own, weights, factor, first, transform))
        if fold >= 0:
            kept.append(_mixed(old, weights, factor, first, transform))
            rows += [
                {"fold": fold, "blended": name, "weight": float(weight), "held_out_items": len(old[0])}
                for name, weight in zip(names, weights, strict=True)
            ]
    return pd.concat(made, ignore_index=True), pd.concat(kept, ignore_index=True), pd.DataFrame(rows)


def _ends(parts: list, weights: np.ndarray, transform: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the blended predictions, transformed, and how far the blended ends of the interval are below and above."""
    mixed = (_columns(parts, name) @ weights for name in ("predicted", "low_90", "high_90"))
    predicted, low, high = (transforms.bounded(transform, one) for one in mixed)
    return predicted, np.maximum(predicted - low, 0.0), np.maximum(high - predicted, 0.0)


def _factor(parts: list, weights: np.ndarray, transform: str) -> float:
    """Return the factor of the blended interval that covers 90 % of the items."""
    predicted, below, above = _ends(parts, weights, transform)
    miss = transforms.bounded(transform, parts[0]["target"].to_numpy(float)) - predicted
    side = np.where(miss < 0, below, above)
    return np.quantile(np.abs(miss) / np.maximum(side, 1e-9 * side.mean() or 1.0), 0.9, method="higher")


def _mixed(parts: list, weights: np.ndarray, factor: float, first: int, transform: str):
    """Return the rows of the heaviest method with blended predictions and intervals."""
    table = parts[first].reset_index()
    predicted, below, above = _ends(parts, weights, transform)
    found = transforms.interval(transform, predicted, predicted - factor * below, predicted + factor * above)
    std = found.pop("half_width_90") / NORMAL_90
    used = [part for part, weight in zip(parts, weights, strict=True) if weight > COUNTS]
    return table.assign(**found, **({"std": std} if "std" in table else {}), **_flags(table, used))


def _flags(table, used: list) -> dict:
    """Return the flags of the rows of a table, which are set where any of the methods that count sets them."""
    made = {}
    if OUTSIDE in table:
        made[OUTSIDE] = np.any([part[OUTSIDE].to_numpy(bool) for part in used if OUTSIDE in part], axis=0)
    if UNSEEN in table:
        names = np.array([part[UNSEEN].fillna("").to_numpy(str) for part in used if UNSEEN in part])
        made[UNSEEN] = names[np.argmax(np.char.str_len(names), axis=0), np.arange(len(table))]
    return made
