"""Train a network for molecules on the training items of one fold."""

import os
from pathlib import Path

from matlens import registry
from matlens.job import entry
from matlens.molecule import reactions
from matlens.predict import crystal_tables, folds, molecules, transforms
from matlens.store import io


def main(
    index: str, method: str, options: dict, settings: dict, fold: str,
    weights: str, card: str, history: str, held_out: str,
) -> None:  # fmt: skip
    """Write the weights, their card, a row per epoch, and held-out predictions; a killed run resumes."""
    rows = io.read_table(index)
    cut = folds.make(settings["split"], rows, **crystal_tables.cutting(settings))[int(fold)]
    y = rows[settings["target"]].to_numpy(float)
    offered = {
        "reactions": reactions.of_rows(rows), "y": transforms.forward(settings["transform"], y), "train": cut.train,
        "groups": folds.specimens(rows, settings["group"]), "method": registry.method_of(method), "options": options,
        "checkpoint": Path(weights).with_name(f"checkpoint_{fold}"),
    }  # fmt: skip
    arrays, about, epochs, held = registry.call(molecules.learn, offered, options)
    if os.environ.get("RANK", "0") != "0":
        return  # under torchrun the first process writes
    io.write_table(history, crystal_tables.history_table(epochs, int(fold)))
    io.write_table(held_out, crystal_tables.held_of_network(rows, y, held, settings, int(fold)))
    io.write_json(card, molecules.completed(about, settings, options, int(fold), name=method, index=rows, cut=cut))
    io.write_weights(weights, arrays)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
