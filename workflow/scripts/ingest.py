"""Read the items of one shard; write the outputs of their kind, and the index."""

from matlens import registry
from matlens.ingest.blocks import Reader
from matlens.ingest.kinds import KINDS
from matlens.job import entry
from matlens.store import io


def main(
    plan: str,
    kind: str,
    method: str,
    options: dict,
    phases: list,
    shard: str,
    shards: int,
    outputs: dict,
    index: str,
    rejected: str,
) -> None:
    """Write the items that could be read, and a row of `rejected` for every other; `outputs`: files of the kind."""
    function = registry.load(KINDS[kind].readers, method)
    items, lost = io.shard_rows(io.read_table(plan), int(shard), int(shards)), []

    def read(item: dict):
        return registry.call(function, {"item": item, "phases": phases}, options)

    reader = Reader(read, options.get("block_px"))
    table = registry.load({kind: KINDS[kind].writer}, kind)(reader, items, lost, outputs)
    io.write_table(index, table)
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
