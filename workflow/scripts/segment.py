"""Label the images of one shard."""

from functools import partial
from math import prod

import numpy as np
from matlens import columns, masked, registry, segment
from matlens.job import batch, entry, workers
from matlens.segment import bands, frames, remarks, trained
from matlens.store import io


def main(
    images: str,
    truth: str,
    method: str,
    options: dict,
    phases: list,
    labels: str,
    rejected: str,
    weights: str | list = (),
    card: str | list = (),
    resources: dict | None = None,
) -> None:
    """Write a label image for every item that the method can label; a method that learns takes weights and a card."""
    function, lost = registry.load(segment.METHODS, method), []
    needed, bare = registry.inputs_of(function), registry.method_of(method)
    layers = [*needed, masked.IGNORE]
    about = io.read_json(card) if weights else None
    model = trained.model(method, io.read_weights(weights), about, phases, options) if weights else None
    with (
        io.read_arrays(images) as pixels,
        io.read_arrays(truth) as truths,
        workers.workers(resources) as mapped,
        io.write_arrays(labels) as out,
    ):

        def work(item: dict):
            key = item["key"]
            if bare in segment.BANDS and "t" not in item["axes"] and prod(pixels.shape(key)) > bands.LARGE_PX:
                offered = {"read": partial(pixels.unit_part, key), "shape": pixels.shape(key), "phases": phases}
                found = registry.call(registry.load(segment.BANDS, method), {**offered, "mapped": mapped}, options)
                return frames.banded(found, pixels.layers(key, [masked.IGNORE]).get(masked.IGNORE))
            offered = {"phases": phases, "pixel_size_um": item["pixel_size_um"], "model": model}
            offered |= {"spacing": io.spacing_ratio(item, item["axes"]), columns.ITEM: item[columns.ITEM]}
            stacks = {"image": pixels.unit_interval(key), "truth": truths.get(key), **pixels.layers(key, layers)}
            stacks[columns.COLOUR] = pixels.colour(key) if columns.COLOUR in needed else None
            found = frames.label(function, item["axes"], stacks, offered, options)
            if said := remarks.of(bare, options, stacks, found, phases):
                item[columns.REMARK] = said
                print(f"{item[columns.ITEM]}: {said}")
            return found

        items = [{"key": key, **pixels.attrs(key)} for key in pixels]
        if about:
            items = [item | {columns.SPLIT: trained.split_of(about, item[columns.ITEM])} for item in items]
        for item, found in batch.survive(items, work, lost, f"segment/{method}"):
            if isinstance(found, np.ndarray):
                out.add(item["key"], found, item["axes"], item)
            else:
                out.add_bands(item["key"], found, pixels.shape(item["key"]), item["axes"], item)
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
