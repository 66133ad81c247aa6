"""Predict the test items of one fold by the network that learned from the others."""

from matlens import columns
from matlens.job import entry
from matlens.molecule import reactions
from matlens.predict import crystal_tables, folds, molecules
from matlens.store import io


def main(
    index: str, weights: str, card: str, options: dict, settings: dict, fold: str, used: list | None, predictions: str
) -> None:  # fmt: skip
    """Write a row per reaction of the fold; the first fold also predicts those without a target."""
    rows = io.read_table(index)
    cut = folds.make(settings["split"], rows, **crystal_tables.cutting(settings))
    test = cut[int(fold)].test
    y = rows[settings["target"]].to_numpy(float)
    new = (y != y).nonzero()[0] if int(fold) == folds.first(cut, used) else test[:0]
    at, number = [*test, *new], [int(fold)] * len(test) + [folds.UNKNOWN] * len(new)
    every, groups = reactions.of_rows(rows), folds.specimens(rows, settings["group"])
    found = molecules.apply([every[k] for k in at], io.read_weights(weights), io.read_json(card), options["device"])
    io.write_table(
        predictions, crystal_tables.rows(rows[columns.ITEM].to_numpy()[at], groups[at], number, y[at], found)
    )


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
