"""Restore and judge the items of one shard."""

from collections.abc import Mapping

import numpy as np

from matlens import columns, masked, registry, restore
from matlens.learn.roles import split_of
from matlens.restore import domain, frames


class Restorer:
    """Restores an item: its pixels, what is stored beside them, and the rows of its quality.

    `images`: what is restored; `raw`: the images of ingest, which the result is compared with; `model`, `card`: of a
    method that learned, else None.
    """

    def __init__(self, images, raw, method: str, options: Mapping, model=None, card: Mapping | None = None):
        self.images, self.raw, self.options, self.card = images, raw, options, card
        self.function, self.offered = registry.load(restore.METHODS, method), {"model": model}

    def __call__(self, item: dict) -> tuple[np.ndarray, dict, list[dict]]:
        """Return the restored pixels, the layers and the rows of quality of an item."""
        layers = self.images.layers(item["key"])
        ignore, clean = (layers.get(name) for name in (masked.IGNORE, columns.CLEAN))
        image = frames.filled(self.images[item["key"]], ignore)
        before = frames.filled(self.raw[item["key"]], ignore)
        clean = None if clean is None else frames.filled(clean, ignore)
        found = frames.restored(self.function, item["axes"], image, self.options, self.offered, clean)
        rows = frames.judged(item, before, found, clean)
        if self.card is None:
            return found, layers, rows
        rows += self._strangeness(item, image)
        role = split_of(self.card, item[columns.ITEM])
        return found, layers, [{**row, columns.SPLIT: role} for row in rows]

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
