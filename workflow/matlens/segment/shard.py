"""Label the images of one shard and store the labels."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod

import numpy as np

from matlens import columns, masked, registry, segment
from matlens.job import batch
from matlens.learn import appearance, left_out
from matlens.learn.roles import split_of
from matlens.segment import bands, frames, painted, remarks
from matlens.store import io


class Segmenter:
    """One segmentation method with its options and, if it is trained, its model.

    pixels, truths: open arrays of the shard. card: of the weights, or None. mapped: maps work over bands, as `map`.
    found: detections of the shard, for a method that paints them, or None.
    """

    def __init__(
        self,
        pixels,
        truths,
        method: str,
        options: Mapping,
        phases: list,
        model,
        card: Mapping | None,
        mapped: Callable,
        found=None,
    ):
        self.found = found
        self.pixels, self.truths, self.mapped = pixels, truths, mapped
        if card and left_out.FOLDS not in card and not card.get("training_images"):
            print("the card of the weights has no record of its training images: noise and scale are not compared")
        self.method, self.options, self.phases, self.model, self.card = method, options, phases, model, card
        self.bare = registry.method_of(method)  # of a variant: the method without its suffix
        self.function = registry.load(segment.METHODS, method)
        self.needed = registry.inputs_of(self.function)

    def items(self) -> list[dict]:
        """List the items with their attributes and, for a trained method, their split."""
        items = self.pixels.described()
        if self.card:
            for item in items:
                item[columns.SPLIT] = split_of(self.card, item[columns.ITEM])
        return items

    def label(self, item: dict):
        """Return labels of an item: an array, or bands if it is larger than memory; add a remark to `item`."""
        key = item[columns.KEY]
        large = "t" not in item["axes"] and prod(self.pixels.shape(key)) > bands.LARGE_PX
        if self.bare in segment.BANDS and large:
            return self._banded(key)
        layers = self.pixels.layers(key, [*self.needed, masked.IGNORE])
        stacks = {"image": self.pixels.unit_interval(key), "truth": self.truths.get(key), **layers}
        if "painted" in self.needed:
            stacks["painted"] = painted.of_item(self.found, item, self.pixels.shape(key))
        stacks[columns.COLOUR] = self.pixels.colour(key) if columns.COLOUR in self.needed else None
        offered = {"phases": self.phases, columns.PIXEL_SIZE: item[columns.PIXEL_SIZE], "model": self._model(item)}
        offered |= {"spacing": io.spacing_ratio(item, item["axes"]), columns.ITEM: item[columns.ITEM]}
        labels = frames.label(self.function, item["axes"], stacks, offered, self.options)
        notes = [remarks.of(self.bare, self.options, stacks, labels, self.phases), self._unlike(item, stacks["image"])]
        if remark := "; ".join(filter(None, notes)):
            item[columns.REMARK] = remark
            print(f"{item[columns.ITEM]}: {remark}")
        return labels

    def _model(self, item: dict):
        """Return the model that labels an item; of leave-one-out the one that did not learn from it."""
        if isinstance(self.model, left_out.Models):
            return self.model.without(item[columns.ITEM])
        return self.model

    def _unlike(self, item: dict, image: np.ndarray) -> str:
        """Return a remark on an image unlike those that the weights were trained on; "" without a record of them."""
        card = self.model.card(item[columns.ITEM]) if isinstance(self.model, left_out.Models) else self.card or {}
        ranges = card.get("training_images")
        return appearance.unlike(ranges, image, item[columns.PIXEL_SIZE]) if ranges else ""

    def _banded(self, key: int):
        offered = {"read": partial(self.pixels.unit_part, key), "shape": self.pixels.shape(key)}
        offered |= {"phases": self.phases, "mapped": self.mapped}
        made = registry.call(registry.load(segment.BANDS, self.method), offered, self.options)
        return frames.banded(made, self.pixels.layers(key, [masked.IGNORE]).get(masked.IGNORE))


def write(segmenter: Segmenter, out) -> list[dict]:
    """Label all items of a shard and store them in `out`; return the rejected ones."""
    lost: list[dict] = []
    for item, labels in batch.survive(segmenter.items(), segmenter.label, lost, f"segment/{segmenter.method}"):
        if isinstance(labels, np.ndarray):
            out.add(item[columns.KEY], labels, item["axes"], item)
        else:
            out.add_bands(item[columns.KEY], labels, segmenter.pixels.shape(item[columns.KEY]), item["axes"], item)
    return lost
