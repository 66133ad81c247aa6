"""Transforms of the target: a property is learned as another number, and predictions are turned back."""

from collections.abc import Mapping

import numpy as np

NAMES = ("none", "log", "log_minus_one")
LEAST = {"log": 0.0, "log_minus_one": 1.0}  # the smallest target
ADDED = {"log": 0.0, "log_minus_one": 0.01}  # before the logarithm: some tables round a refractive index to 1
SMALLEST = {"log": 1e-300, "log_minus_one": 0.0}  # above the smallest target, so that it has a logarithm
CLIP = 700.0  # exp of more is infinite


def chosen(options: Mapping | None, settings: Mapping) -> str:
    """Return the transform that a method learns with: its own option, or that of the stage."""
    return (options or {}).get("transform") or settings["transform"]


def forward(name: str, y: np.ndarray) -> np.ndarray:
    """Transform targets (n,): "log" is ln y, "log_minus_one" ln(y - 1 + 0.01). NaN stays NaN.

    Raises ValueError if a target has no logarithm.
    """
    y = np.asarray(y, float)
    if name == "none":
        return y
    left = y - LEAST[name] + ADDED[name]
    bad = (left <= 0) | (y < LEAST[name])  # NaN is not
    if bad.any():
        limit = f"of at least {LEAST[name]:g}" if ADDED[name] else f"above {LEAST[name]:g}"
        raise ValueError(
            f"predict.transform: {name} needs targets {limit}; {int(bad.sum())} of {len(y)} are not, "
            f"such as {y[bad][0]:g}; use transform: none, or remove these items"
        )
    return np.log(left)


def bounded(name: str, y: np.ndarray) -> np.ndarray:
    """Transform predictions (n,), those below the least target as that target; see `forward`."""
    return forward(name, y if name == "none" else np.maximum(y, LEAST[name] + SMALLEST[name]))


def inverse(name: str, value: np.ndarray) -> np.ndarray:
    """Turn transformed values back; the median of a distribution stays its median, the mean does not."""
    if name == "none":
        return value
    return np.maximum(np.exp(np.minimum(value, CLIP)) + LEAST[name] - ADDED[name], LEAST[name])


def interval(name: str, predicted: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """Turn predictions and their intervals back; returns predicted, low_90, high_90 and half_width_90."""
    predicted, low, high = (inverse(name, part) for part in (predicted, low, high))
    return {"predicted": predicted, "low_90": low, "high_90": high, "half_width_90": (high - low) / 2}
