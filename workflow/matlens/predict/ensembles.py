"""Ensembles whose members each leave out another part of the training set, and the intervals that follow from it.

The residual of a training crystal is that of the member that left it out. Its size grows with the distance to
what that member learned from, and is that of similar crystals: so intervals grow away from the training set, among
crystals that are hard to learn, and where members disagree.
Sources: R. F. Barber et al., Ann. Stat. 49 (2021) 486 (CV+); J. Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094
(residuals divided by a scale); H. Papadopoulos et al., J. Artif. Intell. Res. 40 (2011) 815 (scale from neighbours).
"""

from collections.abc import Mapping

import numpy as np

from matlens.crystal import graphs as flat
from matlens.learn.intervals import COVERAGE
from matlens.predict import descriptors, validation

HOW = ("none", "random", "clusters")
CLUSTERS = 10  # for each member
LEVELS = 100  # quantiles of the residuals that a card keeps
NEIGHBOURS, PRIOR = 50, 10  # similar crystals whose residuals are averaged, and how many of mean size join them
CHUNK = 500  # crystals whose distances are computed at a time
KNOTS, LEAST_IN_BIN = 12, 20  # distances at which the scale is fitted, and residuals at each


def parts(graphs, train, members: int, how: str, seed: int) -> np.ndarray:
    """Divide training crystals into as many parts as there are members; each member leaves out one part.

    how: "random": crystals of one composition stay together. "clusters": half of the clusters of similar compositions
    stay together, too, so that residuals tell of crystals unlike those learned from, and of ordinary ones. Returns the
    part of every training crystal (train,). Raises ValueError if there are fewer compositions than members.
    """
    some = flat.taken(graphs, train)
    _, alike = np.unique(np.round(descriptors.fractions(some), 4), axis=0, return_inverse=True)
    alike, different = alike.ravel(), int(alike.max(initial=-1)) + 1
    if different < members:
        raise ValueError(
            f"leave_out: each of {members} networks needs a composition to leave out, and the training crystals have "
            f"{different}; set leave_out: none" + (f", or ensemble: {different}" if different > 1 else "")
        )
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
    sizes = np.maximum(sizes, 1e-3 * residual.mean() or 1e-12)
    found = {"knots": [round(float(one), 4) for one in knots], "scales": [float(f"{one:.4g}") for one in sizes]}
    ratio = np.quantile(residual / scale_at(distance, found), (np.arange(LEVELS) + 0.5) / LEVELS)
    return {**found, "ratios": [round(float(one), 4) for one in ratio], "calibrated_on": len(residual)}


def calibrate_local(residual, distance, points, part) -> tuple[dict, np.ndarray, np.ndarray]:
    """Calibrate as `calibrate` does, by residuals that are also divided by their size among similar crystals.

    points (n, d): of the crystals, see `applicability_domain`. part (n,): only crystals of other parts are similar
    ones, so that a cluster that is left out as a whole is judged by others. Returns the entries of a card, the sizes of
    the residuals (n,) relative to their scale, with mean 1, and the factor that similar crystals give (n,).
    """
    card = calibrate(residual, distance)
    ratio = residual / scale_at(distance, card)
    size = ratio / max(ratio.mean(), 1e-12)
    factor = local(points, points, size, part, part)
    ratio = np.quantile(ratio / factor, (np.arange(LEVELS) + 0.5) / LEVELS)
    return {**card, "ratios": [round(float(one), 4) for one in ratio]}, size, factor


def local(asked, points, size, asked_part=None, part=None) -> np.ndarray:
    """Return the mean size of residuals among the NEIGHBOURS nearest points, drawn towards 1 (n,).

    asked (n, d), points (p, d), size (p,): NaN where it is unknown. asked_part (n,), part (p,): points of the same part
    are left out.
    """
    known = np.flatnonzero(np.isfinite(size))
    points, size = np.asarray(points, float)[known], np.asarray(size, float)[known]
    count = len(known) if part is None else len(known) - np.unique(part[known], return_counts=True)[1].max(initial=0)
    count = min(NEIGHBOURS, count)
    if count < 1:
        return np.ones(len(asked))
    squares, found = (points**2).sum(axis=1), np.ones(len(asked))
    for first in range(0, len(asked), CHUNK):
        rows = np.asarray(asked[first : first + CHUNK], float)
        # Rounded, so that neither the points that are chosen nor their order depend on the number of rows.
        far = (squares - 2 * rows @ points.T).astype(np.float32)
        if part is not None:
            far[asked_part[first : first + CHUNK, None] == part[known]] = np.inf
        near = np.sort(np.argpartition(far, count - 1, axis=1)[:, :count], axis=1)
        found[first : first + CHUNK] = (size[near].sum(axis=1) + PRIOR) / (count + PRIOR)
    return found


def scale_at(distance: np.ndarray, card: Mapping) -> np.ndarray:
    """Return the scale of residuals at some distances; beyond the last knot it grows as it did over all knots."""
    knots, scales = np.asarray(card["knots"]), np.asarray(card["scales"])
    width = knots[-1] - knots[0]
    slope = (scales[-1] - scales[0]) / width if width > 0 else 0.0
    return np.interp(distance, knots, scales) + slope * np.maximum(distance - knots[-1], 0.0)


def combine(
    values: np.ndarray, distance: np.ndarray, card: Mapping, factor=None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Combine the predictions of all members (members, n): returns prediction, and both ends of the 90 % interval (n,).

    distance (n, parts): to the nearest training crystal of each part. factor (n,): of the scale, see `local`; None: 1.
    A member whose training crystals are far away
    counts less: its weight is one over its squared scale. `whole` in the card: number of members after these that
    learned from all parts; the prediction is then their mean, and the interval is that of the others around it, times
    `interval_factor`.
    """
    whole = card.get("whole", 0)
    if whole:
        centre, low, high = combine(values[:-whole], distance, {**card, "whole": 0}, factor)
        predicted, width = values[-whole:].mean(axis=0), card["interval_factor"]
        return predicted, predicted + width * (low - centre), predicted + width * (high - centre)
    scale = scale_at(others(distance).T, card) * (1.0 if factor is None else factor)
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
