"""Blend the methods of a study, with weights from held-out predictions of training items."""

from matlens import predict, registry
from matlens.job import entry
from matlens.predict import blend, crystal_tables
from matlens.store import io


def main(
    tests: list, helds: list, method: str, names: list, options: dict, settings: dict, predictions: str, errors: str,
    importance: str, learning_curve: str, held_out: str, blend_weights: str,
    rejected: str,
) -> None:  # fmt: skip
    """Write the five tables of a method, the weights of the blended ones, and the items that one of them lacks."""
    function = registry.load(predict.BLENDS, method)

    def weights(y, held):
        return registry.call(function, {"y": y, "held": held}, options)

    tables = (dict(zip(names, map(io.read_table, paths), strict=True)) for paths in (tests, helds))
    table, held, used, lost = blend.blended(*tables, weights, settings["transform"])
    found = crystal_tables.judged([table], settings["target"])
    for path, each in zip((predictions, errors, importance, learning_curve), found.values(), strict=True):
        io.write_table(path, each)
    io.write_table(held_out, held)
    io.write_table(blend_weights, used)
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
