"""Inverse search: conditions whose images are like a target, by features of images; judged by a round trip.

Features of the real images that were learned from, reduced to their principal axes, are regressed on the conditions by
a Gaussian process. A target is a held-back item (the mean of its tiles), or a held-back group such as a specimen (the
mean of all its images: sections differ by chance, and their mean by less). For a target, the conditions are ranked by
the distance of the features expected for them from those of the target, in units of the scatter within a condition. The
round trip: a chosen condition, its real images, their fraction against that of the target. Images of a chosen condition
are never looked at by the search.
"""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from matlens.generate.examples import HELD, TRAIN, Examples
from matlens.job.batch import BadItem

AXES, SHARE = 4, 0.99  # at most so many principal axes, enough for this part of the variance
CLOSE = 0.02  # error of a fraction that counts as met
PICKED = ("by", "target", "rank", "target_fraction", "picked_fraction", "error_of_fraction")
SUMMARY = ("by", "control", "measure", "value", "unit", "targets")


def principal(features: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """Return features (n, p) along their principal axes (n, k); the axes are those of the rows `learned`."""
    mean = features[learned].mean(0)
    _, lengths, axes = np.linalg.svd(features[learned] - mean, full_matrices=False)
    share = np.cumsum(lengths**2) / max((lengths**2).sum(), 1e-300)
    count = min(AXES, int(np.searchsorted(share, SHARE)) + 1, len(lengths))
    return (features - mean) @ axes[:count].T


def means(values: np.ndarray, member: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of values (n, k) for each of `count` conditions; `member`: the condition of every row."""
    sums = np.stack([np.bincount(member, column, count) for column in values.T], 1)
    return sums / np.maximum(np.bincount(member, minlength=count), 1)[:, None]


def expected(known: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the values (m, k) that a Gaussian process expects at conditions `asked`, from those at `known`."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    mean, spread = known.mean(0), np.where(known.std(0) > 0, known.std(0), 1.0)
    x, y = (known - mean) / spread, (asked - mean) / spread
    kernel = ConstantKernel(1.0) * RBF(np.full(x.shape[1], 2.0), (0.1, 100.0)) + WhiteKernel(0.1, (1e-6, 10.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length at its limit is a condition that does not matter
        fits = [GaussianProcessRegressor(kernel, normalize_y=True, random_state=0).fit(x, one) for one in values.T]
    return np.stack([fit.predict(y) for fit in fits], 1)


def ranked(target: np.ndarray, wanted: np.ndarray, scatter: np.ndarray, allowed: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` allowed conditions whose expected features (m, k) are nearest to a target (k,), in order.

    `scatter`: standard deviation of each feature within a condition.
    """
    away = (((wanted - target) / scatter) ** 2).sum(1)
    away[~allowed] = np.inf
    return np.argsort(away, kind="stable")[: min(count, int(allowed.sum()))]


def ways(fractions: np.ndarray, features: Mapping[str, np.ndarray], learned: np.ndarray) -> dict[str, np.ndarray]:
    """Return the features of every way of searching, (n, k): along principal axes, and the fraction alone."""
    return {**{name: principal(one, learned) for name, one in features.items()}, "fraction": fractions[:, None]}


def pools(real: Examples, member: np.ndarray, by: str) -> dict[tuple[str, int], np.ndarray]:
    """Return the images of every held-back target, by its name and condition; `by`: "item" or "group"."""
    names = real.items if by == "item" else real.groups
    held = np.flatnonzero(real.roles == HELD)
    found: dict[tuple[str, int], list[int]] = {}
    for image in held:
        found.setdefault((str(names[image]), int(member[image])), []).append(image)
    return {key: np.array(images) for key, images in found.items()}


def search(
    real: Examples,
    fractions: np.ndarray,
    features: Mapping[str, np.ndarray],
    names: Sequence[str],
    count: int,
    by: str = "item",
) -> list[dict]:
    """Return a row for every held-back target, way of searching and chosen condition.

    `fractions`: of the measured phase, by image; `features`: by way, (n, p); `names`: of the conditions; `by`: unit of
    a target, "item" or "group". The control "nearest" takes the conditions that were learned from whose fraction is
    nearest. Raises BadItem if there are fewer than four conditions to learn from, or no held-back image.
    """
    known, member = np.unique(real.conditions, axis=0, return_inverse=True)
    member, learned = member.ravel(), real.roles == TRAIN
    seen = np.bincount(member[learned], minlength=len(known)) > 0
    if seen.sum() < 4 or not (real.roles == HELD).any():
        raise BadItem("an inverse search needs four conditions to learn from, and held-back images; check the splits")
    true = means(fractions[:, None], member, len(known))[:, 0]
    rows = []
    for name, values in ways(fractions, features, learned).items():
        own = means(values[learned], member[learned], len(known))
        scatter = np.maximum((values[learned] - own[member[learned]]).std(0), 1e-6 * (values[learned].std(0) + 1e-12))
        wanted = expected(known[seen], own[seen], known)
        searches = {name: (wanted, np.ones(len(known), bool))}
        if name == "fraction":
            searches["nearest"] = (own, seen)
        for way, (at, allowed) in searches.items():
            for (target, own_state), images in pools(real, member, by).items():
                free, mean = allowed & (np.arange(len(known)) != own_state), values[images].mean(0)
                for rank, one in enumerate(ranked(mean, at, scatter, free, count), 1):
                    rows.append(_row(way, target, rank, fractions[images].mean(), true[one], known[one], names))
    return rows


def _row(way: str, item: str, rank: int, target: float, found: float, condition: np.ndarray, names: Sequence) -> dict:
    """Make the row of a chosen condition."""
    cells = dict(zip(PICKED, (way, str(item), rank, float(target), float(found), abs(found - target)), strict=True))
    return cells | {f"picked_{name}": float(value) for name, value in zip(names, condition, strict=True)}


def summary(picked, real: Examples, fractions: np.ndarray, features: Mapping[str, np.ndarray], own: str):
    """Summarise the round trips by way of searching; every way but `own`, the latent numbers, is a control.

    Measures: mean error of the first and of all choices, part of the targets of which every choice is within 0.02, and
    the R2 of a straight line from the best principal axis to the fraction, fitted on what was learned from, of
    held-back images.
    """
    import pandas as pd

    rows, learned, held = [], real.roles == TRAIN, real.roles == HELD
    for way, part in picked.groupby("by", sort=False):
        targets = part["target"].nunique()
        worst = part.groupby("target")["error_of_fraction"].max()
        first = part["error_of_fraction"][part["rank"] == 1].mean()
        found = {"error of fraction, first choice": first, "error of fraction": part["error_of_fraction"].mean()}
        found["targets with every choice within 0.02"] = float((worst <= CLOSE).mean())
        if way in features:
            found["R2 of fraction by the best axis"] = _best_axis(
                principal(features[way], learned), fractions, learned, held
            )
        rows += [(way, way != own, name, value, "1", targets) for name, value in found.items()]
    return pd.DataFrame(rows, columns=SUMMARY)


def _best_axis(values: np.ndarray, fractions: np.ndarray, learned: np.ndarray, held: np.ndarray) -> float:
    """Return the R2 on held-back images of the axis that fits the fraction of the learned ones best."""
    lines = [np.polyfit(axis[learned], fractions[learned], 1) for axis in values.T]
    wrong = [np.square(np.polyval(line, axis) - fractions) for line, axis in zip(lines, values.T, strict=True)]
    best = min(wrong, key=lambda one: one[learned].mean())
    return float(1 - best[held].mean() / max(fractions[held].var(), 1e-300))
