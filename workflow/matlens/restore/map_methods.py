"""Maps of orientations at more points than were measured: the methods, and what the stage stores of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from matlens import masked, registry
from matlens.crystal import orientations as crystal
from matlens.job.batch import BadItem
from matlens.learn.pixels import Model
from matlens.restore import finer, map_learning, map_quality, maps
from matlens.restore.maps import OrientationMap


class Grid(NamedTuple):
    """A fine grid over measured points: those, its shape, the corners of its points and their weights."""

    coarse: OrientationMap
    shape: tuple[int, int]
    corners: list[OrientationMap]
    weights: np.ndarray


def grid(measured: OrientationMap, scale: int, points: str) -> Grid:
    """Lay a fine grid over a map; `points` "thinned": over every `scale`-th of its points, so that the rest judges.

    Raises BadItem if fewer than two measured points are left along an axis.
    """
    coarse = measured.every(scale) if points == "thinned" else measured
    if min(coarse.phase.shape) < 2:
        raise BadItem(f"too few points are left of it at scale {scale}; take a smaller scale")
    shape = measured.phase.shape if points == "thinned" else tuple((n - 1) * scale + 1 for n in coarse.phase.shape)
    return Grid(coarse, shape, *maps.corners(shape, coarse, scale))


def nearest(measured, *, scale: int = 2, points: str = "measured") -> OrientationMap:
    """Give every point between measured ones the orientation of the nearest."""
    made = grid(measured, scale, points)
    return maps.nearest(made.corners, made.weights)


def slerp(measured, *, scale: int = 2, points: str = "measured") -> OrientationMap:
    """Blend the orientations of the four measured points around, across grain boundaries too."""
    made = grid(measured, scale, points)
    return maps.slerp(made.corners, made.weights)


def learned(measured, model: Model, *, scale: int = 2, points: str = "measured") -> OrientationMap:
    """Let a network choose the grain of every point between measured ones; within a grain blend by distance.

    Measured points stay. Raises BadItem if the weights are of another scale.
    """
    if model.card["scale"] != scale:
        raise BadItem(f"the weights are of scale {model.card['scale']}, not {scale}; give that, or other weights")
    made = grid(measured, scale, points)
    which = map_learning.choices(model.net, model.device, made.coarse, made.shape, scale)
    which[::scale, ::scale] = 0
    return maps.chosen(made.corners, which, made.weights)


def restored(
    function: Callable, image: np.ndarray, layers: Mapping, attrs: Mapping, options: Mapping, offered: Mapping
) -> tuple[np.ndarray, dict, dict, dict]:
    """Restore the map of an item: pixels (quality of the patterns), layers, attributes, measures of quality."""
    measured = maps.of_item(image, layers)
    found = registry.call(function, {**offered, "measured": measured}, options)
    scale, thinned = options["scale"], options["points"] == "thinned"
    made = grid(measured, scale, options["points"])
    between = map_learning.between(made.shape, scale)
    rows = map_quality.measures(found, made.corners, measured if thinned else None, between)
    euler = np.where((found.phase > 0)[..., None], crystal.to_euler(found.q), 0.0)
    kept = {name: layers[name] for name in (masked.IGNORE,) if name in layers}
    if not thinned and kept:  # of a point between, those of the measured one that is nearest
        near = np.ix_(*(np.rint(np.arange(n) / scale).astype(int) for n in made.shape))
        kept[masked.IGNORE] = np.ascontiguousarray(kept[masked.IGNORE][near])
    stored = {"euler_rad": np.ascontiguousarray(np.moveaxis(euler, -1, 0), np.float32)}
    stored |= {"phase_index": found.phase, "laue": found.laue, **kept}
    return found.quality.astype(np.float32), stored, dict(attrs) if thinned else finer.attributes(attrs, scale), rows
