"""Concatenate tables with the same columns into one CSV file."""

from matlens.job import entry
from matlens.store import io


def main(tables: list, table: str) -> None:
    """Write the rows of the tables, in order; a header alone if they have none."""
    io.write_csv(table, io.concatenate(io.read_table(path) for path in tables))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
