"""Describe the crystals of one shard by what a universal potential computes of them."""

import pandas as pd
from matlens import columns, registry
from matlens.crystal import POTENTIALS
from matlens.crystal import structures as crystals
from matlens.job import batch, entry
from matlens.store import io


def main(structures: str, method: str, vectors: str, undescribed: str) -> None:
    """Write a row per crystal, and a row with the reason per crystal that the potential does not know."""
    every, model, lost = crystals.from_arrays(io.read_ragged(structures)), registry.load(POTENTIALS, method), []
    items = [{columns.ITEM: str(item), "at": at} for at, item in enumerate(every.item)]
    done = list(batch.survive(items, lambda item: model.vector(every[item["at"]]), lost, f"predict/{method}"))
    found = pd.DataFrame([vector for _, vector in done]).add_prefix(f"{method}_")
    found.insert(0, columns.ITEM, [item[columns.ITEM] for item, _ in done])
    io.write_table(vectors, found)
    io.write_rejected(undescribed, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
