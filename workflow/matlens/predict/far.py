"""Intervals of table methods for items among errors larger than usual, and far from all that was learned from.

The half-width of such a method is that of its errors among all training items. Errors differ by chemistry: band gaps of
fluorides scatter more than those of arsenides. Where the training items next to an item were missed by more than others
when they were held out, its interval is wider by as much. Further away than nearly all training items are from each
other, it is at least that of a guess by a training item as far away: the variogram of the training set.
"""

import numpy as np

from matlens.predict import ensembles

EDGE = 0.04  # fraction of the training items that are farther from the nearest other one than the limit
LEAST = 20  # training items from which differences of their targets are known
MOST = 5000  # training items that distances are computed to
ANCHORS = 500  # of them, whose neighbours are compared
COVERED = 0.9
CHUNK = 500


def half_widths(
    known: np.ndarray, y: np.ndarray, asked: np.ndarray, unseen: np.ndarray, half, residual: np.ndarray | None = None
) -> np.ndarray:
    """Return the half-width of the 90 % interval of every item (m,), widened where errors are larger or not known.

    known (n, d): points of the training items, y (n,) their targets, and residual (n,) their absolute errors when they
    were held out; None: as large everywhere. asked (m, d): points of the items. unseen (m,): they have an element that
    no training item has. half: half-width among all training items.
    """
    half = np.full(len(asked), half, float)
    if len(known) < LEAST or not len(asked):
        return half
    some = np.sort(np.random.default_rng(0).permutation(len(known))[:MOST])
    known, y = np.asarray(known, float)[some], np.asarray(y, float)[some]
    if residual is not None:
        half = np.maximum(half, _among_similar(known, np.asarray(residual, float)[some], asked))
    limit, apart, differ = _variogram(known, y)
    nearest = np.concatenate(
        [_distances(asked[at : at + CHUNK], known).min(axis=1) for at in range(0, len(asked), CHUNK)]
    )
    wide = np.interp(nearest, apart, differ)
    wide[unseen] = np.maximum(wide[unseen], differ[-1])
    return np.where((nearest > limit) | unseen, np.maximum(half, wide), half)


def _among_similar(known: np.ndarray, residual: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the half-width (m,) by the errors of the training items that are next to each item.

    Errors are divided by the mean of their neighbours, their own left out; the 90 % quantile of these ratios is
    multiplied by the mean of the neighbours of an item. Source: H. Papadopoulos et al., J. Artif. Intell. Res. 40
    (2011) 815.
    """
    there = np.isfinite(residual)
    known, residual = known[there], residual[there]
    if len(known) < LEAST or not residual.mean() > 0:
        return np.zeros(len(asked))
    size, own = residual / residual.mean(), np.arange(len(known))
    ratio = residual / ensembles.local(known, known, size, own, own)
    return np.quantile(ratio, COVERED, method="higher") * ensembles.local(asked, known, size)


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
