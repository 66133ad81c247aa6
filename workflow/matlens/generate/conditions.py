"""Conditions: columns of the index that images are asked for by; their values, names and places."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

FRACTION = "fraction"  # the condition that is measured on the labels instead of read from the index
STEP = 0.05  # measured fractions are rounded to it, so that images share a condition
CLOSE = 1e-6  # of a value, or of the range of a condition: what is nearer than that is one


def of_row(row: Mapping, names: Sequence[str]) -> tuple[float, ...] | None:
    """Return the values of the conditions that stand in the index; None if one is empty or is not a number."""
    found = []
    for name in names:
        if name != FRACTION:
            try:
                found.append(float(row.get(name)))
            except (TypeError, ValueError):
                return None
    return tuple(found) if np.isfinite(found).all() else None


def with_fraction(values: tuple, names: Sequence[str], labels: np.ndarray, phase: int) -> tuple[float, ...]:
    """Insert the measured fraction of a phase, rounded to 0.05, where the conditions name it."""
    if FRACTION not in names:
        return values
    known = labels != 255
    share = np.count_nonzero(labels[known] == phase) / max(1, np.count_nonzero(known))
    at = list(names).index(FRACTION)
    return (*values[:at], round(round(share / STEP) * STEP, 6), *values[at:])


def same(values, other) -> np.ndarray:
    """Check whether conditions are the same in every column: (..., conditions) and (conditions,) to (...).

    The tolerance is relative, since a condition may be in any unit: diffusivities are 1e-13 m2/s.
    """
    return np.isclose(values, other, rtol=CLOSE, atol=0.0).all(-1)


def matches(values: Sequence[float], names: Sequence[str], wanted: Sequence[Mapping]) -> bool:
    """Check whether the values of conditions are all those that one of the mappings names."""
    own = dict(zip(names, values, strict=True))
    return any(all(math.isclose(own[key], one[key], rel_tol=CLOSE) for key in one) for one in wanted)


def text(values: Sequence[float], names: Sequence[str]) -> str:
    """Name a condition: "time_h=4, temperature_c=900"; "all" without conditions."""
    return ", ".join(f"{name}={value:g}" for name, value in zip(names, values, strict=True)) or "all"


def scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and spread of each condition, (n, conditions); a spread of 0 counts as 1."""
    spread = values.std(0) if len(values) else np.ones(values.shape[1])
    mean = values.mean(0) if len(values) else np.zeros(values.shape[1])
    return mean, np.where(spread > 0, spread, 1.0)


def distances(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the distance of every known condition, (n, conditions), from one that is asked, in units of the spread."""
    return np.sqrt((((known - asked) / scale(known)[1]) ** 2).sum(1))


def weights(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Weigh known conditions, (n, conditions), by 1 / distance^2; all weight is on one that is asked itself."""
    apart = distances(asked, known)
    if (apart < CLOSE).any():
        chosen = (apart < CLOSE).astype(float)
        return chosen / chosen.sum()
    near = np.argsort(apart, kind="stable")[: max(1, 2 * known.shape[1])]
    found = np.zeros(len(known))
    found[near] = 1 / apart[near] ** 2
    return found / found.sum()


def place(asked: np.ndarray, known: np.ndarray) -> str:
    """Say where a condition lies: "trained", "interpolated" (within the range of each), "extrapolated".

    `known`: conditions that were learned from, (n, conditions).
    """
    if not len(known):
        return "extrapolated"
    if (distances(asked, known) < CLOSE).any():
        return "trained"
    slack = CLOSE * np.abs(known).max(0)
    within = (asked >= known.min(0) - slack).all() and (asked <= known.max(0) + slack).all()
    return "interpolated" if within else "extrapolated"
