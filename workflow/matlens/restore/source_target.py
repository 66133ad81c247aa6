"""Which of two domains an item belongs to: those that are translated, and those that the result shall look like."""

import fnmatch
from collections.abc import Iterable

EVERY = ("*",)


def domain_of(item: str, source: Iterable[str], target: Iterable[str]) -> str:
    """Return "target", "source" or "" for an item: the patterns of the target go first."""
    for name, patterns in (("target", target), ("source", source)):
        if any(fnmatch.fnmatchcase(item, pattern) for pattern in patterns):
            return name
    return ""
