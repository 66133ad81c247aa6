"""Blend the methods of a study: a weighted mean, with weights from held-out predictions of training items."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from matlens import columns
from matlens.job import batch
from matlens.learn.intervals import NORMAL_90
from matlens.predict import transforms

LEAST = 20  # held-out training items that weights are fitted to; with fewer all methods count alike
COUNTS = 0.01  # weight above which a method counts
OUTSIDE, UNSEEN = "outside_training_range", "unseen_elements"
MOST = 4000  # of them; more do not change the weights
STEPS = 5  # from the best weights to equal ones
PARTS = 5  # of the held-out items, for the error of each step


def blend(y: np.ndarray, held: np.ndarray, *, methods: tuple[str, ...] = ()) -> np.ndarray:
    """Return weights of methods, not negative and with sum 1, of a small mean absolute error.

    y (n,): targets of training items. held (n, m): their predictions by m methods, each by a model that did not learn
    from the item. methods: names of the methods of the study that are blended; empty: all but the controls.
    The weights of the least error are drawn towards equal ones as far as that adds no more than one standard error to
    the error of items that they were not fitted to: few items, or methods that are alike, give weights by chance.
    Sources: D. H. Wolpert, Neural Netw. 5 (1992) 241 (stacking); L. Breiman, Mach. Learn. 24 (1996) 49 (no negative
    weights); L. Breiman et al., Classification and Regression Trees (1984) ch. 3.4.3 (one standard error).
    """
    count, number = held.shape
    equal = np.full(number, 1.0 / number)
    if count < LEAST:
        return equal
    some = np.random.default_rng(0).permutation(count)[:MOST]
    y, held = y[some], held[some]
    centre = np.median(y)  # the weights have the sum 1, so that neither it nor the unit changes them
    unit = np.abs(y - centre).mean() or 1.0
    y, held = (y - centre) / unit, (held - centre) / unit
    drawn, error = np.linspace(0.0, 1.0, STEPS), np.zeros((len(y), STEPS))
    for part in np.array_split(np.arange(len(y)), PARTS):
        others = np.setdiff1d(np.arange(len(y)), part)
        weights = np.outer(1 - drawn, fitted(y[others], held[others])) + np.outer(drawn, equal)
        error[part] = np.abs(held[part] @ weights.T - y[part, None])
    more = error - error[:, [error.mean(axis=0).argmin()]]
    share = drawn[more.mean(axis=0) <= more.std(axis=0) / np.sqrt(len(y)) + 1e-12].max()
    return (1 - share) * fitted(y, held) + share * equal


def fitted(y: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Return the weights, not negative and with sum 1, of the least mean absolute error; a linear programme (HiGHS)."""
    from scipy import sparse
    from scipy.optimize import linprog

    count, number = held.shape
    # Minimise the sum of t with -t <= y - held w <= t.
    cost, apart = np.concatenate([np.zeros(number), np.ones(count)]), -sparse.eye(count)
    sides = sparse.bmat([[held, apart], [-held, apart]], format="csr")
    total = sparse.csr_matrix(np.concatenate([np.ones(number), np.zeros(count)]))
    found = linprog(cost, sides, np.concatenate([y, -y]), total, [1.0], method="highs")
    weights = np.clip(found.x[:number], 0, None) if found.success else np.ones(number)
    return weights / weights.sum()


def _joined(tables: Mapping[str, object], names: list[str]) -> tuple[list, list[dict]]:
    """Join the tables of several methods: rows of one item and fold that all of them predict.

    Returns the tables, and a rejection for each other item that names the methods without a prediction.
    """
    import pandas as pd

    keys = [columns.ITEM, "fold"]
    parts = [tables[name].drop_duplicates(keys).set_index(keys) for name in names]
    every = parts[0].index
    for part in parts[1:]:
        every = every.union(part.index, sort=False)
    there = pd.DataFrame(
        {name: part["predicted"].reindex(every).notna() for name, part in zip(names, parts, strict=True)}
    )
    whole = there.all(axis=1)
    lost = {
        item: batch.rejection(item, "predict", f"not blended: no prediction by {', '.join(row.index[~row])}")
        for (item, _), row in there[~whole].iterrows()
    }
    return [part.loc[every[whole]] for part in parts], list(lost.values())


def _columns(parts: list, name: str) -> np.ndarray:
    return np.column_stack([part[name].to_numpy(float) for part in parts])


class Blended(NamedTuple):
    """Tables of a blend: predictions, held-out predictions, and weights (fold, blended, weight, held_out_items).

    rejected: rows of the items that one of the methods does not predict.
    """

    predictions: object
    held_out: object
    weights: object
    rejected: list[dict]


