"""Micrographs from the user's own files: a file, a folder or a glob, with optional truth masks."""

import os

import numpy as np

from matlens import columns as names
from matlens import masked
from matlens.ingest import (
    Micrograph,
    annotated,
    bars,
    blocks,
    cleaned,
    companions,
    damage,
    grey,
    ignored,
    mask_alignment,
    readers,
    scales,
    truth_objects,
    truths,
)
from matlens.ingest.blocks import WHOLE, Blocks
from matlens.ingest.file_search import digest, found, item_name, printable, skipped
from matlens.ingest.plan_rows import columns_in, from_names, one_of_each, trouble
from matlens.job.batch import BadItem

BAR_ROWS, BAR_TOP = names.BAR_ROWS, names.BAR_TOP_ROWS
NARROWER = {np.dtype(np.int64): np.int32, np.dtype(np.uint64): np.uint32, np.dtype(np.float64): np.float32}
FREE_TYPES = "buif"
ROUNDED = 1e-6  # of a grey value of 64 bits that is kept in 32


def _beside(
    masks: str | None = None, objects: str | None = None, exclude_mask: str | None = None, clean: str | None = None
) -> list:
    """List the files that options name beside the images."""
    places = ((masks, "masks"), (exclude_mask, "exclude_mask"), (clean, "clean"))
    return [file for place, option in places if place for file in found(place, option)[1]] + annotated.files(objects)


def listing(
    *, path: str, masks: str | None = None, objects: str | None = None, exclude_mask: str | None = None,
    clean: str | None = None,
) -> str:  # fmt: skip
    """Digest the files, masks, objects and clean images of a study. Raises ValueError if there are none."""
    return digest([*found(path)[1], *_beside(masks, objects, exclude_mask, clean)])


def _images(path: str, *places: str | None) -> tuple[dict, list]:
    """Find the images of a path, and name their items; returns also its files that `_beside` lists."""
    root, paths = found(path)
    images, beside = companions.separate(paths, _beside(*places))
    return {file: item_name(file, root) for file in images}, beside


def _report_others(path: str, paths: list, beside: list) -> None:
    """Print which files of a path are no items."""
    if beside:
        first = printable(beside[0].name)
        print(f"{len(beside)} files of '{path}' are masks, objects or clean images of others, the first is '{first}'")
    if left := skipped(path, [*paths, *beside]):
        print(left)


def check(
    phases: list[str],
    *,
    path: str = "",
    masks: str | None = None,
    objects: str | None = None,
    object_classes: dict | None = None,
    group: str | None = None,
    columns: str | None = None,
    truth_values: dict | None = None,
    masks_are: str | None = None,
    exclude: list | None = None,
    exclude_mask: str | None = None,
    clean: str | None = None,
    block_px: list[int] | None = None,
    most_blocks: int | None = None,
    min_side_px: int = 8,
) -> None:
    """Raise ValueError if options contradict each other, a pattern or all masks fit no file name, or a box is empty."""
    ignored.check_rectangles(exclude)
    blocks.check(block_px, most_blocks, min_side_px, objects)
    if masks_are == "regions" and truth_values:
        raise ValueError("truth_values is for masks of phases, and masks_are is regions; leave one of them out")
    truths.values_of(phases, truth_values)
    if path and truth_values and not masks:
        raise ValueError("truth_values is for the option masks; add it, or leave the values out")
    if objects and path:
        if masks:
            raise ValueError("masks and objects are two truths of the same images; leave one of them out")
        annotated.check_classes(objects, phases, object_classes)
    elif object_classes and path:
        raise ValueError("object_classes is for the option objects; add it, or leave the classes out")
    if not (path and (group or columns or masks or exclude_mask or clean)):
        return
    named, _ = _images(path, masks, objects, exclude_mask, clean)
    if group or columns:
        from_names(list(named), group, columns)
    companions.matched(named, masks)
    companions.shared(named, exclude_mask, "exclude_mask")
    pairs = companions.shared(named, clean, "clean") if clean else {}
    if pairs and all(file is None or file == str(image) for image, (file, _) in pairs.items()):
        raise ValueError(f"clean '{clean}' names the images themselves; give those of the same fields without noise")


