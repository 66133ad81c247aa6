"""Predict a property of crystals from features of their graphs, and from what a potential computes of them."""

from functools import partial

from matlens import predict, registry
from matlens.job import batch, entry
from matlens.predict import crystal_tables, formulas, structures
from matlens.store import io


def main(
    index: str, stored: list, features: list, vectors: list, undescribed: list, method: str, options: dict,
    settings: dict, used: list | None, predictions: str, errors: str, importance: str, learning_curve: str,
    held_out: str, rejected: str,
) -> None:  # fmt: skip
    """Write the five tables of a method; items without a target are predicted by a model of all others."""
    parts = [io.concatenate(map(io.read_table, paths)) for paths in (features, vectors) if paths]
    x, function = structures.joined(parts), registry.load(predict.STRUCTURE_METHODS, method)
    every, rows, _, cut = crystal_tables.gathered(io.read_table(index), map(io.read_ragged, stored), settings, x.index)

    def answer(x, y, groups, new):
        return registry.call(function, {"x": x, "y": y, "groups": groups, "new": new}, options)

    given = x.loc[every.crystals.item.astype(str)].to_numpy(float)
    one = partial(structures.fold_predictions, answer, given, every, rows)
    found = formulas.evaluated(method, one, cut, used, rows, settings, options)
    for path, table in zip((predictions, errors, importance, learning_curve, held_out), found.values(), strict=True):
        io.write_table(path, table)
    lost = [row for path in undescribed for row in io.read_table(path).itertuples()]
    reason = f"not predicted by {method}: {{}}"
    io.write_rejected(rejected, [batch.rejection(row.item, "predict", reason.format(row.reason)) for row in lost])


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