def blended(predictions: Mapping, held: Mapping, fit, transform: str = "none") -> Blended:
    """Blend the predictions of the methods, fold by fold.

    predictions, held: method -> DataFrame with item, group, fold, target, predicted, low_90, high_90; of test items,
    and of held-out training items. fit(y, held): returns weights, see `blend`. Items that not all methods predict are
    rejected. The interval has blended ends, times the factor that covers 90 % of the held-out items, of the target as
    it was learned (`transform`): where that is a logarithm, no end is below the least target. A flag is set where any
    method that counts sets it. Items without a target (fold -1) have the weights of the first fold.
    """
    import pandas as pd

    names = list(predictions)
    (known, _), (tests, lost) = _joined(held, names), _joined(predictions, names)
    numbers = sorted({int(one) for one in tests[0].index.get_level_values("fold")})
    made, kept, rows = [], [], []
    for fold in numbers:
        of = fold if fold >= 0 else min((one for one in numbers if one >= 0), default=fold)
        old = [part[part.index.get_level_values("fold") == of] for part in known]
        weights = fit(old[0]["target"].to_numpy(float), _columns(old, "predicted"))
        factor = _factor(old, weights, transform) if len(old[0]) >= LEAST else 1.0
        first = int(np.argmax(weights))
        own = [part[part.index.get_level_values("fold") == fold] for part in tests]
        made.append(_mixed(own, weights, factor, first, transform))
        if fold >= 0:
            kept.append(_mixed(old, weights, factor, first, transform))
            shares = dict(zip(names, weights.tolist(), strict=True))
            few = "" if len(old[0]) >= LEAST else f": fewer than {LEAST}, so that all methods count alike"
            listed = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
            print(f"fold {fold}: weights {listed}, by {len(old[0])} held-out items{few}", flush=True)
            rows += [
                {"fold": fold, "blended": name, "weight": share, "held_out_items": len(old[0])}
                for name, share in shares.items()
            ]
    if not made:
        raise ValueError(f"blend: no item has a prediction by all of {', '.join(names)}; choose others with 'methods'")
    weights = pd.DataFrame(rows, columns=["fold", "blended", "weight", "held_out_items"])
    held_out = pd.concat(kept, ignore_index=True) if kept else known[0].reset_index()
    return Blended(pd.concat(made, ignore_index=True), held_out, weights, lost)


def _ends(parts: list, weights: np.ndarray, transform: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the blended predictions, transformed, and how far the blended ends of the interval are below and above."""
    part = np.flatnonzero(weights > 0)  # a method that does not count needs no interval
    mixed = (_columns(parts, name)[:, part] @ weights[part] for name in ("predicted", "low_90", "high_90"))
    predicted, low, high = (transforms.bounded(transform, one) for one in mixed)
    return predicted, np.maximum(predicted - low, 0.0), np.maximum(high - predicted, 0.0)


def _factor(parts: list, weights: np.ndarray, transform: str) -> float:
    """Return the factor of the blended interval that covers 90 % of the items."""
    predicted, below, above = _ends(parts, weights, transform)
    miss = transforms.bounded(transform, parts[0]["target"].to_numpy(float)) - predicted
    side = np.where(miss < 0, below, above)
    return np.quantile(np.abs(miss) / np.maximum(side, 1e-9 * side.mean() or 1.0), 0.9, method="higher")


def _mixed(parts: list, weights: np.ndarray, factor: float, first: int, transform: str):
    """Return the rows of the heaviest method, and columns that it lacks, with blended predictions and intervals."""
    table = parts[first]
    for other in parts:
        table = table.join(other[other.columns.difference(table.columns, sort=False)])
    table = table.reset_index()
    predicted, below, above = _ends(parts, weights, transform)
    found = transforms.interval(transform, predicted, predicted - factor * below, predicted + factor * above)
    std = found.pop("half_width_90") / NORMAL_90
    return table.assign(**found, **({"std": std} if "std" in table else {}), **_flags(parts, weights))


def _flags(parts: list, weights: np.ndarray) -> dict:
    """Return the flags that any method that counts sets; those of the others where none of these has them."""
    made = {}
    for name in (OUTSIDE, UNSEEN):
        have = [(part[name], weight > COUNTS) for part, weight in zip(parts, weights, strict=True) if name in part]
        flags = [flag for flag, counts in have if counts] or [flag for flag, _ in have]
        if flags and name == OUTSIDE:
            made[name] = np.any([flag.to_numpy(bool) for flag in flags], axis=0)
        elif flags:
            listed = np.array([flag.fillna("").to_numpy(str) for flag in flags])
            made[name] = listed[np.argmax(np.char.str_len(listed), axis=0), np.arange(listed.shape[1])]
    return made