def columns_of(*, group: str | None = None, columns: str | None = None, block_px: list[int] | None = None) -> list[str]:
    """List the index columns that are read from file names; see `plan`."""
    return [*([names.GROUP] if group or block_px else []), *columns_in(columns)]


def plan(
    *,
    path: str,
    masks: str | None = None,
    objects: str | None = None,
    exclude_mask: str | None = None,
    clean: str | None = None,
    group: str | None = None,
    columns: str | None = None,
    parts: Blocks = WHOLE,
):
    """List the files as items, or the blocks that they are cut into.

    `path`: file, folder or glob (`**` for folders at any depth), see `found`. `masks`: file, folder or glob of truth
    masks, matched to images by name without extension; an image without a mask has no truth. `objects`: file,
    folder or glob of annotated objects, see `annotations`. `exclude_mask`: masks of unmeasured pixels (not 0), `clean`:
    images without noise, by which restorations are judged; a single file applies to every image. `group`: regular
    expression on the file name; its first group is the specimen. `columns`: regular expression whose named groups
    become columns. `parts`: see `blocks.Blocks`. Returns a DataFrame with item, file, truth_file, those columns, and
    `reason` where an item cannot be used. Raises ValueError if nothing matches.
    """
    import pandas as pd

    images, beside = _images(path, masks, objects, exclude_mask, clean)
    paths = list(images)
    pairs = companions.matched(images, masks)
    drawn, absent = annotated.matched(images, objects)
    outside = companions.shared(images, exclude_mask, "exclude_mask")
    noiseless = companions.shared(images, clean, "clean")
    if clean and (lacking := [images[p] for p in paths if noiseless[p] == (None, None)]):
        print(f"{len(lacking)} of {len(paths)} images have no clean image of their name, the first is '{lacking[0]}'")
    extra = from_names(paths, group, columns)
    rows = [
        {
            names.ITEM: images[p],
            names.FILE: printable(str(p)),
            names.TRUTH_FILE: pairs[p][0],
            **({names.OBJECTS_FILE: drawn[p][0]} if objects else {}),
            **({names.EXCLUDE_FILE: outside[p][0]} if exclude_mask else {}),
            **({names.CLEAN_FILE: noiseless[p][0]} if clean else {}),
            names.REASON: pairs[p][1] or drawn[p][1] or outside[p][1] or noiseless[p][1] or trouble(p),
        }
        for p in paths
    ]
    for column, values in extra.items():
        for row, value in zip(rows, values, strict=True):
            row[column] = value
    if group is not None:
        for row in rows:
            if row[names.GROUP] is None:
                row[names.REASON] = (
                    row[names.REASON] or f"its name does not fit group '{group}'; rename it or widen the pattern"
                )
    _report_others(path, paths, beside)
    lost = [{names.ITEM: name, names.FILE: "", names.REASON: reason} for name, reason in absent]
    frame = pd.DataFrame([*one_of_each(rows), *lost])
    frame = frame if frame[names.REASON].notna().any() else frame.drop(columns=names.REASON)
    return blocks.divided(frame, parts, read)


