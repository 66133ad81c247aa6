"""Concatenate the tables of all shards, in order."""

from matlens.job import entry
from matlens.store import io


def main(tables: list, table: str) -> None:
    """Write one parquet table; the rows are those of the shards in order, whatever their number."""
    io.write_table(table, io.concatenate(io.read_table(path) for path in tables))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
