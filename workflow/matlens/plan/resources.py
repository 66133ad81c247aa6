"""Memory and minutes of a job, by the number of its items and the attempt.

A cluster job starts two Snakemakes before its first line, each of 150 MB: nothing asks for less than 600 MB.
"""

import math
from functools import cache

FLOOR_MB = 600


def memory_mb(base: float, per_item: float, items: int, attempt: int) -> int:
    """Return megabytes: `base + per_item * items`, twice as much for every further attempt, never below the floor."""
    return 2 ** (attempt - 1) * math.ceil(max(FLOOR_MB, base + per_item * items))


def minutes(base: float, per_item: float, items: int, attempt: int) -> int:
    """Return minutes: `base + per_item * items`, twice as much for every further attempt, and never below one."""
    return 2 ** (attempt - 1) * math.ceil(max(1.0, base + per_item * items))


def items_of(total: int, shards: int | None) -> int:
    """Return how many items the largest of `shards` equal shards holds; all of them where there are no shards."""
    return math.ceil(total / shards) if shards else total


@cache
def rows(path: str, changed: float) -> int:
    """Count the rows of a parquet table from its footer; `changed`, its time of change, makes it count anew."""
    from pyarrow import parquet

    return parquet.read_metadata(path).num_rows
