"""Predict a property of the items of a study straight from their images."""

from functools import partial

from matlens import predict, registry
from matlens.job import entry
from matlens.predict import cnn
from matlens.predict.evaluate import evaluate
from matlens.store import io


def main(
    index: str,
    images: list,
    method: str,
    options: dict,
    settings: dict,
    predictions: str,
    errors: str,
    importance: str,
    learning_curve: str,
    rejected: str,
) -> None:
    """Write the four tables of a method; an image that is not flat is left out, and the table of rejected says so."""
    make = partial(registry.call, registry.load(predict.IMAGE_METHODS, method), {}, options)
    table, pixels, lost = cnn.flat_images(io.read_table(index), images, options["size_px"])
    made = evaluate(table, pixels, make, settings, cnn.blocks(options["size_px"]), cnn.texture)
    for path, name in zip((predictions, errors, importance, learning_curve), predict.ARTEFACTS, strict=True):
        io.write_table(path, made[name])
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
