"""Rank the candidates that meet all criteria, with the reason of each rank."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import farthest
from matlens.crystal import compositions
from matlens.screen import copies, criteria

SHARE = 20  # only the best SHARE x most candidates are clustered


def fingerprints(formulas, volumes) -> np.ndarray:
    """Return mole fractions of the elements and scaled volume per atom (n, e + 1)."""
    shares = compositions.dense(*compositions.parse(formulas))[1]
    return np.column_stack([shares, np.nan_to_num(np.asarray(volumes, float)) / 50.0]).astype(np.float32)


def make(predictions, index, settings: Mapping, score: Callable, known=frozenset(), lost=frozenset()):
    """Rank the candidates of a study into a shortlist and a table of excluded ones, with reasons.

    `predictions`: DataFrame, one row per item and property, see `criteria.wide`. `index`: DataFrame with item, formula
    and, if known, volume_a3_per_atom. `settings`: properties (name -> goal, target, weight, min, max), most, diverse,
    seed and those of `criteria.first_failed`. `score(inputs)`: the method. `known`: known compositions, which are
    excluded. `lost`: items that a prediction method rejected; those without a value are in neither table, others that
    nothing predicts are excluded. Returns the shortlist, and the excluded: item, formula, criterion, and the rank of
    those that met all criteria.
    """
    properties = settings["properties"]
    items, values, std, unseen, outside = criteria.wide(predictions, properties, index["item"])
    there = np.array([item not in lost for item in items], bool) | np.isfinite(values).all(axis=1)
    items, values, std, unseen, outside = (array[there] for array in (items, values, std, unseen, outside))
    values = criteria.significant(values)  # so that equal crystals have equal values in any shard
    about = index.assign(item=index["item"].astype(str)).set_index("item").reindex(items)
    formulas = about["formula"].astype(str).to_numpy(object) if "formula" in about else None  # images have none
    why = criteria.first_failed(values, std, unseen, outside, formulas, properties, settings, known)
    passed = np.flatnonzero(why == "")
    first = copies.first_copies(about.iloc[passed].reset_index(), values[passed])
    why[passed] = [f"a copy of '{one}': equal composition, volume and values" if one else "" for one in first]
    passed = passed[first == ""]
    better = criteria.directed(values[passed], properties, criteria.significant(std[passed]), settings["cautious"])
    points = _points(score, better, settings)
    order = np.lexsort((np.arange(len(passed)), -points))
    near = order[np.isfinite(points[order])][: SHARE * settings["most"]]
    volumes = about["volume_a3_per_atom"].to_numpy(float) if "volume_a3_per_atom" in about else np.zeros(len(about))
    alike = None if formulas is None else fingerprints(formulas[passed[near]].tolist(), volumes[passed[near]])
    chosen, member = _chosen(np.zeros((len(near), 1), np.float32) if alike is None else alike, settings)
    listed = near[chosen]
    rows = passed[listed]
    names = [""] * len(items) if formulas is None else [compositions.written(formula) for formula in formulas]
    names = np.array(names, object)
    table = _leading(items[rows], names[rows], points[listed], better, listed, len(near), member[chosen])
    reasons = _reasons(values, better, listed, passed, properties, settings["diverse"], outside)
    table["reason"] = _with_namesakes(reasons, names[rows].tolist())
    for column, name in enumerate(properties):
        table[name], table[f"{name}_std"] = values[rows, column], std[rows, column]
    table["unseen_elements"], table["outside_training_range"] = unseen[rows], outside[rows]
    out = _excluded(items, why, passed[order], rows, member, settings)
    out.insert(1, "formula", names[np.searchsorted(items, out["item"].to_numpy(str))])
    return table, out


def counted(listed, out) -> str:
    """Say how many candidates a shortlist and its excluded ones are, and how many failed each criterion."""
    low = int(out["rank"].notna().sum())
    head = f"{len(listed) + low} of {len(listed) + len(out)} candidates meet the criteria, {len(listed)} are listed"
    failed = out[out["rank"].isna()]["criterion"].value_counts()
    return "\n".join([head, *(f"  {number} failed: {criterion}" for criterion, number in failed.items())])


def _points(score: Callable, better: np.ndarray, settings: Mapping) -> np.ndarray:
    """Score the candidates that meet the criteria (n,), larger is better; -inf: not ranked by the method."""
    if not len(better):
        return np.zeros(0)
    weights = np.array([wish["weight"] for wish in settings["properties"].values()], float)
    inputs = {"values": better, "weights": weights, "rng": np.random.default_rng(settings["seed"])}
    return np.asarray(score(inputs), float)


def _chosen(alike: np.ndarray, settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Choose from candidates in rank order; returns positions, and the cluster of every candidate.

    alike: (n, f), see `fingerprints`. diverse: the best of each cluster; otherwise the first `most`.
    """
    if not len(alike):
        return np.zeros(0, int), np.zeros(0, int)
    member = farthest.traverse(alike, settings["most"])[1]
    best = np.sort(np.unique(member, return_index=True)[1])
    return best if settings["diverse"] else np.arange(len(alike))[: settings["most"]], member


