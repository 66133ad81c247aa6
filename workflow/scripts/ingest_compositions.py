"""Read the compositions of one shard: mole fractions, index."""

from matlens import ingest, registry
from matlens.ingest.compositions import checked, index_row, index_table
from matlens.job import batch, entry
from matlens.store import io


def main(plan: str, method: str, options: dict, shard: str, shards: int, index: str, rejected: str) -> None:
    """Write what could be read, and a row of `rejected` for what could not."""
    read = registry.load(ingest.COMPOSITIONS, method)
    items = io.shard_rows(io.read_table(plan), int(shard), int(shards))
    rows, lost = [], []
    for item, (shares, meta) in batch.survive(
        items, lambda row: registry.call(read, {"item": row}, options), lost, "ingest"
    ):
        rows.append(index_row(checked(shares), item, meta))
    io.write_table(index, index_table(rows, items))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
