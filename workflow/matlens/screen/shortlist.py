"""The shortlist: candidates that meet all criteria, in order, unlike one another, each with the reason of its rank."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import farthest
from matlens.crystal import compositions
from matlens.screen import criteria

SHARE = 20  # the best so many times `most` are told apart by likeness: those far behind would represent nothing


def fingerprints(formulas, volumes) -> np.ndarray:
    """Describe crystals cheaply: mole fractions of the elements, and the volume per atom on a like scale (n, e + 1)."""
    shares = compositions.dense(*compositions.parse(formulas))[1]
    return np.column_stack([shares, np.nan_to_num(np.asarray(volumes, float)) / 50.0]).astype(np.float32)


def make(predictions, index, settings: Mapping, score: Callable, known=frozenset()):
    """Rank the candidates of a study.

    `predictions`: DataFrame, a row per item and property, see `criteria.wide`. `index`: DataFrame with item, formula
    and, where there is one, volume_a3_per_atom. `settings`: properties (name -> goal, target, weight, min, max), most,
    diverse, seed and those of `criteria.first_failed`. `score(offers)`: the method. `known`: what is not new.
    Returns the shortlist and the excluded, a row each with the first criterion that it fails.
    """
    import pandas as pd

    from matlens.screen import fronts

    properties = settings["properties"]
    items, values, std, unseen, outside = criteria.wide(predictions, properties)
    values = criteria.significant(values)  # crystals that are alike are level, in one shard or in forty
    about = index.assign(item=index["item"].astype(str)).set_index("item").reindex(items)
    formulas = about["formula"].astype(str).tolist()
    why = criteria.first_failed(values, std, unseen, formulas, properties, settings, known)
    excluded = pd.DataFrame({"item": items[why != ""], "criterion": why[why != ""]})
    passed = np.flatnonzero(why == "")
    better = criteria.directed(values[passed], properties)
    weights = np.array([wish["weight"] for wish in properties.values()], float)
    offers = {"values": better, "weights": weights, "rng": np.random.default_rng(settings["seed"])}
    points = np.asarray(score(offers), float) if len(passed) else np.zeros(0)
    order = np.lexsort((np.arange(len(passed)), -points))
    order = order[np.isfinite(points[order])][: SHARE * settings["most"]]
    volumes = about["volume_a3_per_atom"] if "volume_a3_per_atom" in about else np.zeros(len(about))
    near = (
        fingerprints([formulas[k] for k in passed[order]], np.asarray(volumes)[passed[order]]) if len(order) else None
    )
    member = farthest.traverse(near, settings["most"])[1] if len(order) else np.zeros(0, int)
    if settings["diverse"] and len(order):
        _, first = np.unique(member, return_index=True)  # the best of each cluster: the order is that of the scores
        chosen = np.sort(first)
    else:
        chosen = np.arange(len(order))[: settings["most"]]
    front = fronts.fronts(better, len(order)) if len(passed) else np.zeros(0, int)
    rows = passed[order[chosen]]
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(rows) + 1),
            "item": items[rows],
            "formula": [formulas[k] for k in rows],
            "score": points[order[chosen]],
            "pareto_front": pd.Series(front[order[chosen]], dtype="Int64").replace(0, pd.NA),  # behind all told apart
            "cluster": member[chosen],
            "reason": _reasons(values, better, order[chosen], passed, properties, settings["diverse"]),
        }
    )
    for column, name in enumerate(properties):
        table[name], table[f"{name}_std"] = values[rows, column], std[rows, column]
    table["unseen_elements"], table["outside_training_range"] = unseen[rows], outside[rows]
    return table, excluded


def _reasons(values, better, chosen, passed, properties: Mapping, diverse: bool) -> list[str]:
    """Say in words why each candidate stands where it stands."""
    made = []
    for at in chosen:
        place = 1 + (better > better[at]).sum(axis=0)
        parts = [
            f"{name} {values[passed[at], column]:.4g} ({place[column]} of {len(passed)} that meet the criteria)"
            for column, name in enumerate(properties)
        ]
        made.append("; ".join(parts) + ("; the best of its cluster" if diverse else ""))
    return made
