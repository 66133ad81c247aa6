"""Statistics of a set of label images: numbers and curves, one row per image, by the kernels of `image`."""

from collections.abc import Callable, Sequence

import numpy as np

from matlens.image import cluster, lineal_path, percolation, runs, tortuosity, two_point

MEASURES = ("fraction", "two_point", "lineal_path", "cluster", "chords", "percolation", "tortuosity")
NUMBERS = ("fraction", "percolation", "tortuosity", "chord_px")  # a value per image; the others are curves


def _fraction(mask: np.ndarray, periodic: bool) -> dict:
    return {"fraction": float(mask.mean())}


def _two_point(mask: np.ndarray, periodic: bool) -> dict:
    found = two_point.correlation(mask, min(mask.shape) // 2, periodic, True)
    return {"two_point": found["radial"]}


def _lineal_path(mask: np.ndarray, periodic: bool) -> dict:
    last, known = min(mask.shape) // 2, np.ones(mask.shape, bool)
    return {"lineal_path": np.mean([lineal_path.path(mask, known, axis, last) for axis in range(mask.ndim)], 0)}


def _cluster(mask: np.ndarray, periodic: bool) -> dict:
    found = cluster.label(mask, "faces")
    lags = min(mask.shape) // 2
    shares = two_point.shares(
        lambda axes, far: cluster.hits(found, axes, far), np.ones(mask.shape, bool), lags, False, True, None
    )
    return {"cluster": shares["radial"]}


def _chords(mask: np.ndarray, periodic: bool) -> dict:
    most = max(mask.shape)
    lengths, cut = map(np.concatenate, zip(*(runs.find(mask, axis) for axis in range(mask.ndim)), strict=True))
    seen = (1 - cut / 2).sum()  # half a chord for each end that is cut
    counted = runs.counts(lengths[cut == 0], most)[1 : most + 1].astype(float)
    return {"chords": counted, "chord_px": lengths.sum() / seen if seen else np.nan}


def _percolation(mask: np.ndarray, periodic: bool) -> dict:
    found = cluster.label(mask, "faces")
    return {"percolation": np.mean([len(percolation.spanning(found, axis)) > 0 for axis in range(mask.ndim)])}


def _tortuosity(mask: np.ndarray, periodic: bool) -> dict:
    found = [tortuosity.distances(mask, axis) for axis in range(mask.ndim)]
    last = [np.take(one, -1, axis=axis) for axis, one in enumerate(found)]
    ways = [one[np.isfinite(one)].mean() / (n - 1) for one, n in zip(last, mask.shape, strict=True)
            if np.isfinite(one).any()]  # fmt: skip
    return {"tortuosity": np.mean(ways) if ways else np.nan}


KERNELS: dict[str, Callable] = {
    "fraction": _fraction, "two_point": _two_point, "lineal_path": _lineal_path, "cluster": _cluster,
    "chords": _chords, "percolation": _percolation, "tortuosity": _tortuosity,
}  # fmt: skip


def of_set(labels: np.ndarray, phase: int, measures: Sequence[str], periodic: bool) -> dict[str, np.ndarray]:
    """Measure label images (n, ...): arrays (n,) of numbers and (n, lags) of curves, by name.

    `chords` are counts by length, and bring `chord_px`, the mean intercept. S2 alone wraps around where `periodic`.
    """
    rows = [{k: v for name in measures for k, v in KERNELS[name](mask, periodic).items()} for mask in labels == phase]
    return {name: np.array([row[name] for row in rows], float) for name in (rows[0] if rows else {})}


def distance(name: str, made: np.ndarray, real: np.ndarray) -> float:
    """Return how far the means of two sets are apart.

    Numbers: in their unit. Curves: mean absolute difference over the mean of the real curve. Chords: largest difference
    of the cumulative distributions (Kolmogorov-Smirnov). NaN if a set has no value.
    """
    if name == "chords":
        sums = [part.sum(0) for part in (made, real)]
        if min(one.sum() for one in sums) == 0:
            return float("nan")
        a, b = (np.cumsum(one) / one.sum() for one in sums)
        return float(np.abs(a - b).max())
    made, real = (part[np.isfinite(part).reshape(len(part), -1).all(1)] for part in (made, real))
    if not len(made) or not len(real):
        return float("nan")
    apart = np.abs(made.mean(0) - real.mean(0))
    unit = np.abs(real.mean(0)).mean() if name not in NUMBERS else 1.0
    return float(apart.mean() / unit) if unit > 0 else float("nan")
