"""Write the compositions of a shard; the index holds them."""

from collections.abc import Callable, Mapping

from matlens.ingest import compositions
from matlens.job import batch


def write(read: Callable, items: list[dict], lost: list[dict], outputs: Mapping[str, str]):
    """Return the index of compositions, which holds their mole fractions."""
    rows = []
    for item, (shares, meta) in batch.survive(items, read, lost, "ingest"):
        rows.append(compositions.index_row(compositions.checked(shares), item, meta))
    return compositions.index_table(rows, items)
