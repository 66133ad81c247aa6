"""Ensembles whose members each leave out another part of the training set, and the intervals that follow from it.

The residual of a training crystal is that of the member that left it out. Its size grows with the distance to
what that member learned from; so intervals grow away from the training set, and where members disagree.
Source: R. F. Barber et al., Ann. Stat. 49 (2021) 486 (CV+); J. Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094
(residuals divided by a scale).
"""

from collections.abc import Mapping

import numpy as np

from matlens.crystal import graphs as flat
from matlens.learn.intervals import COVERAGE
from matlens.predict import descriptors, validation

HOW = ("none", "random", "clusters")
CLUSTERS = 10  # for each member
LEVELS = 100  # quantiles of the residuals that a card keeps
KNOTS, LEAST_IN_BIN = 12, 20  # distances at which the scale is fitted, and residuals at each


def parts(graphs, train, members: int, how: str, seed: int) -> np.ndarray:
    """Divide training crystals into as many parts as there are members; each member leaves out one part.

    how: "random": crystals of one composition stay together. "clusters": half of the clusters of similar compositions
    stay together, too, so that residuals tell of crystals unlike those learned from, and of ordinary ones. Returns the
    part of every training crystal (train,). Raises ValueError if there are fewer compositions than members.
    """
    some = flat.taken(graphs, train)
    _, alike = np.unique(np.round(descriptors.fractions(some), 4), axis=0, return_inverse=True)
    alike = alike.ravel()
    groups = np.array([f"composition {number}" for number in alike])
    if how == "clusters":
        from sklearn.cluster import KMeans

        count = min(CLUSTERS * members, len(np.unique(alike)))
        found = KMeans(count, n_init=1, random_state=seed).fit_predict(descriptors.composition(some))
        whole = np.random.default_rng([seed, 11]).permutation(count)[: count // 2]
        groups = np.where(np.isin(found, whole), np.array([f"cluster {number}" for number in found]), groups)
    return validation.grouped_folds(groups, members, seed)


def others(distance: np.ndarray) -> np.ndarray:
    """Turn distances to each part (n, parts) into distances to the training set of each member: all other parts."""
    count = distance.shape[1]
    if count < 2:
        return distance
    return np.stack([np.delete(distance, number, axis=1).min(axis=1) for number in range(count)], axis=1)


def calibrate(residual: np.ndarray, distance: np.ndarray) -> dict:
    """Fit the scale of residuals to the distance, and keep the quantiles of their ratio, for a model card.

    residual (n,): absolute ones of crystals left out; distance (n,): to what their member learned from. The scale is
    the mean residual of crystals at about one distance, made to grow with it, and linear between and beyond the knots.
    """
    order = np.argsort(distance, kind="stable")
    bins = np.array_split(order, max(1, min(KNOTS, len(order) // LEAST_IN_BIN)))
    knots = np.array([distance[some].mean() for some in bins])
    sizes = np.maximum.accumulate([residual[some].mean() for some in bins])
    sizes = np.maximum(sizes, 1e-3 * residual.mean() + 1e-12)
    found = {"knots": [round(float(one), 4) for one in knots], "scales": [float(f"{one:.4g}") for one in sizes]}
    ratio = np.quantile(residual / scale_at(distance, found), (np.arange(LEVELS) + 0.5) / LEVELS)
    return {**found, "ratios": [round(float(one), 4) for one in ratio], "calibrated_on": len(residual)}


def scale_at(distance: np.ndarray, card: Mapping) -> np.ndarray:
    """Return the scale of residuals at some distances; beyond the last knot it grows as it did over all knots."""
    knots, scales = np.asarray(card["knots"]), np.asarray(card["scales"])
    width = knots[-1] - knots[0]
    slope = (scales[-1] - scales[0]) / width if width > 0 else 0.0
    return np.interp(distance, knots, scales) + slope * np.maximum(distance - knots[-1], 0.0)


def combine(values: np.ndarray, distance: np.ndarray, card: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Combine the predictions of all members (members, n): returns prediction, and both ends of the 90 % interval (n,).

    distance (n, parts): to the nearest training crystal of each part. A member whose training crystals are far away
    counts less: its weight is one over its squared scale. `whole` in the card: number of members after these that
    learned from all parts; the prediction is then their mean, and the interval is that of the others around it, times
    `interval_factor`.
    """
    whole = card.get("whole", 0)
    if whole:
        centre, low, high = combine(values[:-whole], distance, {**card, "whole": 0})
        predicted, factor = values[-whole:].mean(axis=0), card["interval_factor"]
        return predicted, predicted + factor * (low - centre), predicted + factor * (high - centre)
    scale = scale_at(others(distance).T, card)
    weight = scale**-2 / (scale**-2).sum(axis=0)
    predicted = (weight * values).sum(axis=0)
    ratios = np.asarray(card["ratios"])[:, None, None]
    above, below = values + ratios * scale, values - ratios * scale  # (levels, members, n)
    return predicted, _quantile(below, weight, 1 - COVERAGE), _quantile(above, weight, COVERAGE)


def _quantile(values: np.ndarray, weight: np.ndarray, level: float) -> np.ndarray:
    """Return a quantile of (levels, members, n) values, those of a member with its weight (members, n)."""
    levels, members, count = values.shape
    flat_values = values.reshape(levels * members, count)
    shares = np.broadcast_to(weight / levels, values.shape).reshape(levels * members, count)
    order = np.argsort(flat_values, axis=0, kind="stable")
    total = np.cumsum(np.take_along_axis(shares, order, axis=0), axis=0)
    place = (total < level - 1e-9).sum(axis=0).clip(max=len(total) - 1)
    return np.take_along_axis(flat_values, np.take_along_axis(order, place[None], axis=0), axis=0)[0]
