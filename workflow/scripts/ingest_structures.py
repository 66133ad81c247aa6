"""Read the crystals of one shard: cells, atoms, index."""

from matlens import columns, ingest, registry
from matlens.crystal import structures as crystals
from matlens.ingest.structures import index_row, index_table
from matlens.job import batch, entry
from matlens.store import io


def main(
    plan: str, method: str, options: dict, shard: str, shards: int, structures: str, index: str, rejected: str
) -> None:
    """Write what could be read, and a row of `rejected` for what could not."""
    read = registry.load(ingest.CRYSTALS, method)
    items = io.shard_rows(io.read_table(plan), int(shard), int(shards))
    found, rows, lost = [], [], []
    for item, (crystal, meta) in batch.survive(
        items, lambda row: registry.call(read, {"item": row}, options), lost, "ingest"
    ):
        found.append(crystal)
        rows.append(index_row(crystal, item, meta))
        if meta.get(columns.NOTE):
            print(f"{item[columns.ITEM]}: {meta[columns.NOTE]}")
    names = [row[columns.ITEM] for row in rows]
    packed = crystals.pack([row[columns.KEY] for row in rows], names, found)
    io.write_ragged(structures, crystals.to_arrays(packed))
    io.write_table(index, index_table(rows, items))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
