"""Concatenate the tables of all shards, in order."""

from matlens.ingest import masks_seen
from matlens.job import entry
from matlens.store import io


def main(tables: list, table: str, output: str = "") -> None:
    """Write one parquet table; the rows are those of the shards in order, whatever their number.

    In the index, items are compared with all others of the study.
    """
    whole = io.concatenate(io.read_table(path) for path in tables)
    io.write_table(table, masks_seen.compared(whole) if output == "index" else whole)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
