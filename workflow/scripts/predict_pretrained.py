"""Predict properties of the crystals of one shard by networks that are ready."""

from matlens import batch, columns, door, graphs, io
from matlens.predict import properties


def main(stored: str, weights: list, cards: list, names: list, options: dict, predictions: str, rejected: str) -> None:
    """Write a row per crystal and property."""
    some = graphs.from_arrays(io.read_ragged(stored))
    networks = {
        name: (io.read_weights(path), io.read_json(card))
        for name, path, card in zip(names, weights, cards, strict=True)
    }
    found = properties.by_networks(some, networks, options["device"])
    bad = found[~found["predicted"].map(lambda value: value == value and abs(value) < 1e30)]
    io.write_table(predictions, found.drop(bad.index))
    lost = [batch.rejection(item, "predict/pretrained", "the network gives no number") for item in bad[columns.ITEM]]
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
