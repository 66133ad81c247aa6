"""Find items with identical content under two names, to report them in the column `same_as`."""

import hashlib
import os
from collections.abc import Callable, Hashable, Iterable

from matlens.store.files import sha256

PLACES = ("_offset", "_row", "block_z_px", "block_y_px", "block_x_px")  # columns of the place of an item in its file
SAMPLE_BYTES = 4096  # bytes at the beginning, middle and end: enough to distinguish most images of one size


def _sample(path: str) -> Hashable:
    """Digest a few bytes of a file."""
    size, seen = os.path.getsize(path), hashlib.sha256()
    with open(path, "rb") as handle:
        for start in (0, size // 2, max(0, size - SAMPLE_BYTES)):
            handle.seek(start)
            seen.update(handle.read(SAMPLE_BYTES))
    return seen.digest()


def _alike(paths: Iterable[str], key: Callable[[str], Hashable]) -> list[list[str]]:
    """Group paths by a key; drop groups of one and unreadable paths."""
    groups = {}
    for path in paths:
        try:
            groups.setdefault(key(path), []).append(path)
        except OSError:
            continue  # the job that reads the item reports the reason
    return [group for group in groups.values() if len(group) > 1]


def first_of(paths: Iterable[str]) -> dict[str, str]:
    """Map every file to the first file with identical bytes; only files with equal samples are read whole."""
    groups = [sorted({path for path in paths if os.path.isfile(path)})]
    for key in (os.path.getsize, _sample, sha256):
        groups = [smaller for group in groups for smaller in _alike(group, key)]
    return {other: first for first, *others in groups for other in others}


def same_as(items) -> list[str]:
    """Return for every item the first item with the same bytes; "" if there is none.

    `items`: DataFrame of a plan with item, file and, if a file holds several items, their place in it.
    """
    first = first_of(items["file"].dropna())
    places = [name for name in PLACES if name in items]
    rows = list(items[["item", "file", *places]].itertuples(index=False, name=None))
    made = {(file, *place): item for item, file, *place in reversed(rows)}
    return [made.get((first.get(file), *place), "") for _, file, *place in rows]
