"""Names of folders for items, whatever the items are called."""

import hashlib
import re

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
LONGEST = 80
HASH = 10  # hexadecimal digits
_MADE = re.compile(rf".*-[0-9a-f]{{{HASH}}}")


def slug(item: str, taken: frozenset[str] = frozenset()) -> str:
    """Name the folder of an item: its own name where that is safe, else a safe one with a part of its SHA-256.

    The name has letters, digits, `.`, `_` and `-`, at most 80 of them, begins with no `.` or `-` and is none of
    `taken`. Two items have two names: a name that looks like a made one is made anew, so that only equal hashes could
    meet.
    """
    plain = SAFE.fullmatch(item) and len(item) <= LONGEST and not item.endswith(".")
    if plain and not _MADE.fullmatch(item) and item not in taken:
        return item
    digest = hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()[:HASH]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", item).strip("._-")[: LONGEST - HASH - 1]
    return f"{stem or 'item'}-{digest}"
