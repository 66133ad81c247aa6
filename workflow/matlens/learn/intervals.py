"""Intervals of ensembles whose members learned from the same items, calibrated on held-out ones.

Source: J. Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094 (residuals divided by a scale).
"""

from collections.abc import Mapping

import numpy as np

COVERAGE = 0.9
NORMAL_90 = 1.6449  # half-width of the 90 % interval of a normal distribution, in standard deviations
LEAST_CALIBRATED = 10  # smallest number of residuals to calibrate an interval


def calibrate_together(residual: np.ndarray, apart: np.ndarray) -> dict:
    """Calibrate the interval of members that learned from the same items; returns entries of a model card.

    residual (n,): absolute ones of held-out items; apart (n,): standard deviation of the members there. The factor
    times (apart + floor) covers 90 % of them.
    """
    if len(residual) < LEAST_CALIBRATED:
        return {"calibrated_on": 0}
    floor = float(residual.mean()) or 1e-12
    ratio = np.sort(residual / (apart + floor))
    rank = min(len(ratio), int(np.ceil((len(ratio) + 1) * COVERAGE)))
    return {"floor": floor, "quantile_90": float(ratio[rank - 1]), "calibrated_on": len(residual)}


def together(values: np.ndarray, card: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return prediction and both ends of the 90 % interval (n,) from members (members, n); NaN without calibration."""
    predicted, apart = values.mean(axis=0), values.std(axis=0)
    half = card.get("quantile_90", float("nan")) * (apart + card.get("floor", float("nan")))
    return predicted, predicted - half, predicted + half
