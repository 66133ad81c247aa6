"""Predict a property of the items of a study from its measures."""

from functools import partial

from matlens import predict, registry
from matlens.job import entry
from matlens.predict.evaluate import evaluate_table
from matlens.store import io


def main(
    index: str,
    tables: list,
    measures: list,
    method: str,
    options: dict,
    settings: dict,
    predictions: str,
    errors: str,
    importance: str,
    learning_curve: str,
    held_out: str,
    rejected: str,
) -> None:
    """Write the five tables of a method, and the items that lack a feature; a control takes the target as it is."""
    make = partial(registry.call, registry.load(predict.METHODS, method), {}, options)
    found = {name: io.read_table(path) for name, path in zip(measures, tables, strict=True)}
    if registry.method_of(method) in predict.CONTROLS:
        settings = {**settings, "transform": "none"}
    made, lost = evaluate_table(io.read_table(index), found, make, settings)
    for path, name in zip(
        (predictions, errors, importance, learning_curve, held_out), (*predict.OUTPUTS, "held_out"), strict=True
    ):
        io.write_table(path, made[name])
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
