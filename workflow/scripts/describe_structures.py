"""Describe the crystals of one shard by the features that trees and support vectors learn from."""

from matlens.crystal import graphs
from matlens.job import entry
from matlens.predict import crystal_tables, structures
from matlens.store import io


def main(index: str, stored: str, features: str) -> None:
    """Write a row per crystal that has a graph."""
    every = graphs.from_arrays(io.read_ragged(stored))
    io.write_table(features, structures.table(every, crystal_tables.rows_of(io.read_table(index), every.crystals.item)))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
