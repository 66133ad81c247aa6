"""Transforms of the target: a property is learned as another number, and predictions are turned back."""

import numpy as np

NAMES = ("none", "log", "log_minus_one")
LEAST = {"log": 0.0, "log_minus_one": 1.0}  # a target has to be above it
CLIP = 700.0  # exp of more is infinite


def forward(name: str, y: np.ndarray) -> np.ndarray:
    """Transform targets (n,): "log" is ln y, "log_minus_one" ln(y - 1). NaN stays NaN.

    Raises ValueError if a target has no logarithm.
    """
    y = np.asarray(y, float)
    if name == "none":
        return y
    bad = y <= LEAST[name]  # NaN is not
    if bad.any():
        raise ValueError(
            f"predict.transform: {name} needs targets above {LEAST[name]:g}; {int(bad.sum())} of {len(y)} are not, "
            f"such as {y[bad][0]:g}; use transform: none, or remove these items"
        )
    return np.log(y - LEAST[name])


def inverse(name: str, value: np.ndarray) -> np.ndarray:
    """Turn transformed values back; the median of a distribution stays its median, the mean does not."""
    if name == "none":
        return value
    return np.exp(np.minimum(value, CLIP)) + LEAST[name]


def interval(name: str, predicted: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """Turn predictions and their intervals back; returns predicted, low_90, high_90 and half_width_90."""
    predicted, low, high = (inverse(name, part) for part in (predicted, low, high))
    return {"predicted": predicted, "low_90": low, "high_90": high, "half_width_90": (high - low) / 2}
