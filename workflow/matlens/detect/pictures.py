"""Pictures of items, to draw detections over them."""

from collections.abc import Iterable

import numpy as np

from matlens import columns
from matlens.report import overlay
from matlens.store import io

MOST = 12  # items of the figures


def shown(index) -> list[int]:
    """List the keys of the items that are drawn: those of the split test first, then val, then all others."""
    split = index.get(columns.SPLIT, "")
    rank = index.assign(_rank=split)["_rank"].map({"test": 0, "val": 1}).fillna(2)
    return index.assign(_rank=rank).sort_values(["_rank", columns.KEY])[columns.KEY].tolist()[:MOST]


def kept(index, shards: Iterable[str]) -> dict[str, bytes]:
    """Return the first frame of some items as PNG, named by the key of the item; grey values are stretched."""
    wanted, found = set(shown(index)), {}
    for path in shards:
        with io.read_arrays(path) as arrays:
            for key in sorted(set(arrays) & wanted):
                axes, pixels = arrays.attrs(key)["axes"], arrays.unit_interval(key)
                if axes in ("yx", "tyx"):
                    plane = pixels[0] if axes == "tyx" else pixels
                    grey = np.clip(np.nan_to_num(overlay.stretched(plane)), 0, 1)
                    found[f"{key:08d}.png"] = overlay.png((255 * grey).astype(np.uint8))
    return found
