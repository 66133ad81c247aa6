"""Relax the crystals of one shard by a universal potential."""

import pandas as pd
from matlens import columns, registry
from matlens.crystal import structures as crystals
from matlens.job import batch, entry
from matlens.predict import properties
from matlens.store import io


def main(structures: str, method: str, options: dict, predictions: str, relaxed: str, rejected: str) -> None:
    """Write energies and volumes, the relaxed crystals, and a row of `rejected` per crystal that does not relax."""
    every, bare, lost = crystals.from_arrays(io.read_ragged(structures)), registry.method_of(method), []
    items = [
        {columns.ITEM: item, columns.KEY: int(key), "at": at}
        for at, (item, key) in enumerate(zip(every.item, every.key, strict=True))
    ]

    def work(item: dict):
        return registry.call(properties.relaxed, {"crystal": every[item["at"]], "potential": bare}, options)

    done = list(batch.survive(items, work, lost, f"predict/{method}"))
    rows = [row for item, (_, values) in done for row in properties.rows(item[columns.ITEM], values)]
    io.write_table(predictions, pd.DataFrame(rows, columns=list(properties.COLUMNS)))
    kept = crystals.pack(
        [i[columns.KEY] for i, _ in done], [i[columns.ITEM] for i, _ in done], [c for _, (c, _) in done]
    )
    io.write_ragged(relaxed, crystals.to_arrays(kept))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