def read(
    item: dict, phases: list[str], *, truth_values: dict | None = None, object_classes: dict | None = None,
    truth_shift_px: int = 0, truth_margin_px: int = 0, masks_are: str | None = None, exclude: list | None = None,
    crop_bars: bool = True, colour: bool = False, pixel_size_um: float | None = None,
    spacing_um: list[float] | None = None, stack: str | None = None, min_side_px: int = 8, max_side_px: int = 20000,
    max_pixels: int = 2**28,
) -> Micrograph:  # fmt: skip
    """Read one file: check it, crop information bars, mark unmeasured pixels, attach the truth.

    `item`: row of the plan with file and, optionally, truth_file, objects_file, exclude_file, clean_file and
    pixel_size_um. `truth_values`: mask values of each phase, see `truths.to_phases`. `object_classes`: classes of
    objects of each phase, see `annotated.phases_of`. `truth_shift_px`, `truth_margin_px`: largest
    shift that aligns a mask with its image, and width of its unlabelled border, see `mask_alignment.align`.
    `masks_are`: "phases", or "regions" for label images of objects; None: phases of masks, regions of objects.
    `exclude`: rectangles, see `ignored.rectangles`. `crop_bars`: crop information bars at the top and bottom, and mark
    bars at the left and right and the scale bar as unmeasured. `colour`: keep the colour of a flat image as layer
    `colour`, (3, y, x), for networks trained on colour. `pixel_size_um`, `spacing_um` ((z, y, x) or (y, x)): override
    item and file, see `scales.settle`. `stack`: "t" or "z", kind of the pages (None: as in the file; unnamed pages are
    frames). Raises BadItem if the file cannot be used. Images larger than memory (see `lazy_arrays`) stay in their
    files if possible; no bar is detected in them.
    """
    found_ = _opened(item[names.FILE], stack, max_pixels)
    low, high, lost = _check_pixels(found_, min_side_px, max_side_px)
    scales.settle(found_, item, pixel_size_um, spacing_um)
    shape = found_.pixels.shape
    top = _mark_unmeasured(found_, low, high, lost, crop_bars)
    scales.by_bar(found_)
    ignored.rectangles(found_, exclude, top)
    ignored.by_mask(found_, item.get(names.EXCLUDE_FILE), shape, top, max_pixels)
    _set_range(found_, item)
    cleaned.attach(found_, item.get(names.CLEAN_FILE), shape, top, max_pixels)
    cleaned.check(found_)
    if colour:
        _keep_colour(found_, item[names.FILE], max_pixels)
    mask, drawn = item.get(names.TRUTH_FILE), item.get(names.OBJECTS_FILE)
    if isinstance(drawn, str) and drawn:
        kind = masks_are or "regions"
        truth_objects.attach(found_, drawn, item[names.FILE], shape, top, phases, object_classes, kind)
    elif isinstance(mask, str) and mask:
        truths.attach(found_, mask, shape, top, phases, truth_values, max_pixels, masks_are or "phases")
    if found_.truth is not None:
        mask_alignment.align(found_, truth_shift_px, truth_margin_px)
        ignored.hide_truth(found_)
    return found_


def _opened(file: str, stack: str | None, max_pixels: int) -> Micrograph:
    """Read a file, and name the axis of its pages. Raises BadItem if a short file announces a huge array."""
    try:
        found_ = readers.read(file, max_pixels=max_pixels)
    except MemoryError as error:
        size = os.path.getsize(file)
        if size > max_pixels:
            raise
        reason = f"its header, in {size} bytes, asks for more memory than is available; copy the file again"
        raise BadItem(reason) from error
    if stack and found_.pixels.ndim == 3:
        found_.axes = stack + "yx"
    if not found_.axes.startswith("t"):
        found_.meta.pop(names.FRAME_S, None)
    if stack == "t" and found_.axes == "yx" and found_.meta.get("other_signals"):
        raise BadItem("its pages differ in size or type and are no frames of one video; export frames of one size")
    return found_


def _mark_unmeasured(found_: Micrograph, low: float, high: float, lost: np.ndarray | None, crop_bars: bool) -> int:
    """Crop bars, mark NaN pixels and drawn marks, report damage. Returns the number of rows cropped at the top."""
    plain = not found_.layers and isinstance(found_.pixels, np.ndarray)
    if crop_bars and plain:
        _crop(found_, low, high)
    else:
        found_.meta.pop(BAR_ROWS, None)
    top = int(found_.meta.get(BAR_TOP, 0))
    if lost is not None:
        ignored.add(found_, lost[..., top : top + found_.pixels.shape[-2], :])
    if crop_bars and plain:
        ignored.drawn(found_, low, high)
    if plain:
        damage.tail(found_)
    return top


def _check_pixels(found_: Micrograph, min_side_px: int, max_side_px: int) -> tuple[float, float, np.ndarray | None]:
    """Check type, shape and values. Returns the smallest and largest pixel, and the mask of NaN pixels (or None)."""
    found_.pixels = pixels = _plain(found_.pixels)
    height, width = pixels.shape[-2:]
    if pixels.ndim == 3 and width <= 4 < min_side_px:
        raise BadItem(
            f"its shape {pixels.shape} looks like {height} rows of colours, not {pixels.shape[0]} slices; save it as a "
            "colour image (8-bit PNG or TIFF), or as one grey plane"
        )
    if min(height, width) < min_side_px:
        raise BadItem(f"it has {width} x {height} pixels; the shortest side allowed is {min_side_px} (min_side_px)")
    if max(height, width) > max_side_px:
        raise BadItem(
            f"it has {width} x {height} pixels, the longest side allowed is {max_side_px}; tile it or raise max_side_px"
        )
    lost = None
    if isinstance(pixels, np.ndarray):
        found_.pixels, lost = ignored.without_nan(pixels, found_.clear)
        pixels = found_.pixels
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise BadItem("some of its pixels are not finite (NaN or infinite); cut it into tiles, or fill them")
    if low == high and not found_.layers:
        raise BadItem(f"all its pixels are {low:g}: an empty image; check the export")
    return low, high, lost


