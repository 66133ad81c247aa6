"""Blocks: images and volumes cut into parts of one size, each of which is an item; their parent is their group."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from matlens import columns, masked
from matlens.ingest import SPACE, Micrograph
from matlens.ingest.lazy_arrays import PART_BYTES
from matlens.job import batch
from matlens.job.batch import BadItem

STARTS = {axis: f"block_{axis}_px" for axis in SPACE}
SCALES = (columns.PIXEL_SIZE, columns.PIXEL_SIZE_Y, columns.PIXEL_SIZE_Z)
OWN = (columns.KEY, columns.ITEM, *STARTS.values())  # columns of a block that its parent does not share


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Size of the blocks, (z, y, x) or (y, x) in pixels, None for whole items; and the most of one file, evenly spread.

    The other options are those of the reader by which a file is read once, to know its size.
    """

    block_px: list[int] | None = None
    most_blocks: int | None = None
    crop_bars: bool = True
    stack: str | None = None
    min_side_px: int = 8
    max_side_px: int = 20000
    max_pixels: int = 2**28

    @property
    def reading(self) -> dict:
        """Return the options of the reader."""
        return {name: value for name, value in vars(self).items() if name not in ("block_px", "most_blocks")}


WHOLE = Blocks()


def check(block_px: list[int] | None, most_blocks: int | None, min_side_px: int, objects: str | None = None) -> None:
    """Raise ValueError if blocks would be smaller than the smallest image, or are asked of annotated objects."""
    if most_blocks is not None and not block_px:
        raise ValueError("most_blocks is for the option block_px; add it, or leave most_blocks out")
    if block_px and min(block_px[-2:]) < min_side_px:
        raise ValueError(f"block_px {list(block_px)} is below the shortest side allowed, {min_side_px} (min_side_px)")
    if block_px and objects:
        raise ValueError("annotated objects are not divided into blocks; give masks, or leave block_px out")


def divided(frame, options: Blocks, read: Callable):
    """Replace every row of a plan by those of its blocks; `read`: reader of its files, see `files.read`.

    Blocks lie side by side from the first pixel; pixels behind the last whole block are in none. Returns a plan with
    `parent_item`, the place of the block in its parent (block_z_px, ...), `parent_unused_part`, and `group`, the parent
    where the plan has no group. `reason` is set where a file cannot be read or is smaller than a block.
    """
    import pandas as pd

    if not options.block_px:
        return frame
    rows, lost = frame.to_dict("records"), []
    bad = [row for row in rows if isinstance(row.get(columns.REASON), str)]
    good = [row for row in rows if not isinstance(row.get(columns.REASON), str)]

    def work(row: dict) -> list[dict]:
        plain = {name: row.get(name) for name in (columns.FILE, *SCALES)}  # without its truth
        return _blocks(row, read(plain, [], **options.reading), options)

    found = batch.survive(good, work, lost, "ingest")
    made = [block for _, own in found for block in own]
    files = {row[columns.ITEM]: row.get(columns.FILE, "") for row in good}
    bad += [{name: row[name] for name in (columns.ITEM, columns.REASON)} | {columns.FILE: files[row[columns.ITEM]]}
            for row in lost]  # fmt: skip
    return pd.DataFrame([*made, *bad])


