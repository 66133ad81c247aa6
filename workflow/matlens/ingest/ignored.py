"""Unmeasured pixels: marks drawn on an image, pixels that the user excludes, NaN pixels.

They are 1 in the layer `ignore`, and unlabelled in the truth: 255 in phases (uint8), -1 in regions (int32).
"""

import numpy as np

from matlens import columns, masked
from matlens.ingest import Micrograph, bars, readers
from matlens.job.batch import BadItem


def note(found: Micrograph, text: str) -> None:
    """Add a remark to the row of an item in the index, and write it to the log with the item."""
    found.meta[columns.REMARK] = "; ".join(filter(None, (found.meta.get(columns.REMARK), text)))


def add(found: Micrograph, mask: np.ndarray) -> None:
    """Mark pixels as not measured. `mask`: bool, of the shape of the pixels or of their last axes."""
    if not mask.any():
        return
    layer = found.layers.get(masked.IGNORE)
    layer = np.zeros(found.pixels.shape, np.uint8) if layer is None else layer
    layer |= np.broadcast_to(mask, layer.shape).view(np.uint8)
    if layer.all():
        raise BadItem("no pixel is left to measure; exclude less of the image")
    found.layers[masked.IGNORE] = layer
    found.meta[columns.IGNORED] = int(np.count_nonzero(layer))


def without_nan(pixels: np.ndarray, clear: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Replace non-finite pixels by the nearest finite ones. Returns the pixels and the mask of replaced ones (or None).

    clear: further pixels to replace (bool), the transparent ones.
    Raises BadItem if no pixel of a plane is finite.
    """
    if pixels.dtype.kind != "f" and clear is None:
        return pixels, None
    lost = ~np.isfinite(pixels) if clear is None else ~np.isfinite(pixels) | clear
    if not lost.any():
        return pixels, None
    planes = lost.reshape(-1, *lost.shape[-2:])
    if (full := planes.all(axis=(1, 2))).any():
        what = "all its pixels" if full.all() else f"all pixels of {int(full.sum())} of its {len(full)} planes"
        kind = "not finite (NaN or infinite)" if clear is None else "transparent or not finite"
        raise BadItem(f"{what} are {kind}; check the export, or remove these planes")
    return masked.filled(pixels, lost), lost


def drawn(found: Micrograph, low: float, high: float) -> None:
    """Mark information bars at the left and right, and a scale bar with its panel or text; `meta` records the place."""
    image = found.pixels if found.pixels.ndim == 2 else found.pixels[0]
    mask = np.zeros(image.shape, bool)
    left, right = bars.find_side_bars(image, low, high)
    if left + right and image.shape[1] - left - right >= bars.LOWEST_PX:
        mask[:, :left] = True
        mask[:, image.shape[1] - right :] = True
        found.meta[columns.BAR_COLUMNS] = left + right
    bar = bars.find_scale_bar(image[:, left : image.shape[1] - right], low, high)
    if bar:
        bar["x"] += left
        found.meta |= {columns.SCALE_BAR: bar["width"]}
        found.meta |= {columns.SCALE_BAR_BOX: "{x},{y},{width},{height}".format(**bar)}
        if bars.is_drawn(image, bar):
            for y0, x0, y1, x1 in bars.around_scale_bar(image, bar, low, high):
                mask[y0:y1, x0:x1] = True
        else:
            note(found, "a possible scale bar was measured as specimen; exclude its box if it is drawn")
    add(found, mask)


def check_rectangles(exclude) -> None:
    """Raise ValueError if an excluded rectangle is empty whatever the image."""
    for box in ([exclude] if np.ndim(exclude[0]) == 0 else exclude) if exclude else ():
        y0, x0, y1, x1 = box
        if not (y0 < y1 and x0 < x1):
            raise ValueError(f"exclude: {list(box)} holds no pixel; give [y0, x0, y1, x1] with y0 < y1 and x0 < x1")


def rectangles(found: Micrograph, exclude, top: int) -> None:
    """Mark excluded rectangles.

    `exclude`: [y0, x0, y1, x1] or a list of these, in pixels of the file, ends not included. `top`: rows cropped at the
    top. Raises BadItem if a rectangle is empty or lies outside the image.
    """
    if not exclude:
        return
    boxes = [exclude] if np.ndim(exclude[0]) == 0 else exclude
    if not isinstance(found.pixels, np.ndarray):
        raise BadItem("an image of this size is read in parts and cannot have excluded pixels; cut it into tiles")
    mask = np.zeros(found.pixels.shape[-2:], bool)
    for box in boxes:
        y0, x0, y1, x1 = (int(value) for value in box)
        if not (0 <= y0 < y1 and 0 <= x0 < x1) or y0 - top >= mask.shape[0] or x0 >= mask.shape[1]:
            size = f"{mask.shape[1]} x {mask.shape[0] + top}"
            raise BadItem(f"exclude {[y0, x0, y1, x1]} lies outside its {size} pixels; give [y0, x0, y1, x1]")
        mask[max(y0 - top, 0) : max(y1 - top, 0), x0:x1] = True
    add(found, mask)


def by_mask(found: Micrograph, file, shape: tuple, top: int, max_pixels: int) -> None:
    """Mark the non-zero pixels of an exclusion mask, which has the size of the image with or without its bars."""
    if not (isinstance(file, str) and file):
        return
    try:
        mask = readers.read_labels(file, max_pixels=max_pixels) != 0
    except BadItem as error:
        raise BadItem(f"its exclusion mask {file}: {error}") from error
    if mask.shape[-2:] == shape[-2:] and shape != found.pixels.shape:
        mask = mask[..., top : top + found.pixels.shape[-2], :]
    if mask.shape not in (found.pixels.shape, found.pixels.shape[-2:]):
        sizes = [" x ".join(map(str, s[::-1])) for s in (mask.shape, shape)]
        raise BadItem(f"its exclusion mask {file} has {sizes[0]} pixels, the image {sizes[1]}; export both in one size")
    add(found, mask)


def hide_truth(found: Micrograph) -> None:
    """Set the truth of unmeasured pixels to unlabelled."""
    if found.truth is not None:
        found.truth = masked.hidden(found.truth, found.layers.get(masked.IGNORE))
