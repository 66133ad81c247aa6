"""Predict a property of crystals from features of their graphs."""

from matlens import predict, registry
from matlens.job import entry
from matlens.predict import crystal_tables, formulas, structures, transforms
from matlens.store import io


def main(
    index: str, stored: list, features: list, method: str, options: dict, settings: dict, used: list | None, predictions: str,
    errors: str, importance: str, learning_curve: str, held_out: str,
) -> None:  # fmt: skip
    """Write the five tables of a method; items without a target are predicted by a model of all others."""
    every, rows, _, cut = crystal_tables.gathered(io.read_table(index), map(io.read_ragged, stored), settings)
    function = registry.load(predict.STRUCTURE_METHODS, method)
    given = structures.of_items(io.concatenate(map(io.read_table, features)), every.crystals.item)

    def answer(x, y, groups, new):
        return registry.call(function, {"x": x, "y": y, "groups": groups, "new": new}, options)

    chosen = {name: settings[name] for name in ("target", "group")} | {
        "transform": transforms.chosen(options, settings)
    }
    each = formulas.parts(cut, used, rows, settings["target"])
    tests, helds = formulas.tables(
        method,
        each,
        lambda number, fold: structures.fold_predictions(answer, given, every, rows, fold, number, **chosen),
    )
    found = crystal_tables.judged(tests, settings["target"])
    for path, table in zip((predictions, errors, importance, learning_curve), found.values(), strict=True):
        io.write_table(path, table)
    io.write_table(held_out, io.concatenate(helds))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
