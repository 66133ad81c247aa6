"""Measure the labels of one shard."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod

from matlens import columns, quantify, registry
from matlens.job import batch
from matlens.quantify import bands
from matlens.store import io


def measure_all(
    marks, pixels, truths, measure: str, options: Mapping, phases: list, mapped: Callable
) -> tuple[list, list[dict]]:
    """Return the tables of all items and the rejected ones.

    marks, pixels, truths: open arrays of the shard. mapped: maps work over bands, as `map`.
    """
    function, bare = registry.load(quantify.METHODS, measure), registry.method_of(measure)
    sources = {"labels": marks.get, "truth": truths.get, "image": pixels.unit_interval}
    needed = [name for name in registry.inputs_of(function) if name in sources]

    def work(item: dict):
        shape = marks.shape(item["key"])
        offered = {"spacing": io.spacing_ratio(item, item["axes"]), "phases": phases}
        if bare in quantify.BANDS and marks.is_phase_map(item["key"]) and prod(shape) > bands.LARGE_PX:
            offered |= {"read": partial(marks.rows, item["key"]), "shape": shape, "mapped": mapped}
            return quantify.rows(registry.load(quantify.BANDS, measure), item, {}, offered, options)
        stacks = {name: sources[name](item["key"]) for name in needed}
        offered["pixel_size_um"] = quantify.pixel_size(item)
        offered[columns.SPLIT] = item.get(columns.SPLIT, "")
        return quantify.rows(function, item, stacks, offered, options)

    tables, lost, stage = [], [], f"quantify/{measure}"
    for _, rows in batch.survive(marks.described(), work, lost, stage):
        quantify.report_remarks(rows, stage)
        tables.append(rows)
    return tables, lost
