"""Gather what every stage of a study rejected."""

from matlens.job import entry
from matlens.store import io


def main(tables: list, table: str) -> None:
    """Write one CSV file with item, stage and reason; a header alone when nothing was rejected."""
    io.write_csv(table, io.concatenate(io.read_table(path) for path in tables))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
