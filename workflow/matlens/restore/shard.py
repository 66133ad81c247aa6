"""Restore and judge the items of one shard."""

from collections.abc import Mapping

import numpy as np

from matlens import columns, masked, registry, restore
from matlens.learn.roles import split_of
from matlens.restore import domain, frames


class Restorer:
    """Restores an item: its pixels, what is stored beside them, its attributes, and the rows of its quality.

    `images`: what is restored; `raw`: the images of ingest, which the result is compared with; `model`, `card`: of a
    method that learned, else None.
    """

    def __init__(self, images, raw, method: str, options: Mapping, model=None, card: Mapping | None = None):
        self.images, self.raw, self.options, self.card = images, raw, options, card
        self.function, self.offered = registry.load(restore.METHODS, method), {"model": model}
        self.of_maps = registry.method_of(method) in restore.MAPS

    def __call__(self, item: dict) -> tuple[np.ndarray, dict, dict, list[dict]]:
        """Return the restored pixels, the layers, the attributes and the rows of quality of an item."""
        layers, attrs = self.images.layers(item["key"]), self.images.attrs(item["key"])
        ignore = layers.get(masked.IGNORE)
        image = frames.filled(self.images[item["key"]], None if self.of_maps else ignore)
        if self.of_maps:
            from matlens.restore import map_methods

            made = map_methods.restored(self.function, image, layers, attrs, self.options, self.offered)
            found, layers, attrs, measured = made
            rows = [
                {columns.ITEM: item[columns.ITEM], columns.MEASURE: name, columns.VALUE: value}
                for name, value in measured.items()
            ]
        else:
            clean = layers.get(columns.CLEAN)
            clean = None if clean is None else frames.filled(clean, ignore)
            found = frames.restored(self.function, item["axes"], image, self.options, self.offered, clean)
            rows = frames.judged(item, frames.filled(self.raw[item["key"]], ignore), found, clean)
        if self.card is not None:
            rows += self._strangeness(item, image)
            rows = [{**row, columns.SPLIT: split_of(self.card, item[columns.ITEM])} for row in rows]
        return found, layers, attrs, rows

    def _strangeness(self, item: dict, image: np.ndarray) -> list[dict]:
        """Return a row that says by how much an item is unlike the training images, and print it if it is."""
        known = self.card.get("domain")
        if not known:
            return []
        found = domain.outside(frames.parts(item["axes"], image)[0][0], known)
        name = max(found, key=found.get)
        if found[name] > 0:
            print(f"{item[columns.ITEM]}: unlike the training images by its {name}; compare it with other methods")
        about = {columns.ITEM: item[columns.ITEM], columns.MEASURE: "unlike_training", columns.VALUE: found[name]}
        return [about]
