"""Applicability domain: how far a cell is from those that a network has learned from, in fractions and S2."""

import numpy as np
from scipy import fft

LAGS_PX = (1, 2, 4, 8)
MARGIN = 1.5  # times the largest distance of a training item from its nearest neighbour


def described(labels: np.ndarray, phases: int, scale: float = 1.0) -> np.ndarray:
    """Describe a cell: fraction of every phase but the first, and its two-point probability at some lags, over the
    axes, as a part of the variance. `scale`: pixels in the width of one of the training items."""
    found, lags = [], [round(lag * scale) for lag in LAGS_PX]
    axes = tuple(range(labels.ndim))
    for phase in range(1, phases):
        mark = (labels == phase).astype(float)
        share = mark.mean()
        found.append(share)
        s2 = fft.irfftn(np.abs(fft.rfftn(mark, axes=axes)) ** 2, labels.shape, axes=axes) / mark.size
        spread = share * (1 - share)
        for lag in lags:
            at = [s2[tuple(min(lag, n - 1) if a == axis else 0 for a in axes)] for axis, n in enumerate(labels.shape)]
            found.append((np.mean(at) - share**2) / spread if spread > 0 else 0.0)
    return np.array(found)


def fit(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Learn the domain from the descriptions of the training items (items, numbers)."""
    spread = np.maximum(rows.std(axis=0), 1e-3)
    scaled = (rows - rows.mean(axis=0)) / spread
    gaps = np.array([_nearest(row, np.delete(scaled, k, axis=0)) for k, row in enumerate(scaled)])
    limit = MARGIN * gaps.max() if len(rows) > 1 else 0.0
    return {"rows": scaled, "mean": rows.mean(axis=0), "spread": spread, "limit": np.array([limit])}


def _nearest(row: np.ndarray, others: np.ndarray) -> float:
    return float(np.sqrt(((others - row) ** 2).sum(axis=1)).min()) if len(others) else 0.0


def distance(domain: dict[str, np.ndarray], row: np.ndarray) -> float:
    """Return the distance of a description from the nearest training item, in units of the limit; above 1 it is
    strange."""
    gap = _nearest((row - domain["mean"]) / domain["spread"], domain["rows"])
    return gap / max(float(domain["limit"][0]), 1e-9)
