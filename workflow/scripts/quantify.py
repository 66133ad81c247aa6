"""Measure the labels of one shard."""

from functools import partial
from math import prod

from matlens import columns, quantify, registry
from matlens.job import batch, entry, workers
from matlens.quantify import bands
from matlens.store import io


def main(
    labels: str,
    images: str,
    truth: str,
    measure: str,
    options: dict,
    phases: list,
    table: str,
    rejected: str,
    resources: dict | None = None,
) -> None:
    """Write one table with the rows of every item that the measure applies to."""
    function, bare, lost = registry.load(quantify.METHODS, measure), registry.method_of(measure), []
    with (
        io.read_arrays(labels) as marks,
        io.read_arrays(images) as pixels,
        io.read_arrays(truth) as truths,
        workers.workers(resources) as mapped,
    ):
        sources = {"labels": marks.get, "truth": truths.get, "image": pixels.unit_interval}
        needed = [name for name in registry.inputs_of(function) if name in sources]

        def work(item: dict):
            shape = marks.shape(item["key"])
            offered = {"spacing": io.spacing_ratio(item, item["axes"])}
            if bare in quantify.BANDS and marks.is_phase_map(item["key"]) and prod(shape) > bands.LARGE_PX:
                offered |= {"read": partial(marks.rows, item["key"]), "shape": shape}
                offered |= {"phases": phases, "mapped": mapped}
                return quantify.rows(registry.load(quantify.BANDS, measure), item, {}, offered, options)
            stacks = {name: sources[name](item["key"]) for name in needed}
            offered |= {"phases": phases, "pixel_size_um": quantify.pixel_size(item)}
            offered[columns.SPLIT] = item.get(columns.SPLIT, "")
            return quantify.rows(function, item, stacks, offered, options)

        items = [{"key": key, **marks.attrs(key)} for key in marks]
        found, stage = [], f"quantify/{measure}"
        for _, rows in batch.survive(items, work, lost, stage):
            quantify.report_remarks(rows, stage)
            found.append(rows)
    io.write_table(table, quantify.stack(found))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
