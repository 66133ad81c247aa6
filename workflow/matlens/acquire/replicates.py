"""Choose the candidates of one round for every replicate of a loop."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from matlens import acquire, columns, registry
from matlens.acquire import judged, progress, rounds
from matlens.learn import features


def choose(table, offered, before, method: str, options: Mapping, settings: dict, number: int, hours: float):
    """Return the candidates of a round; a replicate that has stopped has none, and the log names the reason.

    table: index of all items. offered: their features, a row per item. before: verdicts of earlier rounds, or None.
    hours: CPU time of the oracle so far.
    """
    items, x = offered.index.to_numpy(), offered.to_numpy()
    asked = rounds.asked(settings)
    empty = pd.DataFrame(columns=["round", "replicate", columns.ITEM, "status", *asked])
    known = empty if before is None else judged.wide(before, asked)
    waiting = "" if before is None else judged.open_round(before)
    within: np.ndarray = rounds.allowed(table.set_index(columns.ITEM).loc[items], settings)
    states = progress.summary(known, settings) if len(known) else pd.DataFrame(columns=["replicate"])
    fit = registry.load(acquire.SURROGATES, settings["surrogate"])
    blind = registry.method_of(method) in acquire.CONTROLS
    score = partial(registry.call, registry.load(acquire.METHODS, method), options=options)
    measured = _measured(table, items, settings)
    if settings.get("oracle") == acquire.BY_HAND:
        within = within & _first_alike(x, measured)
    chosen = []
    for replicate in range(settings["replicates"]):
        reason = waiting or progress.stopped(states[states["replicate"] == replicate], settings, hours)
        print(f"round {number}, replicate {replicate}: {reason or 'goes on'}")
        if not reason and number == 1 and measured.any():
            chosen.append(rounds.first_measured(items[measured], replicate))
        elif not reason:
            mine = known[known["replicate"] == replicate]
            chosen.append(rounds.propose(items, x, mine, fit, score, settings, number, replicate, blind, within))
        if not reason:
            print(f"{len(chosen[-1])} candidates: {chosen[-1]['reason'].max()}")
    return pd.concat(chosen, ignore_index=True) if chosen else pd.DataFrame(columns=list(acquire.CANDIDATES))


def _measured(table, items: np.ndarray, settings: Mapping) -> np.ndarray:
    """Flag the items (n,) whose values are all known, where people measure what is asked; none for another oracle."""
    if settings.get("oracle") != acquire.BY_HAND:
        return np.zeros(len(items), bool)
    found = table.set_index(columns.ITEM).loc[items].reset_index()
    names = rounds.asked(settings)
    values = [features.numeric(found, name, "acquire: index").to_numpy(float) for name in names]
    return np.isfinite(values).all(axis=0)


def _first_alike(x: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Flag the first of the items (n,) that have equal features; measured ones come first, so that none is made again.

    x: (n, f) features. measured: (n,) flags.
    """
    order = np.argsort(~measured, kind="stable")
    first = order[np.unique(x[order], axis=0, return_index=True)[1]]
    return np.isin(np.arange(len(x)), first)
