"""Predict a property of the items of a study straight from their images."""

import shutil
from functools import partial
from pathlib import Path

from matlens import columns, predict, registry
from matlens.job import entry
from matlens.predict import cnn
from matlens.predict.evaluate import evaluate
from matlens.store import io, pictures


def main(
    index: str, images: list, method: str, options: dict, settings: dict, predictions: str, errors: str,
    importance: str, learning_curve: str, held_out: str, rejected: str, weights: str = "", card: str = "",
    initial: str | list = (),
) -> None:  # fmt: skip
    """Write the five tables of a method, and the networks of all folds with their card where these are named.

    An image that is not flat is left out, and the table of rejected says so. A killed run goes on where it was.
    """
    rows, folder = io.read_table(index), Path(predictions).parent.parent / f"checkpoints_{Path(predictions).stem}"
    offered = {"folder": folder, "initial": cnn.first_of(io.read_weights(initial)) if initial else None}
    make = partial(registry.call, registry.load(predict.IMAGE_METHODS, method), offered, options)
    table, pixels, lost = cnn.gathered(rows, pictures.flat(rows, images), options["size_px"])
    kept = cnn.Kept(table[columns.ITEM], cnn.texture) if weights else None
    made = evaluate(table, pixels, make, settings, cnn.blocks(options["size_px"]), cnn.texture, kept)
    for path, name in zip((predictions, errors, importance, learning_curve), predict.OUTPUTS, strict=True):
        io.write_table(path, made[name])
    io.write_table(held_out, made["held_out"])
    io.write_rejected(rejected, lost)
    if kept is not None:
        io.write_weights(weights, kept.arrays)
        io.write_json(card, kept.card(method, options, settings, initial or None))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
