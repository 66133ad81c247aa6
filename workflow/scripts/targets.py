"""Add a result of a potential to the index of a study, as target of other methods."""

from matlens.job import entry
from matlens.predict import properties
from matlens.store import io


def main(index: str, computed: str, target: str, table: str) -> None:
    """Write the index with a column of the property; items without a result have no value."""
    io.write_table(table, properties.targets(io.read_table(index), io.read_table(computed), target))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
