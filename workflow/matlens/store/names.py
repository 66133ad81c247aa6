"""Derive safe folder names from the names of items."""

import hashlib
import re

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
LONGEST = 80
HASH = 10  # hexadecimal digits
_MADE = re.compile(rf".*-[0-9a-f]{{{HASH}}}")


def slug(item: str, taken: frozenset[str] = frozenset()) -> str:
    """Return a folder name for an item: its own name if safe, else a safe stem with 10 digits of its SHA-256.

    The name has at most 80 letters, digits, `.`, `_` and `-`, does not begin with `.` or `-` and is not in `taken`.
    A name that looks like a derived one is hashed, too, so that different items share a name only if hashes collide.
    """
    plain = SAFE.fullmatch(item) and len(item) <= LONGEST and not item.endswith(".")
    if plain and not _MADE.fullmatch(item) and item not in taken:
        return item
    digest = hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()[:HASH]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", item).strip("._-")[: LONGEST - HASH - 1]
    return f"{stem or 'item'}-{digest}"
