"""Efficiency of a screening: the part of the best candidates by prediction that are good in truth."""

from collections.abc import Iterable, Mapping

import numpy as np

from matlens import columns

COLUMNS = (
    "model", "chosen", "hits", "hit_rate", "hit_rate_low_95", "hit_rate_high_95", "chance_rate", "times_chance",
    "found_part", "compared_with", "times_compared", "times_compared_low_95", "times_compared_high_95",
)  # fmt: skip
NAMED = 20  # values of a column that a message names


def faults(wish: Mapping | None, methods: Iterable[str]) -> Iterable[tuple[list[str], str]]:
    """Yield (keys, reason) for settings of `hits` that define no hit, or that name an unknown method."""
    from matlens.registry import suggest

    if wish is None:
        return
    if (wish["below"] is None) == (wish["above"] is None):
        yield [], "a hit lies on one side of a limit; set 'below' or 'above', not both"
    for name in ("below", "above"):
        if not np.isfinite(wish[name] or 0.0):
            yield [name], f"{wish[name]} is not a finite number"
    if wish["compare"] and wish["compare"] not in (known := list(methods)):
        yield ["compare"], f"no method '{wish['compare']}'; {suggest(wish['compare'], known)}"


def candidates(index, among: Mapping):
    """Return the index of the candidates: the rows whose columns have one of the values of `among`.

    among: column -> values, compared as text. Raises ValueError if a column is missing, or if no row is left.
    """
    from matlens.registry import suggest

    for name, values in among.items():
        if name not in index.columns:
            raise ValueError(f"predict.hits.among: index has no column '{name}'; {suggest(name, index.columns)}")
        chosen = index[index[name].astype(str).isin([str(value) for value in values])]
        if not len(chosen):
            there = suggest(str(values[0]), sorted(set(index[name].astype(str)))[:NAMED])
            raise ValueError(f"predict.hits.among: no item has {name} {', '.join(map(str, values))}; {there}")
        index = chosen
    return index


def count(order: np.ndarray, good: np.ndarray, chosen: int) -> float:
    """Count the hits among the first `chosen` of n items; items of equal prediction are drawn at random (expectation).

    order (n,): predictions, the smallest first. good (n,): whether the item is a hit.
    """
    limit = np.partition(order, chosen - 1)[chosen - 1]
    sure, tied = order < limit, order == limit
    return float(good[sure].sum() + good[tied].mean() * (chosen - sure.sum()))


def table(ours: Mapping, wish: Mapping, *, among=None, resamples: int = 1000, seed: int = 0):
    """Score methods as screenings of the items that all of them predicted.

    among: the items that are candidates; None: all.

    ours: method -> DataFrame with item, fold, target, predicted. wish: `below` or `above` (limit of a hit), `chosen`
    (numbers of best candidates), `compare` (method to compare with, or ""). Returns COLUMNS, one row per method and
    number; intervals are bootstraps of the items, the same for all methods, so that ratios are paired.
    Raises ValueError if more candidates are to be chosen than there are, or if no item is a hit.
    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    import pandas as pd

    known = {
        name: one[one["fold"] >= 0].groupby(columns.ITEM)[["target", "predicted"]].mean() for name, one in ours.items()
    }
    shared = set.intersection(*(set(one.index) for one in known.values()))
    shared = sorted(shared if among is None else shared & {str(item) for item in among})
    sign = 1.0 if wish["above"] is None else -1.0
    limit = wish["below"] if wish["above"] is None else wish["above"]
    good = sign * next(iter(known.values())).loc[shared, "target"].to_numpy(float) <= sign * limit
    order = {name: sign * one.loc[shared, "predicted"].to_numpy(float) for name, one in known.items()}
    _possible(len(shared), int(good.sum()), max(wish["chosen"]))
    drawn = np.random.default_rng(seed).integers(len(shared), size=(resamples, len(shared)))
    rows = []
    for chosen in wish["chosen"]:
        own = {name: count(one, good, chosen) for name, one in order.items()}
        again = {name: np.array([count(one[at], good[at], chosen) for at in drawn]) for name, one in order.items()}
        rows += [
            {"model": name, "chosen": chosen, **_rates(own[name], again[name], chosen, good)}
            | _compared(wish["compare"], name, own, again)
            for name in order
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _possible(items: int, good: int, most: int) -> None:
    """Raise ValueError if the items cannot be screened."""
    if most > items:
        raise ValueError(f"predict.hits.chosen: {most} of {items} predicted items cannot be chosen; lower it")
    if not good:
        raise ValueError(f"predict.hits: none of {items} predicted items is a hit; move the limit")


def _rates(hits: float, again: np.ndarray, chosen: int, good: np.ndarray) -> dict:
    low, high = np.quantile(again / chosen, [0.025, 0.975])
    rate = {"hit_rate": hits / chosen, "hit_rate_low_95": low, "hit_rate_high_95": high, "chance_rate": good.mean()}
    return {"hits": hits, **rate, "times_chance": hits / chosen / good.mean(), "found_part": hits / good.sum()}


def _compared(other: str, name: str, own: Mapping, again: Mapping) -> dict:
    """Compare the hits of a method with those of another one; no numbers without one, or if that has no hits."""
    if not other or other == name:
        return {"compared_with": ""}
    found = {"compared_with": other, "times_compared": own[name] / own[other] if own[other] else np.nan}
    there = again[other] > 0
    if there.all():
        low, high = np.quantile(again[name] / again[other], [0.025, 0.975])
        found |= {"times_compared_low_95": low, "times_compared_high_95": high}
    return found
