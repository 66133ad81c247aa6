"""Concatenate the tables of all shards, in order."""

import sys

from matlens.ingest import masks_seen
from matlens.job import entry
from matlens.store import io


def main(tables: list, table: str, output: str = "", study: str = "", references: dict | None = None) -> None:
    """Write one parquet table; the rows are those of the shards in order, whatever their number.

    In the index, items are compared with all others of the study. references: potential -> table of the energies of
    the elements; those that crystals of the index need and it lacks are named, in the log and on the console.
    """
    whole = io.concatenate(io.read_table(path) for path in tables)
    io.write_table(table, masks_seen.compared(whole) if output == "index" else whole)
    for potential, file in (references or {}).items():
        from matlens.crystal import element_references

        if text := element_references.of_formulas(whole["formula"].astype(str), file):
            print(f"{study}: {potential}: {text}")
            print(f"{study}: {potential}: {text}", file=sys.__stderr__)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
