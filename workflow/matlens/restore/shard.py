"""Restore and judge the items of one shard."""

from collections.abc import Mapping
from math import prod

import numpy as np

from matlens import columns, masked, registry, restore
from matlens.job.batch import BadItem
from matlens.learn.roles import split_of
from matlens.restore import domain, frames, quality, shifts

MOST_PX = 1 << 28  # of an image, a volume or a video: a filter takes some 30 bytes a pixel


class Restorer:
    """Restores an item: its pixels, the arrays stored beside them, its attributes, and the rows of its quality.

    `images`: what is restored; `raw`: the images of ingest, which the result is compared with; `model`, `card`: of a
    method that learned, else None.
    """

    def __init__(self, images, raw, method: str, options: Mapping, model=None, card: Mapping | None = None):
        self.images, self.raw, self.options, self.card = images, raw, options, card
        self.function, self.offered = registry.load(restore.METHODS, method), {"model": model}
        bare = registry.method_of(method)
        self.moves = bare in restore.TRANSLATIONS  # then it is measured by how far
        self.work = self._of_map if bare in restore.MAPS else self._finer if bare in restore.FINER else self._same

    def __call__(self, item: dict) -> tuple[np.ndarray, dict, dict, list[dict]]:
        """Return the restored pixels, the layers, the attributes and the rows of quality of an item.

        Raises BadItem for an item with more than MOST_PX pixels, since it is restored whole.
        """
        if (count := prod(self.images.shape(item["key"]))) > MOST_PX:
            raise BadItem(f"it has {count} pixels, and up to {MOST_PX} are restored at once; cut it into tiles")
        layers, attrs = self.images.layers(item["key"]), self.images.attrs(item["key"])
        image = frames.filled(self.images[item["key"]], layers.get(masked.IGNORE))
        found, layers, attrs, rows = self.work(item, image, layers, attrs)
        if self.card is not None:
            rows += self._strangeness(item, image)
            rows = [{**row, columns.SPLIT: split_of(self.card, item[columns.ITEM])} for row in rows]
        return found, layers, attrs, rows

    def _before(self, item: dict, layers: Mapping) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the image of ingest and the clean one, or None, both filled where nothing is measured."""
        ignore, clean = (layers.get(name) for name in (masked.IGNORE, columns.CLEAN))
        clean = None if clean is None else frames.filled(clean, ignore)
        return frames.filled(self.raw[item["key"]], ignore), clean

    def _same(self, item: dict, image: np.ndarray, layers: dict, attrs: dict) -> tuple:
        """Restore an image to one of as many pixels."""
        raw, clean = self._before(item, layers)
        offered = {**self.offered, "item": item[columns.ITEM]}
        found = frames.restored(self.function, item["axes"], image, self.options, offered, clean)
        rows = frames.judged(item, raw, found, clean)
        if self.moves:
            rows += self._moved(item, raw, found)
        return found, layers, attrs, rows

    def _moved(self, item: dict, raw: np.ndarray, found: np.ndarray) -> list[dict]:
        """Return the rows of a translation: how far peaks moved, and the areas that are constrained."""
        values = {"peak_shift_px": shifts.peak_shift_px(raw, found)} if raw.ndim == 2 else {}
        ratios = quality.area_ratios(raw, found, self.options.get("areas", ()))
        values |= {f"area_ratio_{number}": ratio for number, ratio in enumerate(ratios, 1)}
        about = {columns.ITEM: item[columns.ITEM]}
        return [{**about, columns.MEASURE: name, columns.VALUE: value} for name, value in values.items()]

    def _finer(self, item: dict, image: np.ndarray, layers: dict, attrs: dict) -> tuple:
        """Make an image finer: judged by the pixels that were averaged, or, where all are new, by their averages."""
        from matlens.restore import finer

        scale, parts = self.options["scale"], frames.parts(item["axes"], image)
        made = [registry.call(self.function, {**self.offered, "image": part}, self.options) for (part,) in parts]
        found = np.stack(made) if item["axes"].startswith("t") else made[0]
        raw, clean = self._before(item, layers)
        if self.options["points"] == "thinned":
            return found, layers, attrs, frames.judged(item, raw, found, raw if clean is None else clean)
        small = [finer.averaged(part, scale) for part in made]
        small = np.stack(small) if item["axes"].startswith("t") else small[0]
        about = finer.attributes(attrs, scale)
        return found, finer.unmeasured(layers, scale), about, frames.judged(item, raw, small, None)

    def _of_map(self, item: dict, image: np.ndarray, layers: dict, attrs: dict) -> tuple:
        """Restore a map of orientations to one of more points."""
        from matlens.restore import map_methods

        made = map_methods.restored(self.function, image, layers, attrs, self.options, self.offered)
        about = {columns.ITEM: item[columns.ITEM]}
        rows = [{**about, columns.MEASURE: name, columns.VALUE: value} for name, value in made[-1].items()]
        return *made[:-1], rows

    def _strangeness(self, item: dict, image: np.ndarray) -> list[dict]:
        """Return a row that says by how much an item is unlike the training images, and print it if it is."""
        known = self.card.get("domain")
        if not known:
            return []
        part = frames.parts(item["axes"], image)[0][0]
        if self.work == self._finer:
            from matlens.restore import finer

            part = finer.coarse(part, self.options["scale"], self.options["points"])
        found = domain.outside(part, known)
        name = max(found, key=found.get)
        if found[name] > 0:
            print(f"{item[columns.ITEM]}: unlike the training images by its {name}; compare it with other methods")
        about = {columns.ITEM: item[columns.ITEM], columns.MEASURE: "unlike_training", columns.VALUE: found[name]}
        return [about]
