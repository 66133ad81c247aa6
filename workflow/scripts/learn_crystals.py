"""Train a network for crystals on the training items of one fold."""

import os
from pathlib import Path

from matlens import columns, registry
from matlens.job import entry
from matlens.predict import crystal_networks as networks
from matlens.predict import crystal_tables, folds
from matlens.store import io


def main(
    index: str, stored: list, method: str, options: dict, settings: dict, graph: dict, fold: str,
    weights: str, card: str, history: str, held_out: str,
) -> None:  # fmt: skip
    """Write the weights, their card, a row per epoch, and held-out predictions; a killed run resumes."""
    every, table, y, cut = crystal_tables.gathered(io.read_table(index), map(io.read_ragged, stored), settings)
    chosen, transform = cut[int(fold)], settings["transform"]
    targets = crystal_tables.learned_targets(table, y, options["also"], transform)
    offered = {
        "graphs": every, "y": targets, "train": chosen.train, "validation": chosen.validation, "options": options,
        "method": registry.method_of(method), "checkpoint": Path(weights).with_name(f"checkpoint_{fold}"),
        "groups": folds.specimens(table, settings["group"]) if settings["split"] == "group" else None,
    }  # fmt: skip
    arrays, about, epochs, held = registry.call(networks.learn, offered, options)
    if os.environ.get("RANK", "0") != "0":
        return  # under torchrun the first process writes
    io.write_table(history, crystal_tables.history_table(epochs, int(fold)))
    io.write_table(held_out, crystal_tables.held_of_network(table, y, held, settings, int(fold)))
    who = {"name": method, "items": table[columns.ITEM], "cut": chosen}
    io.write_json(
        card, networks.completed({**about, "transform": transform}, settings, options, graph, int(fold), **who)
    )
    io.write_weights(weights, arrays)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
