"""Whole images by overlapping tiles: the answer of the tiles is that of the whole, with the memory of a tile."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """List where tiles begin along an axis: each `overlap` short of the end of the one before, the last at the end."""
    if length <= tile:
        return [0]
    first = list(range(0, length - tile, tile - overlap))
    return [*first, length - tile]


def ramp(start: int, tile: int, length: int, overlap: int, blend: int) -> np.ndarray:
    """Weigh the places of a tile along an axis: 0 near the edges it shares, 1 inside, `blend` places of ramp between.

    Nothing is held back at the ends of the image: there a tile sees all that the whole would see.
    """
    place = np.arange(tile, dtype=np.float32)
    dead = (overlap - blend) // 2
    weight = np.ones(tile, np.float32)
    if start > 0:
        weight = np.minimum(weight, (place - dead + 0.5) / max(blend, 1))
    if start + tile < length:
        weight = np.minimum(weight, (tile - 1 - place - dead + 0.5) / max(blend, 1))
    return np.clip(weight, 0.0, 1.0)


def views(dims: int, kind: str) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the symmetries under which a tile is looked at: an order of axes and the axes to mirror then."""
    orders = list(itertools.permutations(range(dims))) if kind == "right_angles" else [tuple(range(dims))]
    mirrors = [()]
    if kind != "one":
        mirrors = [m for n in range(dims + 1) for m in itertools.combinations(range(dims), n)]
    yield from itertools.product(orders, mirrors)


def averaged(predict: Callable, tile: np.ndarray, kind: str) -> np.ndarray:
    """Average the answers to a tile (channels, ...) seen under several symmetries, each turned back."""
    total, count = None, 0
    for order, mirrors in views(tile.ndim - 1, kind):
        turned = tile.transpose(0, *(1 + np.array(order)))
        found = predict(np.ascontiguousarray(np.flip(turned, [axis + 1 for axis in mirrors])))
        back = np.flip(found, [axis + 1 for axis in mirrors]).transpose(0, *(1 + np.argsort(order)))
        total = back.copy() if total is None else total + back
        count += 1
    return total / np.float32(count)


