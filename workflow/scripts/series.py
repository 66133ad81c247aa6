"""Measure a series: quantities of all items of a study together."""

from matlens import columns, quantify, registry
from matlens.job import batch, entry
from matlens.store import io


def main(
    tables: list, names: list, index: str, measure: str, options: dict, phases: list, table: str, rejected: str
) -> None:
    """Write one table, out of the merged tables of other measures and the index, or a row of `rejected`."""
    import pandas as pd

    function, lost = registry.load(quantify.SERIES, measure), []
    offered = dict(zip(names, map(io.read_table, tables), strict=True))
    try:
        found = registry.call(function, {**offered, "index": io.read_table(index), "phases": phases}, options)
    except batch.BadItem as error:
        lost.append(batch.rejection("all", f"quantify/{measure}", str(error)))
        found = pd.DataFrame({columns.REASON: pd.Series(dtype=str)})
    io.write_table(table, found)
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
