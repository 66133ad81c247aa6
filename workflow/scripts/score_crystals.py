"""Put the predictions of all folds of a network together, and judge them."""

from matlens import columns
from matlens.job import entry
from matlens.predict import crystal_tables
from matlens.store import io


def main(
    tables: list,
    histories: list,
    helds: list,
    settings: dict,
    predictions: str,
    errors: str,
    importance: str,
    learning_curve: str,
    history: str,
    held_out: str,
    atoms: list | None = None,
    sites: str | None = None,
):
    """Write the five tables of a method, its training history, and of crystals its values per atom."""
    parts = [io.read_table(path) for path in tables]
    found = crystal_tables.judged(parts, settings["target"], split=settings.get("split", ""))
    for path, table in zip((predictions, errors, importance, learning_curve), found.values(), strict=True):
        io.write_table(path, table)
    held = io.concatenate(io.read_table(path) for path in helds)
    io.write_table(held_out, crystal_tables.held_of_target(held, settings["target"]))
    io.write_table(history, io.concatenate(io.read_table(path) for path in histories))
    if sites:
        values = io.concatenate(io.read_table(path) for path in atoms)
        io.write_table(sites, values.drop_duplicates([columns.ITEM, "atom"], ignore_index=True))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
