"""Concatenate the verdicts of all engines into one CSV file."""

from matlens.job import entry
from matlens.store import io


def main(tables: list, table: str) -> None:
    """Write one CSV file; the engine is one of its columns."""
    io.write_csv(table, io.concatenate(io.read_table(path) for path in tables))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
