"""Samples of learned restorations: images of training and validation items, and clean ones where there are some."""

from collections.abc import Iterator, Mapping

import numpy as np

from matlens import columns, masked, restore
from matlens.restore import frames, maps


def samples(arrays, marks, method: str, roles: Mapping[str, str]) -> Iterator[tuple]:
    """Yield (image, clean or None, role, item) of every training and validation item; of videos every frame.

    `arrays`: the images that are restored; `marks`: those of ingest, with their layers; `roles`: item to role. For a
    method of maps, the image is a map of orientations; items without orientations are left out.
    """
    for key in arrays:
        about = arrays.attrs(key)
        role = roles.get(about[columns.ITEM])
        if role not in ("train", "val") or key not in marks:
            continue
        if method in restore.MAPS:
            layers = arrays.layers(key, maps.LAYERS)
            if len(layers) == len(maps.LAYERS):
                yield maps.of_item(arrays[key].astype(np.float32), layers), None, role, about[columns.ITEM]
            continue
        layers = marks.layers(key, [masked.IGNORE, columns.CLEAN])
        ignore, clean = layers.get(masked.IGNORE), layers.get(columns.CLEAN)
        image = frames.filled(arrays[key], ignore)
        clean = None if clean is None else frames.filled(clean, ignore)
        for part, true in frames.parts(about["axes"], image, clean):
            if np.isfinite(part).all() and (true is None or np.isfinite(true).all()):
                yield part, true, role, about[columns.ITEM]
