"""Predict properties of the items of one shard by pretrained networks."""

import numpy as np
from matlens import columns
from matlens.job import batch, entry
from matlens.predict import crystal_tables, properties
from matlens.store import io


def main(
    stored: list, weights: list, cards: list, names: list, outputs: list, options: dict, predictions: str,
    rejected: str, sites: str,
) -> None:  # fmt: skip
    """Write a row per item and property, and one per atom where asked for.

    For each property `stored` names the file that its network takes: graphs, or the index of molecules; `outputs` names
    its output ("": the first). Properties of one file of weights are computed in one pass.
    """
    made, read = [], {}
    for file, card in zip(weights, cards, strict=True):
        read[file] = io.read_weights(file), io.read_json(card)
    for path in dict.fromkeys(stored):
        networks = {
            name: (*read[file], output)
            for name, own, file, output in zip(names, stored, weights, outputs, strict=True)
            if own == path
        }
        made.append(properties.of_file(path, networks, options["device"], options["sites"]))
    found = properties.by_item(table for table, _ in made)
    good = np.abs(found["predicted"].to_numpy(float)) < 1e30  # NaN is not
    io.write_table(predictions, found[good])
    bad = found[columns.ITEM][~good]
    lost = [batch.rejection(item, "predict/pretrained", "the network gives no number") for item in bad]
    io.write_rejected(rejected, lost)
    atoms = [table for _, table in made if table is not None]
    io.write_table(sites, properties.by_item(atoms) if atoms else crystal_tables.no_sites())


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
