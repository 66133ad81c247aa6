"""Clean images: the same field without noise, kept as a layer beside the pixels, to judge restorations by."""

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, grey, readers
from matlens.job.batch import BadItem

NEAR_PX = 2  # a pair may be shifted so far
FEWEST_PX, MOST_PX = 32, 512  # of the part that is compared
LEAST, DEVIATIONS = 0.1, 3.0  # a correlation above either is one of the same field


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


def check(found: Micrograph) -> None:
    """Raise BadItem if nothing of the clean image is seen in a micrograph: it is that of another field.

    The correlation of the two within NEAR_PX is compared with those of all other shifts, periodic, of the middle.
    """
    if columns.CLEAN not in found.layers:
        return
    parts = [_middle(np.asarray(one)) for one in (found.pixels, found.layers[columns.CLEAN])]
    if min(parts[0].shape) < FEWEST_PX or any(part.std() == 0 for part in parts):
        return
    waves = [np.fft.fft2((part - part.mean()) / part.std()) for part in parts]
    fit = np.abs(np.fft.ifft2(waves[0] * waves[1].conj()).real) / parts[0].size
    steps = np.meshgrid(*(np.abs(np.fft.fftfreq(n, 1 / n)) for n in fit.shape), indexing="ij")
    near = fit[(steps[0] <= NEAR_PX) & (steps[1] <= NEAR_PX)].max()
    if near < LEAST and near < DEVIATIONS * np.sqrt((fit**2).mean()):
        raise BadItem(
            f"nothing of its clean image is seen in it (correlation {near:.2f}); give the clean image of the same field"
        )


def _middle(pixels: np.ndarray) -> np.ndarray:
    """Cut the middle out of an image, or of the middle slice or frame; without its lowest and highest greys."""
    plane = pixels if pixels.ndim == 2 else pixels[len(pixels) // 2]
    cut = tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in ((n, min(n, MOST_PX)) for n in plane.shape))
    part = plane[cut].astype(np.float64)
    return np.clip(part, *np.quantile(part, [0.01, 0.99]))
