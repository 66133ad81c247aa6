"""Clean images: the same field without noise, kept as a layer beside the pixels, to judge restorations by."""

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, grey, readers
from matlens.job.batch import BadItem


def attach(found: Micrograph, file, shape: tuple, top: int, max_pixels: int) -> None:
    """Read the clean image of a micrograph into its layer `clean`, float32 of the shape of the pixels.

    `shape`: that of the image before its bars were cut off, `top` rows of them at its top; a clean image of that shape
    is cut alike. One image may be that of all frames. Raises BadItem if it is none of the image, or not finite.
    """
    if not (isinstance(file, str) and file):
        return
    if not isinstance(found.pixels, np.ndarray):
        raise BadItem("an image so large is read in parts and cannot have a clean one; cut it into tiles")
    try:
        read = readers.read(file, max_pixels=max_pixels)
    except BadItem as error:
        raise BadItem(f"its clean image {file}: {error}") from error
    pixels = np.asarray(read.pixels)
    if read.meta.get("min_is_white"):
        pixels = grey.turned_over(pixels, found.intensity_low, found.intensity_high)
    if pixels.shape[-2:] == shape[-2:] and shape != found.pixels.shape:
        pixels = pixels[..., top : top + found.pixels.shape[-2], :]
    if pixels.shape not in (found.pixels.shape, found.pixels.shape[-2:]):
        sizes = [" x ".join(map(str, s[::-1])) for s in (pixels.shape, shape)]
        raise BadItem(f"its clean image {file} has {sizes[0]} pixels, the image {sizes[1]}; export both in one size")
    if not np.isfinite(pixels).all():
        raise BadItem(f"its clean image {file} has pixels that are not finite (NaN or infinite); fill them")
    found.layers[columns.CLEAN] = np.broadcast_to(pixels, found.pixels.shape).astype(np.float32)
