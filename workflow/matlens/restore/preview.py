"""A small part of an image before and after its restoration, and the difference, as one picture."""

from collections.abc import Sequence
from fnmatch import fnmatch

import numpy as np
from scipy import ndimage

from matlens.learn import lessons
from matlens.report import overlay
from matlens.restore.translation import EVERY, domain_of


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


def middle(image: np.ndarray, side_px: int) -> np.ndarray:
    """Cut at most `side_px` by `side_px` pixels out of the middle of an image, of the middle frame or slice."""
    image = overlay.plane(image)
    starts = [max(0, (n - side_px) // 2) for n in image.shape]
    return image[tuple(slice(start, start + side_px) for start in starts)]


def picture(before: np.ndarray, after: np.ndarray, side_px: int) -> np.ndarray:
    """Put before, after and after - before side by side: uint8 (y, 3 x).

    One grey scale for all, and for all methods: the 0.5 % to 99.5 % quantiles of what was there before, smoothed by a
    median, since noise has outliers. A difference of 0 is the middle grey.
    """
    before, after = overlay.plane(before), overlay.plane(after)
    if before.shape != after.shape:  # more points than before: the nearest one is shown
        places = (np.arange(n) * m // n for n, m in zip(after.shape, before.shape, strict=True))
        before = before[np.ix_(*places)]
    before, after = (middle(image, side_px).astype(np.float64) for image in (before, after))
    low, high = np.quantile(ndimage.median_filter(before, 5), [0.005, 0.995])
    span = max(high - low, np.finfo(np.float32).tiny)
    shown = [(before - low) / span, (after - low) / span, 0.5 + (after - before) / span]
    return np.rint(np.clip(np.concatenate(shown, axis=1), 0, 1) * 255).astype(np.uint8)
