"""Measure the labels of one shard."""

from matlens import quantify
from matlens.job import entry, workers
from matlens.quantify import shard
from matlens.store import io


def main(
    labels: str, images: str, truth: str, measure: str, options: dict, phases: list, table: str, rejected: str,
    resources: dict | None = None,
) -> None:  # fmt: skip
    """Write one table with the rows of every item that the measure applies to."""
    with (
        io.read_arrays(labels) as marks,
        io.read_arrays(images) as pixels,
        io.read_arrays(truth) as truths,
        workers.workers(resources) as mapped,
    ):
        tables, lost = shard.measure_all(marks, pixels, truths, measure, options, phases, mapped)
    io.write_table(table, quantify.stack(tables))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