def _plain(pixels: np.ndarray) -> np.ndarray:
    """Convert pixels to a type of at most 32 bits; bool becomes 0 and 255. Raises BadItem if the values do not fit."""
    if pixels.dtype.kind not in FREE_TYPES:
        raise BadItem(f"its pixels are {pixels.dtype}; save it as 32-bit float or 16-bit integer")
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * np.uint8(255)
    kind = NARROWER.get(pixels.dtype)
    if kind is None or not pixels.size:
        return pixels
    limits = np.iinfo(kind) if pixels.dtype.kind in "iu" else np.finfo(kind)
    finite = pixels if pixels.dtype.kind in "iu" else pixels[np.isfinite(pixels)]
    if finite.size and not (limits.min <= finite.min() and finite.max() <= limits.max):
        raise BadItem(f"its pixels are {pixels.dtype} beyond {np.dtype(kind)}; save it as 32-bit float")
    return pixels.astype(kind)


def _set_range(found_: Micrograph, item: dict) -> None:
    """Set the black and white levels, invert MinIsWhite images, and note doubtful ranges."""
    bits, over = found_.meta.pop("significant_bits", None), found_.meta.pop("min_is_white", False)
    if (found_.intensity_low, found_.intensity_high) != (0.0, 1.0):
        return
    shared = tuple(item.get(name) for name in (names.GREY_LOW, names.GREY_HIGH))
    shared = None if any(value is None or not np.isfinite(value) for value in shared) else shared
    low, high = grey.intensity_range(found_.pixels, bits, shared)
    if over:
        found_.pixels = grey.turned_over(found_.pixels, low, high)
    found_.intensity_low, found_.intensity_high = low, high
    notes = [item[names.GREY_NOTE]] if isinstance(item.get(names.GREY_NOTE), str) and (low, high) == shared else []
    if note := grey.doubt(found_.pixels, low, high):
        notes.append(note)
    elif shared and found_.pixels.dtype != np.uint8 and not bits and not np.allclose((low, high), shared, ROUNDED, 0):
        notes.append(
            f"its grey values exceed the range of its series, {shared[0]:.4g} to {shared[1]:.4g}; "
            f"its own range, {low:.4g} to {high:.4g}, is used"
        )
    if isinstance(found_.pixels, np.ndarray) and (
        note := grey.clipped(found_.pixels, low, high, found_.layers.get(masked.IGNORE))
    ):
        notes.append(note)
    found_.meta[names.GREY_NOTE] = "; ".join(notes) or None


def _keep_colour(found_: Micrograph, file: str, max_pixels: int) -> None:
    """Add the colours of a flat image as a layer, cropped like its pixels."""
    colours = readers.read_colour(file, max_pixels=max_pixels)
    if colours is not None and found_.axes == "yx":
        top = int(found_.meta.get(BAR_TOP, 0))
        found_.layers[names.COLOUR] = colours[:, top : top + len(found_.pixels)]


def _crop(found_: Micrograph, low: float, high: float) -> None:
    """Crop information bars at the top and bottom; `meta` records the number of rows."""
    pixels, stated = found_.pixels, int(found_.meta.pop(BAR_ROWS, None) or 0)
    first = pixels if pixels.ndim == 2 else pixels[0]
    top, bottom = bars.find_info_bar(first, low, high)
    bottom = stated or bottom  # the instrument's own number is exact
    if top + bottom and first.shape[0] - top - bottom >= bars.LOWEST_PX:
        found_.pixels = np.ascontiguousarray(pixels[..., top : first.shape[0] - bottom, :])
        found_.meta |= {BAR_ROWS: top + bottom, **({BAR_TOP: top} if top else {})}
        if (grey_ := found_.pixels.min()) == found_.pixels.max():
            raise BadItem(f"all its pixels above the information bar are {grey_:g}: an empty image; check the export")