def _blocks(row: Mapping, found: Micrograph, options: Blocks) -> list[dict]:
    """List the rows of the blocks of an item. Raises BadItem if it has other axes, or none fits into it."""
    axes, size = [axis for axis in found.axes if axis in SPACE], options.block_px
    shape = found.pixels.shape[-len(axes) :]
    if isinstance(row.get(columns.OBJECTS_FILE), str) and row[columns.OBJECTS_FILE]:
        raise BadItem("annotated objects are not divided into blocks; give a mask, or leave block_px out")
    if len(axes) != len(size):
        raise BadItem(f"it has the axes {', '.join(axes)}, and block_px {len(size)} numbers; give one for each axis")
    counts = [n // b for n, b in zip(shape, size, strict=True)]
    if 0 in counts:
        inside = " x ".join(map(str, shape))
        raise BadItem(f"it has {inside} pixels, and a block {' x '.join(map(str, size))}; make block_px smaller")
    places = list(itertools.product(*(range(0, count * b, b) for count, b in zip(counts, size, strict=True))))
    unused = 1.0 - len(places) * np.prod(size, dtype=float) / np.prod(shape, dtype=float)
    whole = " x ".join(map(str, shape))
    print(f"{row[columns.ITEM]}: {len(places)} blocks; {unused:.1%} of its {whole} pixels are behind the last of them")
    if options.most_blocks and options.most_blocks < len(places):
        places = [places[k] for k in np.linspace(0, len(places) - 1, options.most_blocks).round().astype(int)]
        print(f"{row[columns.ITEM]}: {len(places)} of them are taken (most_blocks)")
    group = row.get(columns.GROUP)
    about = {**row, columns.PARENT: row[columns.ITEM], columns.PARENT_UNUSED: float(unused)}
    about[columns.GROUP] = group if isinstance(group, str) and group else row[columns.ITEM]
    made = []
    for place in places:
        starts = dict(zip(axes, place, strict=True))
        name = "_".join(f"{a}{starts[a]:0{len(str(n - 1))}d}" for a, n in zip(axes, shape, strict=True))
        own = {STARTS[axis]: start for axis, start in starts.items()}
        made.append(about | own | {columns.ITEM: f"{row[columns.ITEM]}_{name}"})
    return made


class Reader:
    """Reads items, and blocks of items; the parent of the last block is kept, since its blocks follow each other.

    `read(item)`: reads a whole item. `block_px`: see `Blocks`.
    """

    def __init__(self, read: Callable[[dict], Micrograph], block_px: list[int] | None):
        self.read, self.size, self.last, self.whole = read, block_px, None, None

    def __call__(self, item: dict) -> Micrograph:
        """Read an item of the plan. Raises BadItem if it cannot be used."""
        if not self.size:
            return self.read(item)
        shared = str(sorted((name, str(value)) for name, value in item.items() if name not in OWN))
        if shared != self.last:
            self.whole, self.last = None, None  # a parent that cannot be read is read, and refused, again
            self.whole, self.last = self.read(item), shared
        return cut(self.whole, item, self.size)


def cut(whole: Micrograph, item: Mapping, size: list[int]) -> Micrograph:
    """Return the block of an item from its parent; its grey range and scale are those of the parent.

    Raises BadItem if none of its pixels is measured.
    """
    axes = [axis for axis in whole.axes if axis in SPACE]
    starts = [int(item[STARTS[axis]]) for axis in axes]
    place = tuple(slice(start, start + n) for start, n in zip(starts, size, strict=True))
    layers = {name: np.ascontiguousarray(layer[(..., *place)]) for name, layer in whole.layers.items()}
    truth = None if whole.truth is None else np.ascontiguousarray(whole.truth[(..., *place)])
    meta = {name: value for name, value in whole.meta.items() if name not in (columns.SCALE_BAR, columns.SCALE_BAR_BOX)}
    if (ignored := layers.get(masked.IGNORE)) is not None:
        if ignored.all():
            raise BadItem("no pixel of the block is measured; exclude less of the image, or make block_px larger")
        meta[columns.IGNORED] = int(np.count_nonzero(ignored))
    if truth is not None and columns.TRUTH_PHASES in meta:
        unlabelled = 255 if truth.dtype == np.uint8 else -1
        meta[columns.TRUTH_PHASES] = int(np.count_nonzero(np.unique(truth) != unlabelled))
    pixels, frames = whole.pixels, (slice(None),) * (whole.pixels.ndim - len(axes))
    pixels = _pixels(pixels, (*frames, *place))
    return replace(whole, pixels=pixels, truth=truth, layers=layers, meta=meta, objects=None, clear=None)


def _pixels(pixels, place: tuple[slice, ...]) -> np.ndarray:
    """Copy a part of an array; one that stays in its file is read in bands."""
    if isinstance(pixels, np.ndarray):
        return np.ascontiguousarray(pixels[place])
    first, last, _ = place[0].indices(pixels.shape[0])
    height = max(1, PART_BYTES // (pixels.dtype.itemsize * int(np.prod(pixels.shape[1:]))))
    bands = [pixels.rows(k, min(k + height, last))[(slice(None), *place[1:])] for k in range(first, last, height)]
    return np.ascontiguousarray(np.concatenate(bands), dtype=pixels.dtype)
