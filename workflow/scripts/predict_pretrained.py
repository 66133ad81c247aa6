"""Predict properties of the crystals of one shard by pretrained networks."""

import numpy as np
from matlens import columns
from matlens.crystal import graphs
from matlens.job import batch, entry
from matlens.predict import properties
from matlens.store import io


def main(
    stored: list, weights: list, cards: list, names: list, options: dict, predictions: str, rejected: str, sites: str
) -> None:
    """Write a row per crystal and property, and one per atom where asked for.

    `stored` names for each property the graphs that its network takes.
    """
    made, atoms = [], []
    for path in dict.fromkeys(stored):
        some = graphs.from_arrays(io.read_ragged(path))
        networks = {
            name: (io.read_weights(file), io.read_json(card))
            for name, graph, file, card in zip(names, stored, weights, cards, strict=True)
            if graph == path
        }
        made.append(properties.by_networks(some, networks, options["device"]))
        chosen = some if options["sites"] else graphs.taken(some, [])
        atoms.append(properties.sites_by_networks(chosen, networks, options["device"]))
    found = io.concatenate(made)
    good = np.abs(found["predicted"].to_numpy(float)) < 1e30  # NaN is not
    io.write_table(predictions, found[good])
    bad = found[columns.ITEM][~good]
    lost = [batch.rejection(item, "predict/pretrained", "the network gives no number") for item in bad]
    io.write_rejected(rejected, lost)
    io.write_table(sites, io.concatenate(atoms))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
