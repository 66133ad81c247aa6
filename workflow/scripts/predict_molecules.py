"""Predict the energy of breaking a bond of the molecules of a study."""

from matlens import predict, registry
from matlens.job import entry
from matlens.predict import crystal_tables, folds, molecules
from matlens.store import io


def main(
    index: str, method: str, options: dict | None, settings: dict, used: list | None, predictions: str, errors: str,
    importance: str, learning_curve: str, held_out: str,
) -> None:  # fmt: skip
    """Write the five tables of a method."""
    rows = io.read_table(index)
    cut = folds.make(settings["split"], rows, **crystal_tables.cutting(settings))
    function = registry.load(predict.MOLECULE_METHODS, method)

    def answer(texts, y, groups, new):
        return registry.call(function, {"texts": texts, "y": y, "groups": groups, "new": new}, options or {})

    given = {name: settings[name] for name in ("target", "group")}
    parts = [molecules.fold_predictions(answer, rows, cut[number], number, **given) for number in folds.used(cut, used)]
    found = crystal_tables.judged([test for test, _ in parts], settings["target"])
    for path, table in zip((predictions, errors, importance, learning_curve), found.values(), strict=True):
        io.write_table(path, table)
    io.write_table(held_out, io.concatenate(held for _, held in parts))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
