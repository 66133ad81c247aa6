"""The same bytes under two names: they count twice, which a user may not have meant, and is told."""

import hashlib
import os
from collections.abc import Callable, Hashable, Iterable

SAMPLE_BYTES = 4096  # at the beginning, in the middle and at the end: enough to tell most images of one size apart


def _sample(path: str) -> Hashable:
    """Digest a few bytes of a file."""
    size, seen = os.path.getsize(path), hashlib.sha256()
    with open(path, "rb") as handle:
        for start in (0, size // 2, max(0, size - SAMPLE_BYTES)):
            handle.seek(start)
            seen.update(handle.read(SAMPLE_BYTES))
    return seen.digest()


def _whole(path: str) -> Hashable:
    """Digest all bytes of a file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()


def _alike(paths: Iterable[str], key: Callable[[str], Hashable]) -> list[list[str]]:
    """Group paths by a key, those alone left out, and those that cannot be looked at."""
    groups = {}
    for path in paths:
        try:
            groups.setdefault(key(path), []).append(path)
        except OSError:
            continue  # the job that reads it says why
    return [group for group in groups.values() if len(group) > 1]


def first_of(paths: Iterable[str]) -> dict[str, str]:
    """Name for every file that has the bytes of one before it that one; what looks unlike is not read whole."""
    groups = [sorted({path for path in paths if os.path.isfile(path)})]
    for key in (os.path.getsize, _sample, _whole):
        groups = [smaller for group in groups for smaller in _alike(group, key)]
    return {other: first for first, *others in groups for other in others}


def same_as(items) -> list[str]:
    """Name for every item the first one that is made of the same bytes; "" where there is none.

    `items`: DataFrame of a plan, with item, file and, where a file holds several, their place in it.
    """
    first = first_of(items["file"].dropna())
    places = [name for name in ("_offset", "_row") if name in items]
    rows = list(items[["item", "file", *places]].itertuples(index=False, name=None))
    made = {(file, *place): item for item, file, *place in reversed(rows)}
    return [made.get((first.get(file), *place), "") for _, file, *place in rows]
