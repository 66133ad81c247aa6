"""Ways of putting candidates in order, the best first."""

import numpy as np


def scaled(values: np.ndarray) -> np.ndarray:
    """Scale every column to 0 (worst) to 1 (best of the candidates)."""
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / np.where(high > low, high - low, 1.0)


def weighted(values, weights, *, worst: float = 0.0):
    """Return the weighted mean of the scaled properties and, by the part `worst`, of the worst of them.

    With `worst` 1 a candidate is as good as the property in which it is least good.
    Source: G. Derringer, R. Suich, J. Qual. Technol. 12 (1980) 214 (linear desirability).
    """
    desire = scaled(values)
    mean = desire @ (weights / weights.sum())
    return (1.0 - worst) * mean + worst * desire.min(axis=1)


def pareto(values, *, most: int = 1000):
    """Return scores by which the first front comes first, and within a front what has least like it.

    Fronts are told apart until they hold `most` candidates; what is behind them has the score -inf.
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
    """Return random scores, the control."""
    return rng.random(len(values))
