"""Choose the candidates of one round from the verdicts of all earlier rounds."""

from collections.abc import Callable

import numpy as np

from matlens import columns
from matlens.acquire import CANDIDATES, SPREAD
from matlens.learn import features


def directed(verdicts, objectives: dict) -> np.ndarray:
    """Return the objectives (name -> maximize or minimize) of a table of verdicts (n, m); larger is better."""
    signs = np.array([1.0 if goal == "maximize" else -1.0 for goal in objectives.values()])
    return verdicts[list(objectives)].to_numpy(float) * signs


def standardise(x: np.ndarray) -> np.ndarray:
    """Standardise every feature over all candidates to mean 0 and standard deviation 1; a constant one is 0."""
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def scalarise(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Combine objectives by the augmented Chebyshev function of values scaled to 0..1; larger is better.

    `values`: (n, m), larger is better. `weights`: (m,), sum 1. One objective stays as it is.
    Source: J. Knowles, IEEE Trans. Evol. Comput. 10 (2006) 50 (ParEGO).
    """
    if values.shape[1] == 1:
        return values[:, 0]
    low, high = values.min(axis=0), values.max(axis=0)
    loss = weights * (high - values) / np.where(high > low, high - low, 1.0)
    return -(loss.max(axis=1) + 0.05 * loss.sum(axis=1))


def asked(settings: dict) -> list[str]:
    """List the quantities that the oracle computes: objectives, and constraints that are not known beforehand."""
    learned = {name for name, limits in settings["constraints"].items() if not limits.get("known")}
    return list(dict.fromkeys([*settings["objectives"], *(n for n in settings["constraints"] if n in learned)]))


def _limits(settings: dict) -> list[tuple[str, dict]]:
    """List the constraints that the surrogate learns, each with its limits."""
    return [
        (name, {end: limits[end] for end in ("min", "max") if limits.get(end) is not None})
        for name, limits in settings["constraints"].items()
        if not limits.get("known")
    ]


def allowed(index, settings: dict) -> np.ndarray:
    """Flag the rows of the index (n,) that satisfy every constraint known beforehand.

    A missing value violates it. Raises ValueError or KeyError if the index has no such column of numbers.
    """
    kept = np.ones(len(index), bool)
    for name, limits in settings["constraints"].items():
        if limits.get("known"):
            values = features.numeric(index, name, "acquire.constraints").to_numpy(float)
            kept &= np.isfinite(values)
            kept &= (limits.get("min") is None) | (values >= (limits.get("min") or 0))
            kept &= (limits.get("max") is None) | (values <= (limits.get("max") or 0))
    return kept


def margin(verdicts, name: str, end: str, limit: float, sure: float) -> np.ndarray:
    """Return the margin (n,) to a limit, the `end` min or max, minus `sure` times the uncertainty."""
    values = verdicts[name].to_numpy(float)
    spread = verdicts[name + SPREAD].to_numpy(float) if sure and name + SPREAD in verdicts else 0.0
    return (values - limit if end == "min" else limit - values) - sure * spread


def feasible(verdicts, settings: dict) -> np.ndarray:
    """Flag the verdicts that are accepted and satisfy all constraints."""
    kept = (verdicts["status"] == "accepted").to_numpy()
    for name, limits in _limits(settings):
        for end, limit in limits.items():
            kept &= margin(verdicts, name, end, limit, settings["sure"]) >= 0
    return kept


def _moments(y: np.ndarray) -> tuple[float, float]:
    return float(y.mean()), float(y.std()) or 1.0


def learned(fit: Callable, x, y, new, seed: int):
    """Fit a surrogate on standardised values; returns mean and std of new candidates, in the unit of the values."""
    centre, spread = _moments(y)
    mean, std = fit(x, (y - centre) / spread, seed)(new)
    return mean * spread + centre, std * spread


def probability(fit: Callable, x, verdicts, new, settings: dict) -> np.ndarray:
    """Return the probability (n,) that new candidates are accepted and satisfy the limits, assumed independent.

    Source: J. R. Gardner et al., ICML (2014) 937 (constrained expected improvement).
    """
    from scipy.special import ndtr

    chance, seed = np.ones(len(new)), settings["seed"]
    judged = verdicts["status"].isin(["accepted", "rejected"]).to_numpy()
    accepted = (verdicts["status"] == "accepted").to_numpy(float)
    if judged.any() and accepted[judged].std() > 0:
        mean, _ = fit(x[judged], accepted[judged] - 0.5, seed)(new)
        chance *= np.clip(mean + 0.5, 0.01, 0.99)
    for name, limits in _limits(settings):
        beyond = np.zeros(len(new))  # probability of violating either limit: mutually exclusive
        for end, limit in limits.items():
            y = margin(verdicts, name, end, limit, settings["sure"])
            known = np.isfinite(y)
            if known.sum() < 2:
                continue
            mean, std = learned(fit, x[known], y[known], new, seed)
            beyond += ndtr(-mean / std)
        chance *= np.clip(1.0 - beyond, 0.0, 1.0)
    return chance


def propose(
    items: np.ndarray, x: np.ndarray, verdicts, fit: Callable, score: Callable, settings: dict, number: int,
    replicate: int, blind: bool = False, within: np.ndarray | None = None,
):  # fmt: skip
    """Choose the candidates of a round.

    `items`: (n,) names of all candidates; `x`: (n, f) their features. `verdicts`: DataFrame of earlier rounds of this
    replicate: item, status, and a column per objective and constraint. `fit`: a surrogate. `score(inputs)`: the method.
    `settings`: objectives (name -> maximize or minimize), constraints (name -> {min, max}), sure, initial, batch,
    budget, seed. `blind`: ignore the probability of the constraints, for a control.
    `within`: (n,) candidates that satisfy the constraints known beforehand; no other is chosen. Returns a DataFrame
    with the columns CANDIDATES, best first; empty if no candidate is left. The first round, and later ones while fewer
    than three verdicts have a value, are drawn at random. The draw depends on the seed and the replicate only, so all
    methods start from the same candidates.
    """
    seed = settings["seed"] + replicate
    x = standardise(np.asarray(x, float))
    place = {item: at for at, item in enumerate(items)}
    asked = np.array([place[item] for item in verdicts[columns.ITEM]], int)
    free = np.setdiff1d(np.arange(len(items)) if within is None else np.flatnonzero(within), asked)
    count = min(settings["initial"] if number == 1 else settings["batch"], len(free))
    if settings["budget"].get("verdicts"):
        count = max(0, min(count, settings["budget"]["verdicts"] - len(asked)))
    objectives = settings["objectives"]
    y = directed(verdicts, objectives)
    valued = np.isfinite(y).all(axis=1)
    if number == 1 or valued.sum() < 3 or not count:
        drawn = np.random.default_rng([seed, 0 if number == 1 else number]).permutation(free)[:count]
        nothing = np.full(count, np.nan)
        why = (
            "drawn at random for the first round" if number == 1 else "drawn at random: fewer than three values so far"
        )
        return _table(number, replicate, items[drawn], nothing, nothing, nothing, nothing, why)
    chosen, value, mean, std, chance, good = _batch(
        fit, score, x, asked, free, verdicts, {**settings, "seed": seed}, count, number, blind
    )
    why = f"highest of {len(free)} candidates without a verdict, after {len(asked)} verdicts"
    why += "" if good else ", none of which satisfies every constraint"
    return _table(number, replicate, items[free[chosen]], value, mean, std, chance, why)


def _batch(fit, score, x, asked, free, verdicts, settings: dict, count: int, number: int, blind: bool) -> tuple:
    """Choose `count` of the positions `free` by the surrogate and the method, best first.

    Returns positions in `free`, score, predicted mean, std, probability of the constraints, and whether any verdict
    satisfies all constraints.
    """
    seed, objectives = settings["seed"], settings["objectives"]
    y = directed(verdicts, objectives)
    valued = np.isfinite(y).all(axis=1)
    rng = np.random.default_rng([seed, number])
    chance = probability(fit, x[asked], verdicts, x[free], settings)
    good = feasible(verdicts, settings)[valued]
    parts, taken = [], np.zeros(len(free), bool)
    for weights, share in _draws(len(objectives), count, rng):
        one = scalarise(y[valued], weights)
        centre, spread = _moments(one)
        mean, std = fit(x[asked][valued], (one - centre) / spread, seed)(x[free])
        best = ((one[good] if good.any() else one).max() - centre) / spread
        inputs = {
            "mean": mean, "std": std, "best": best, "x": x[free], "known_x": x[asked], "count": share, "rng": rng,
        }  # fmt: skip
        value = np.asarray(score(inputs), float)
        if not blind:
            value = (value - value.min()) * chance  # an infeasible candidate has no value
        order = np.lexsort((np.arange(len(free)), -mean * chance, -value))  # ties: higher mean, then first
        chosen = order[~taken[order]][:share]
        taken[chosen] = True
        predicted = (mean[chosen] * spread + centre, std[chosen] * spread)
        if "minimize" in objectives.values() and len(objectives) == 1:
            predicted = (-predicted[0], predicted[1])
        parts.append((chosen, value[chosen], *predicted, chance[chosen]))
    chosen, value, mean, std, chance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return chosen, value, mean, std, chance, bool(good.any())


def _draws(objectives: int, count: int, rng) -> list[tuple[np.ndarray, int]]:
    """Divide a batch over random weights of the objectives; a single objective has one draw."""
    if objectives == 1:
        return [(np.ones(1), count)]
    draws = min(5, count)
    shares = [len(part) for part in np.array_split(np.arange(count), draws)]
    return [(rng.dirichlet(np.ones(objectives)), share) for share in shares]


def first_measured(items: np.ndarray, replicate: int):
    """Make the first round out of all items that have been measured already, see `propose`."""
    nothing = np.full(len(items), np.nan)
    return _table(1, replicate, items, nothing, nothing, nothing, nothing, "measured already")


def _table(number, replicate, items, score, mean, std, chance, why):
    import pandas as pd

    rows = {
        "round": number,
        "replicate": replicate,
        columns.ITEM: items,
        "score": score,
        "expected": mean,
        "std": std,
        "probability_feasible": chance,
        "reason": why,
    }
    return pd.DataFrame(rows, columns=list(CANDIDATES))
