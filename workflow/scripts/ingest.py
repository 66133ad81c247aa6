"""Read the items of one shard: images, truth labels, index."""

from matlens import columns, ingest, registry
from matlens.ingest import truths
from matlens.job import batch, entry
from matlens.store import io


def main(
    plan: str,
    method: str,
    options: dict,
    phases: list,
    shard: str,
    shards: int,
    images: str,
    truth: str,
    index: str,
    rejected: str,
) -> None:
    """Write what could be read, and a row of `rejected` for what could not."""
    read = registry.load(ingest.METHODS, method)
    items = io.shard_rows(io.read_table(plan), int(shard), int(shards))
    rows, lost = [], []
    with io.write_arrays(images, "lz4") as pixels, io.write_arrays(truth) as labels:
        for item, found in batch.survive(
            items, lambda row: registry.call(read, {"item": row, "phases": phases}, options), lost, "ingest"
        ):
            attrs = ingest.describe(found, item[columns.ITEM])
            pixels.add(item[columns.KEY], found.pixels, found.axes, attrs, found.layers)
            if found.truth is not None:
                labels.add(item[columns.KEY], found.truth, found.axes, attrs)
            rows.append(ingest.index_row(found, item))
    truths.lonely(rows)
    print("\n".join(f"{row[columns.ITEM]}: {row[columns.REMARK]}" for row in rows if row.get(columns.REMARK)))
    io.write_table(index, ingest.index_table(rows))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
