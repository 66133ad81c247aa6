"""Gather what every stage of a study rejected."""

from matlens import door, io


def main(tables: list, table: str) -> None:
    """Write one CSV file with item, stage and reason; a header alone when nothing was rejected."""
    io.write_csv(table, io.concatenate(io.read_table(path) for path in tables))


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
