"""Write the molecules of a shard; the index holds them."""

from collections.abc import Callable, Mapping

from matlens.ingest import molecules
from matlens.job import batch


def write(read: Callable, items: list[dict], lost: list[dict], outputs: Mapping[str, str]):
    """Return the index of molecules, which holds each of them as a SMILES with a marked bond."""
    rows = []
    for item, (found, meta) in batch.survive(items, read, lost, "ingest"):
        rows.append(molecules.index_row(found, item, meta))
    return molecules.index_table(rows)
