"""A small part of an image before and after its restoration, and the difference, as one picture."""

from collections.abc import Sequence
from fnmatch import fnmatch

import numpy as np
from scipy import ndimage

from matlens.learn import lessons
from matlens.report import overlay
from matlens.restore.source_target import EVERY, domain_of


def shown(index, include: Sequence[str] | None, learned: Sequence[tuple] = ()) -> dict[int, int]:
    """Rank the items whose names match one of the globs, by key; all of them without globs.

    `learned`: stage and options of every method that was trained. Items that none of them learned from go first
    (`learn.lessons.ranks`); before that, those that every translation translates: the others stay as they are.
    """
    ranks = lessons.ranks(index.to_dict("records"), learned)
    domains = [options for _, options in learned if options.get("target")]
    for item in ranks:
        moved = all(domain_of(item, one.get("source", EVERY), one["target"]) == "source" for one in domains)
        ranks[item] += 0 if moved else 3
    return {
        int(key): ranks[item]
        for key, item in zip(index["key"], index["item"], strict=True)
        if include is None or any(fnmatch(item, glob) for glob in include)
    }


def _middle(size: int, most: int) -> tuple[int, int]:
    """Return first and last of at most `most` pixels in the middle of a number of them; the last is not of it."""
    start = max(0, (size - most) // 2)
    return start, min(size, start + most)


def picture(before: np.ndarray, after: np.ndarray, side_px: int) -> np.ndarray:
    """Put before, after and after - before side by side: uint8 (y, 3 x); at most `side_px` pixels of before.

    One grey scale for all, and for all methods: the 0.5 % to 99.5 % quantiles of what was there before, smoothed by a
    median, since noise has outliers. A difference of 0 is the middle grey.
    """
    before, after = overlay.plane(before), overlay.plane(after)
    cut = [_middle(n, side_px) for n in before.shape]
    fine = [tuple(round(at * m / n) for at in one) for one, n, m in zip(cut, before.shape, after.shape, strict=True)]
    before, after = (part[tuple(slice(*one) for one in at)].astype(np.float64) for part, at in
                     ((before, cut), (after, fine)))  # fmt: skip
    low, high = np.quantile(ndimage.median_filter(before, 5), [0.005, 0.995])
    span = max(high - low, np.finfo(np.float32).tiny)
    # More points than before: of the same field, and the nearest one is shown.
    before = before[np.ix_(*(np.arange(n) * m // n for n, m in zip(after.shape, before.shape, strict=True)))]
    shown = [(before - low) / span, (after - low) / span, 0.5 + (after - before) / span]
    return np.rint(np.clip(np.concatenate(shown, axis=1), 0, 1) * 255).astype(np.uint8)
