"""Intervals of table methods for items that are far from all that was learned from.

The half-width of such a method is that of its errors among the training items, and holds for items like these. Further
away than nearly all training items are from each other, the interval is at least that of a guess by a training item as
far away: the variogram of the training set.
"""

import numpy as np

EDGE = 0.04  # fraction of the training items that are farther from the nearest other one than the limit
LEAST = 20  # training items from which differences of their targets are known
MOST = 5000  # training items that distances are computed to
ANCHORS = 500  # of them, whose neighbours are compared
COVERED = 0.9
CHUNK = 500


def half_widths(known: np.ndarray, y: np.ndarray, asked: np.ndarray, unseen: np.ndarray, half) -> np.ndarray:
    """Return the half-width of the 90 % interval of every item (m,), widened where it is far from the training items.

    known (n, d): points of the training items, and y (n,) their targets. asked (m, d): points of the items. unseen
    (m,): they have an element that no training item has. half: half-width among items like those known.
    """
    half = np.full(len(asked), half, float)
    if len(known) < LEAST or not len(asked):
        return half
    some = np.sort(np.random.default_rng(0).permutation(len(known))[:MOST])
    known, y = np.asarray(known, float)[some], np.asarray(y, float)[some]
    limit, apart, differ = _variogram(known, y)
    nearest = np.concatenate(
        [_distances(asked[at : at + CHUNK], known).min(axis=1) for at in range(0, len(asked), CHUNK)]
    )
    wide = np.interp(nearest, apart, differ)
    wide[unseen] = np.maximum(wide[unseen], differ[-1])
    return np.where((nearest > limit) | unseen, np.maximum(half, wide), half)


def _variogram(known: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the limit of distances to the nearest other item, and differences of targets against distances.

    Both are those to the k-th neighbours, k a power of 2 up to half of the items: the median distance, and the
    difference of targets that 90 % do not exceed, which does not fall with the distance. It is divided by the root of
    2: two items that tell nothing of each other differ by twice the variance of one.
    """
    at = np.random.default_rng(1).permutation(len(known))[:ANCHORS]
    far = _distances(known[at], known)
    far[np.arange(len(at)), at] = -1.0  # itself comes first
    order = np.argsort(far, axis=1, kind="stable")
    ranks = 2 ** np.arange(int(np.log2(len(known) / 2)) + 1)
    apart = np.median(np.take_along_axis(far, order[:, ranks], axis=1), axis=0)
    differ = np.quantile(np.abs(y[order[:, ranks]] - y[at, None]), COVERED, axis=0) / np.sqrt(2.0)
    limit = np.quantile(far[np.arange(len(at)), order[:, 1]], 1 - EDGE)
    return float(limit), np.maximum.accumulate(apart), np.maximum.accumulate(differ)


def _distances(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    asked = np.asarray(asked, float)
    square = (asked**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * asked @ known.T
    return np.sqrt(np.maximum(square, 0.0)).round(6)  # whatever the number of rows
