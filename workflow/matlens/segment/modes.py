"""Dip test of unimodality: has a histogram more than one peak?"""

import numpy as np

from matlens.segment import histogram

SPACING_PX = 4  # between sampled pixels, in standard deviations of the smoothing: nearer ones are not independent
MOST = 10_000  # pixels sampled
LEAST = 200
APART = 3.5  # Ashman D of the halves of a normal distribution is 2.6
# sqrt(n) times the dip of n uniform numbers is above this in 5 % of simulated samples of 1,000 to 8,000
CRITICAL = 0.55


def dip(values: np.ndarray) -> float:
    """Return the dip of a sample: the largest distance of its distribution to the nearest unimodal one, 0 to 0.25.

    Source: J. A. Hartigan and P. M. Hartigan, Ann. Statist. 13 (1985) 70.
    """
    x, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    upper = np.cumsum(counts) / counts.sum()
    lower = upper - counts / counts.sum()
    low, high, found = 0, len(x) - 1, 0.0
    while True:
        part = slice(low, high + 1)
        convex, concave = low + _hull(x[part], lower[part], 1), low + _hull(x[part], upper[part], -1)
        below = np.interp(x[part], x[convex], lower[convex])
        above = np.interp(x[part], x[concave], upper[concave])
        gap = above - below
        if gap.max() <= found + 1e-15:
            return found / 2
        at = low + int(np.argmax(gap))
        if at in convex:
            left, right = at, int(concave[np.searchsorted(concave, at)])
        else:
            left, right = int(convex[np.searchsorted(convex, at, side="right") - 1]), at
        before = (upper[part] - below)[: left - low + 1].max()
        after = (above - lower[part])[right - low :].max()
        found = max(found, before, after)
        if (left, right) == (low, high):
            return found / 2
        low, high = left, right


def _hull(x: np.ndarray, y: np.ndarray, sign: int) -> np.ndarray:
    """Find the corners of the greatest convex minorant (sign 1) or the least concave majorant (sign -1) of points."""
    kept: list[int] = []
    for k in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if sign * ((y[b] - y[a]) * (x[k] - x[b]) - (y[k] - y[b]) * (x[b] - x[a])) >= 0:
                kept.pop()
            else:
                break
        kept.append(k)
    return np.array(kept)


def has_one_peak(smooth: np.ndarray, ignore: np.ndarray | None, sigma_px: float) -> bool:
    """Test whether the grey values of a smoothed image are compatible with one peak (dip test, 5 % level).

    Pixels on a grid as wide as the smoothing reaches are taken, at most 10,000; fewer than 200 decide nothing.
    """
    step = max(1, round(SPACING_PX * sigma_px))
    step = max(step, int(np.ceil((smooth.size / MOST) ** (1 / smooth.ndim))))
    grid = (slice(step // 2, None, step),) * smooth.ndim
    values = smooth[grid] if ignore is None else smooth[grid][ignore[grid] == 0]
    if values.size < LEAST:
        return False
    low, high = float(values.min()), float(values.max())
    levels = np.round((values.ravel() - low) * (1023 / (high - low))) if high > low else np.zeros(values.size)
    return bool(dip(levels) * np.sqrt(values.size) < CRITICAL) and ashman_d(levels) < APART


def ashman_d(levels: np.ndarray) -> float:
    """Return how far the two classes of Otsu's threshold lie apart: sqrt(2) |m1 - m2| / sqrt(s1^2 + s2^2).

    Small second peaks, which the dip test misses, stand far apart. Source: K. M. Ashman et al., Astron. J. 108 (1994)
    2348, eq. 9.
    """
    if levels.min() == levels.max():
        return 0.0
    counts = np.bincount(levels.astype(int))
    (cut,) = histogram.otsu_thresholds(counts, np.arange(len(counts), dtype=float), 2)
    dark, bright = levels[levels <= cut], levels[levels > cut]
    spread = np.sqrt(dark.var() + bright.var())
    return float(np.sqrt(2) * (bright.mean() - dark.mean()) / spread) if spread > 0 else np.inf
