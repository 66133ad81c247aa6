"""Connect the crystals of one shard to graphs."""

from matlens import columns, connect, registry
from matlens.crystal import structures as crystals
from matlens.job import batch, entry
from matlens.store import io


def main(structures: str, method: str, options: dict, graphs: str, connections: str, rejected: str) -> None:
    """Write crystals and their edges in one file, a row per graph, and a row of `rejected` per crystal without one."""
    function, bare, lost = registry.load(connect.METHODS, method), registry.method_of(method), []
    every = crystals.from_arrays(io.read_ragged(structures))
    items = [
        {columns.ITEM: item, columns.KEY: int(key), "at": at}
        for at, (item, key) in enumerate(zip(every.item, every.key, strict=True))
    ]

    def work(item: dict) -> dict:
        one = every[item["at"]]
        connect.check(one.species)
        return registry.call(function, {"cell": one.cell, "frac": one.frac, "species": one.species}, options)

    done = list(batch.survive(items, work, lost, f"connect/{method}"))
    kept = every[[item["at"] for item, _ in done]]
    io.write_ragged(graphs, crystals.to_arrays(kept) | connect.stack([graph for _, graph in done], bare))
    rows = [
        connect.describe(item[columns.ITEM], item[columns.KEY], len(one.species), graph)
        for (item, graph), one in zip(done, kept, strict=True)
    ]
    io.write_table(connections, connect.table(rows))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
