"""Progress of a loop: best value so far; for a known data set, the part of its top that was found."""

import math

import numpy as np

from matlens import columns
from matlens.acquire.rounds import allowed, directed, feasible


def hypervolume(points: np.ndarray, reference: np.ndarray) -> float:
    """Return the hypervolume that points dominate above a reference point; larger is better in every objective.

    `points`: (n, m); `reference`: (m,). Exact, by slicing along the last objective: for the small fronts of a loop.
    Source: E. Zitzler, L. Thiele, IEEE Trans. Evol. Comput. 3 (1999) 257.
    """
    points = points[(points > reference).all(axis=1)]
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(points.max() - reference[0])
    points = points[np.argsort(-points[:, -1], kind="stable")]
    ends = np.append(points[1:, -1], reference[-1])
    slices = points[:, -1] - ends
    volumes = [
        hypervolume(points[: k + 1, :-1], reference[:-1]) * height for k, height in enumerate(slices) if height > 0
    ]
    return float(sum(volumes))


def top_items(values: np.ndarray, part: float) -> np.ndarray:
    """Flag the items (n,) in the best fraction `part` of those with a value; larger is better."""
    known = np.isfinite(values)
    count = max(1, math.ceil(part * known.sum()))
    best = np.argsort(-np.where(known, values, -np.inf), kind="stable")[:count]
    return np.isin(np.arange(len(values)), best)


def summary(verdicts, settings: dict, known=None):
    """Summarise the rounds of one method: a row per replicate and round.

    `verdicts`: DataFrame of all rounds. `known`: DataFrame with all items and the true objectives, if known.
    Columns: replicate, round, verdicts (so far), accepted (and within the limits), best_<objective>, best_item
    and, with `known`, top_found: the part found so far of the best `top_part` of all items that satisfy the
    constraints, and top_random: the expectation for random choice among the items that may be asked. With two or more
    objectives: hypervolume instead, above the worst values of the first round.
    """
    import pandas as pd

    objectives, top, rows = settings["objectives"], set(), []
    if known is not None and len(objectives) == 1:
        known = known[allowed(known, settings)]
        good = known[feasible(known.assign(status="accepted"), settings)]
        top = set(good[columns.ITEM][top_items(directed(good, objectives)[:, 0], settings["top_part"])])
    for replicate, mine in verdicts.groupby("replicate", sort=True):
        first = mine[mine["round"] == mine["round"].min()]
        reference = np.nanmin(directed(first, objectives), axis=0, initial=np.inf)
        for number in sorted(mine["round"].unique()):
            rows.append({"replicate": replicate, "round": number})
            rows[-1] |= _state(mine[mine["round"] <= number], settings, reference)
            if top:
                found = len(top & set(mine.loc[mine["round"] <= number, columns.ITEM])) / len(top)
                rows[-1] |= {"top_found": found, "top_random": rows[-1]["verdicts"] / len(known)}
    return pd.DataFrame(rows)


def _state(so_far, settings: dict, reference) -> dict:
    objectives = settings["objectives"]
    good = so_far[feasible(so_far, settings)]
    values = directed(good, objectives)
    valued = np.isfinite(values).all(axis=1)
    good, values = good[valued], values[valued]
    best = values.max(axis=0) if len(values) else np.full(len(objectives), np.nan)
    waiting = int((so_far["status"] == "pending").sum())
    row = (
        {"verdicts": len(so_far), "accepted": len(good)}
        | ({"pending": waiting} if waiting else {})
        | {
            f"best_{name}": float(value if goal == "maximize" else -value)
            for (name, goal), value in zip(objectives.items(), best, strict=True)
        }
    )
    if len(objectives) == 1:
        row["best_item"] = good[columns.ITEM].iloc[int(np.argmax(values[:, 0]))] if len(good) else ""
    else:
        row["hypervolume"] = hypervolume(values, reference) if len(values) and np.isfinite(reference).all() else 0.0
    return row


def stopped(progress, settings: dict, cpu_hours: float) -> str:
    """Return why a replicate stops (budget or patience), else "".

    `progress`: its rows of `summary`, in order.
    """
    if not len(progress):
        return ""
    last = progress.iloc[-1]
    budget, patience = settings["budget"], settings["patience"]
    if budget.get("verdicts") and last["verdicts"] >= budget["verdicts"]:
        return f"the budget of {budget['verdicts']} verdicts is used up"
    if budget.get("cpu_hours") and cpu_hours >= budget["cpu_hours"]:
        return f"the budget of {budget['cpu_hours']:g} CPU-hours is used up"
    if patience and len(progress) > patience:
        name = "hypervolume" if "hypervolume" in progress else f"best_{next(iter(settings['objectives']))}"
        values = progress[name].to_numpy(float)
        if settings["objectives"].get(name.removeprefix("best_")) == "minimize":
            values = -values
        values = np.where(np.isfinite(values), values, -np.inf)
        if values[-patience:].max() <= values[:-patience].max():
            return f"{patience} rounds without improvement"
    return ""
