"""Scores that rank candidates."""

import numpy as np


def scaled(values: np.ndarray) -> np.ndarray:
    """Scale every column from 0 (worst candidate) to 1 (best)."""
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / np.where(high > low, high - low, 1.0)


def weighted(values, weights, *, worst: float = 0.0):
    """Return the weighted mean of the scaled properties, combined with the worst of them.

    worst: weight of the worst scaled property (0 to 1).
    Source: G. Derringer, R. Suich, J. Qual. Technol. 12 (1980) 214 (linear desirability).
    """
    desire = scaled(values)
    mean = desire @ (weights / weights.sum())
    return (1.0 - worst) * mean + worst * desire.min(axis=1)


def pareto(values, *, most: int = 1000):
    """Return scores that rank by Pareto front, then by crowding distance.

    Candidates are sorted into fronts until these contain `most`; the others have the score -inf.
    """
    from matlens.screen import fronts

    number = fronts.fronts(values, most)
    score = np.full(len(values), -np.inf)
    for front in range(1, number.max(initial=0) + 1):
        members = np.flatnonzero(number == front)
        distance = fronts.crowding(values[members])
        finite = distance[np.isfinite(distance)]
        top = 2.0 * finite.max(initial=1.0)
        score[members] = -front + 0.9 * np.where(np.isfinite(distance), distance, top) / (top + 1e-12)
    return score


def random(values, rng):
    """Return random scores (control)."""
    return rng.random(len(values))
