"""Write the crystals of a shard."""

from collections.abc import Callable, Mapping

from matlens import columns
from matlens.crystal import structures as crystals
from matlens.ingest.crystals import structures
from matlens.job import batch
from matlens.store import io


def write(read: Callable, items: list[dict], lost: list[dict], outputs: Mapping[str, str]):
    """Write cells and atoms of crystals; return their index."""
    found, rows = [], []
    for item, (crystal, meta) in batch.survive(items, read, lost, "ingest"):
        found.append(crystal)
        rows.append(structures.index_row(crystal, item, meta))
        if meta.get(columns.REMARK):
            print(f"{item[columns.ITEM]}: {meta[columns.REMARK]}")
    names = [row[columns.ITEM] for row in rows]
    packed = crystals.pack([row[columns.KEY] for row in rows], names, found)
    io.write_ragged(outputs["structures"], crystals.to_arrays(packed))
    return structures.index_table(rows, items)
