"""Predict a property of crystals from features of their graphs."""

from functools import partial

from matlens import predict, registry
from matlens.job import entry
from matlens.predict import crystal_tables, formulas, structures
from matlens.store import io


def main(
    index: str, stored: list, features: list, method: str, options: dict, settings: dict, used: list | None,
    predictions: str, errors: str, importance: str, learning_curve: str, held_out: str,
) -> None:  # fmt: skip
    """Write the five tables of a method; items without a target are predicted by a model of all others."""
    every, rows, _, cut = crystal_tables.gathered(io.read_table(index), map(io.read_ragged, stored), settings)
    function = registry.load(predict.STRUCTURE_METHODS, method)
    given = structures.of_items(io.concatenate(map(io.read_table, features)), every.crystals.item)

    def answer(x, y, groups, new):
        return registry.call(function, {"x": x, "y": y, "groups": groups, "new": new}, options)

    one = partial(structures.fold_predictions, answer, given, every, rows)
    found = formulas.evaluated(method, one, cut, used, rows, settings, options)
    for path, table in zip((predictions, errors, importance, learning_curve, held_out), found.values(), strict=True):
        io.write_table(path, table)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