def _leading(items, formulas, points, better, listed, enough: int, cluster):
    """Make the leading columns of the shortlist; fronts are numbered until they contain `enough` candidates."""
    import pandas as pd

    from matlens.screen import fronts

    front = fronts.fronts(better, enough) if len(better) else np.zeros(0, int)
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(items) + 1),
            "item": items,
            "formula": formulas,
            "score": points,
            "pareto_front": pd.Series(front[listed], dtype="Int64").replace(0, pd.NA),  # beyond those numbered
            "cluster": cluster,
        }
    )


def _excluded(items, why, ranked, listed, member, settings: Mapping):
    """Make the table of excluded candidates: those that fail a criterion, then those that rank too low.

    `ranked`: rows of all that meet the criteria, in order; `listed`: rows of the shortlist; `member`: cluster of the
    first of `ranked`.
    """
    import pandas as pd

    failed = pd.DataFrame({"item": items[why != ""], "criterion": why[why != ""]}).assign(rank=pd.NA)
    place = {row: at for at, row in enumerate(ranked.tolist())}
    best = {member[place[row]]: row for row in reversed(listed.tolist())}
    rows, taken = [], set(listed.tolist())
    for row, at in place.items():
        if row in taken:
            continue
        reason = f"rank {at + 1} of {len(ranked)}: "
        if settings["diverse"] and at < len(member):
            first = best[member[at]]
            reason += f"like '{items[first]}' of rank {place[first] + 1} (diverse: true)"
        else:
            reason += f"beyond most: {settings['most']}"
        rows.append((items[row], reason, at + 1))
    low = pd.DataFrame(rows, columns=["item", "criterion", "rank"])
    return pd.concat([failed, low], ignore_index=True).astype({"rank": "Int64"})


def _with_namesakes(reasons: list[str], names: list[str]) -> list[str]:
    """Add to the reason of each candidate the rank of the first one of the same formula."""
    first: dict[str, int] = {}
    for rank, name in enumerate(names, 1):
        if name and first.setdefault(name, rank) < rank:
            reasons[rank - 1] += f"; same formula as rank {first[name]}"
    return reasons


def _reasons(values, better, chosen, passed, properties: Mapping, diverse: bool, outside) -> list[str]:
    """Return the reason of the rank of each candidate, as text; outside (n,): flags of the applicability domain."""
    made = []
    for at in chosen:
        place = 1 + (better > better[at]).sum(axis=0)
        parts = [
            f"{name} {values[passed[at], column]:.4g} ({place[column]} of {len(passed)} that meet the criteria)"
            for column, name in enumerate(properties)
        ]
        parts += ["the best of its cluster"] if diverse else []
        parts += ["unlike all that was learned from"] if outside[passed[at]] else []
        made.append("; ".join(parts))
    return made
