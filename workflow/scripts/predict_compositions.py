"""Predict a property of the items of a study from their composition alone."""

from functools import partial

from matlens import predict, registry
from matlens.job import entry
from matlens.predict import crystal_tables, folds, formulas
from matlens.predict.validation import class_scores
from matlens.store import io


def main(
    index: str, method: str, options: dict | None, settings: dict, used: list | None, task: str, predictions: str,
    errors: str, importance: str, learning_curve: str, held_out: str,
) -> None:  # fmt: skip
    """Write the five tables of a method; items without a target are predicted by a model of all others."""
    rows = io.read_table(index)
    cut = folds.make(settings["split"], rows, **crystal_tables.cutting(settings))
    function = registry.load(predict.COMPOSITION_METHODS, method)

    def answer(train, y, new, groups):
        known = {"groups": groups} if settings["split"] == "group" else {}
        return registry.call(function, {"formulas": train, "y": y, "new": new, **known}, options or {})

    one = partial(formulas.fold_predictions, answer, rows)
    found = formulas.evaluated(method, one, cut, used, rows, {**settings, "task": task}, options or {})
    if task == "classification":
        known = found["predictions"].query("fold != @folds.UNKNOWN")
        scores = class_scores(known["target"].to_numpy(), known["predicted"].to_numpy())
        found["errors"] = found["errors"].assign(**scores)
    for path, table in zip((predictions, errors, importance, learning_curve, held_out), found.values(), strict=True):
        io.write_table(path, table)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