def reflected(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pad the spatial axes of an image at their far ends by reflection, repeatedly if needed."""
    lacking = [(0, 0), *((0, target - n) for n, target in zip(image.shape[1:], shape, strict=True))]
    return np.pad(image, lacking, mode="reflect") if any(after for _, after in lacking) else image


def _rounded(tile: int, overlap: int, stride: int) -> tuple[int, int]:
    """Round overlap and tile up to multiples of the stride."""
    overlap = -(-overlap // stride) * stride
    return overlap, max(-(-tile // stride) * stride, overlap + stride)


def _periodic(predict: Callable, image: np.ndarray, layout: dict) -> Iterator[tuple[int, np.ndarray]]:
    """Predict one period of an endless image: see as far beyond its edges as an answer looks, and cut that away."""
    stride, space = layout["stride"], image.shape[1:]
    margin = -(-layout["radius"] // stride) * stride
    wide = np.pad(image, [(0, 0), *((margin, margin + -n % stride) for n in space)], mode="wrap")
    inner = tuple(slice(margin, margin + n) for n in space[1:])
    for first, values in bands(predict, wide, **layout):
        low, high = max(first, margin), min(first + values.shape[1], margin + space[0])
        if low < high:
            yield low - margin, values[(slice(None), slice(low - first, high - first), *inner)]


def bands(
    predict: Callable,
    image: np.ndarray,
    *,
    tile: int,
    overlap: int,
    stride: int,
    radius: int,
    kind: str = "one",
    around: bool = False,
) -> Iterator[tuple[int, np.ndarray]]:
    """Predict an image tile by tile; yields `(first, values)`: rows `first` onwards of the answer, (channels, rows,
    ...).

    `image`: (channels, [z,] y, x). `predict(tile)` returns (channels, [z,] y, x) and sees `radius` pixels far; it is
    equivariant to shifts by `stride`, so tiles lie on multiples of it. Tiles are `tile` long and share `overlap`, in
    pixels, both rounded up to what the stride allows. From an overlap of 2 `radius` + `stride` on, the answer is that
    of the whole image at once, to rounding; with less, tiles fade into each other. `around`: the image is a period of
    an endless one. Memory: the image, and one row of tiles of the answer.
    """
    layout = {"tile": tile, "overlap": overlap, "stride": stride, "radius": radius, "kind": kind}
    if around:
        yield from _periodic(predict, image, layout)
        return
    space = image.shape[1:]
    whole = tuple(-(-n // stride) * stride for n in space)
    overlap, tile = _rounded(tile, overlap, stride)
    blend = max(min(stride, overlap), overlap - 2 * radius)
    lengths = tuple(min(tile, n) for n in whole)
    padded = reflected(image, whole)
    steps = [starts(n, length, overlap) for n, length in zip(whole, lengths, strict=True)]
    ramps = [
        [ramp(s, length, n, overlap, blend) for s in begin]
        for begin, length, n in zip(steps, lengths, whole, strict=True)
    ]
    held, weight, done = None, None, 0
    cut = tuple(slice(0, n) for n in space[1:])
    for row, first in enumerate(steps[0]):
        if held is not None and first > done:  # rows above this one are finished
            yield done, (held[:, : first - done] / weight[: first - done])[(slice(None), slice(None), *cut)]
            held, weight, done = held[:, first - done :], weight[first - done :], first
        values = None
        for others in itertools.product(*(range(len(s)) for s in steps[1:])):
            place = (first, *(steps[axis + 1][k] for axis, k in enumerate(others)))
            window = tuple(slice(s, s + n) for s, n in zip(place, lengths, strict=True))
            found = averaged(predict, padded[(slice(None), *window)], kind)
            weights = ramps[0][row]
            for axis, k in enumerate(others):
                weights = np.multiply.outer(weights, ramps[axis + 1][k])
            if values is None:
                values = np.zeros((len(found), lengths[0], *whole[1:]), np.float32)
                shares = np.zeros((lengths[0], *whole[1:]), np.float32)
            values[(slice(None), slice(None), *window[1:])] += found * weights
            shares[(slice(None), *window[1:])] += weights
        if held is not None:
            values[:, : held.shape[1]] += held
            shares[: len(weight)] += weight
        held, weight = values, shares
    yield done, (held / weight)[(slice(None), slice(0, space[0] - done), *cut)]


def _part(spans: list, origin: list[int], shape: tuple[int, ...]) -> tuple:
    """Return where the core of a tile lies in a map of `shape` that begins at pixel `origin` of the image."""
    steps = [(high - low) // n for (low, high, *_), n in zip(spans, shape, strict=True)]
    parts = zip(spans, origin, steps, strict=True)
    return (slice(None), *(slice((first - at) // f, (last - at) // f) for (_, _, first, last), at, f in parts))


def stitched(predict: Callable, image: np.ndarray, *, core: int, radius: int, stride: int) -> list[np.ndarray]:
    """Compute maps of an image tile by tile; they are those of the whole image at once, to rounding.

    `image`: (channels, [z,] y, x), lengthened to multiples of `stride` by reflection. `predict(tile)` returns a list of
    maps (channels, [z,] y, x) whose cells are squares of a number of pixels that divides `stride`; it sees `radius`
    pixels far and is equivariant to shifts by `stride`. A tile answers for `core` pixels along each axis and sees the
    margin around them. Memory: the image, its maps, and one tile.
    """
    whole = tuple(-(-n // stride) * stride for n in image.shape[1:])
    core, margin = (-(-length // stride) * stride for length in (max(core, 1), radius))
    padded, maps = reflected(image, whole), []
    for begin in itertools.product(*(range(0, n, core) for n in whole)):
        spans = [  # of the tile, and of its core
            (max(at - margin, 0), min(at + core + margin, n), at, min(at + core, n))
            for at, n in zip(begin, whole, strict=True)
        ]
        found = predict(padded[(slice(None), *(slice(low, high) for low, high, *_ in spans))])
        if not maps:
            maps = [_empty(part, spans, whole) for part in found]
        for target, part in zip(maps, found, strict=True):
            own = _part(spans, [low for low, *_ in spans], part.shape[1:])
            target[_part(spans, [0] * len(spans), part.shape[1:])] = part[own]
    return maps


def _empty(part: np.ndarray, spans: list, whole: tuple[int, ...]) -> np.ndarray:
    """Make the map of a whole image, of whose first tile `part` is the map."""
    tile = (high - low for low, high, *_ in spans)
    sides = [n * length // edge for n, length, edge in zip(part.shape[1:], whole, tile, strict=True)]
    return np.empty((len(part), *sides), part.dtype)
