"""Clean images: the same field without noise, kept as a layer beside the pixels, to judge restorations by."""

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, grey, ignored, readers
from matlens.job.batch import BadItem

NEAR_PX = 2  # a pair may be shifted so far, which is remarked
FEWEST_PX, MOST_PX = 32, 512  # of the part that is compared
LEAST, DEVIATIONS = 0.1, 3.0  # a correlation above either is one of the same field
AWAY_PX, AS_FAR = 6, 0.8  # and no shift beyond so many pixels has one more than 1 / AS_FAR times as large
CLEAR = 0.3  # a correlation above this at another shift is told
OTHER_UNIT = 2.0  # a pair whose greys differ by more than this factor gets a remark
LONG = 4  # waves across a part that blur leaves


def attach(found: Micrograph, file, shape: tuple, top: int, max_pixels: int) -> None:
    """Read the clean image of a micrograph into its layer `clean`, float32 of the shape of the pixels.

    `shape`: that of the image before its bars were cut off, `top` rows of them at its top; a clean image of that shape
    is cut alike. One image may be that of all frames. Without a `file`, the clean image that the file of the micrograph
    holds is checked alike. Raises BadItem if it is none of the image, or not finite.
    """
    own = found.layers.get(columns.CLEAN)
    if not (isinstance(file, str) and file):
        if own is not None:
            found.layers[columns.CLEAN] = _fitted(found, own, "its clean image", shape, top)
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
    found.layers[columns.CLEAN] = _fitted(found, pixels, f"its clean image {file}", shape, top)


def _fitted(found: Micrograph, pixels: np.ndarray, name: str, shape: tuple, top: int) -> np.ndarray:
    """Return a clean image, called `name`, as float32 of the shape and unit of its micrograph; see `attach`."""
    if pixels.shape[-2:] == shape[-2:] and shape != found.pixels.shape:
        pixels = pixels[..., top : top + found.pixels.shape[-2], :]
    if pixels.shape not in (found.pixels.shape, found.pixels.shape[-2:]):
        sizes = [" x ".join(map(str, s[::-1])) for s in (pixels.shape, shape)]
        raise BadItem(f"{name} has {sizes[0]} pixels, the image {sizes[1]}; export both in one size")
    if not np.isfinite(pixels).all():
        raise BadItem(f"{name} has pixels that are not finite (NaN or infinite); fill them")
    if pixels.min() == pixels.max():
        raise BadItem(f"{name} has one grey value, {pixels.flat[0]:g}, everywhere; check the export")
    if found.pixels.shape == pixels.shape and np.array_equal(found.pixels, pixels):
        raise BadItem(f"{name} is the image itself; give that of the same field without noise")
    clean = pixels.astype(np.float32) * _unit(found.pixels, pixels)
    return np.broadcast_to(clean, found.pixels.shape).astype(np.float32)


def _unit(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the factor from the greys of a clean image to those of the image: 1, unless one of them is from 0 to 1.

    Colour and masks are read as numbers from 0 to 1, 8-bit grey as 0 to 255.
    """
    white = [1.0 if one.dtype.kind in "bf" and one.min() >= 0 and one.max() <= 1 else 255.0 if one.dtype == np.uint8
             else None for one in (image, clean)]  # fmt: skip
    return white[0] / white[1] if all(white) else 1.0


def check(found: Micrograph) -> None:
    """Compare a clean image with its micrograph, and note where their greys differ.

    The correlation of the two within NEAR_PX is compared with those of all other shifts, periodic, of the middle.
    Raises BadItem if nothing of the clean image is seen in the micrograph, as of another field, or if it is inverted.
    """
    if columns.CLEAN not in found.layers:
        return
    parts = [_middle(one) for one in (found.pixels, found.layers[columns.CLEAN])]
    if min(parts[0].shape) < FEWEST_PX or any(part.std() == 0 for part in parts):
        return
    waves = [np.fft.fft2((part - part.mean()) / part.std()) for part in parts]
    fit = np.fft.ifft2(waves[0] * waves[1].conj()).real / parts[0].size
    steps = np.meshgrid(*(np.abs(np.fft.fftfreq(n, 1 / n)) for n in fit.shape), indexing="ij")
    here = fit[(steps[0] <= NEAR_PX) & (steps[1] <= NEAR_PX)]
    far = np.where((steps[0] > AWAY_PX) | (steps[1] > AWAY_PX), np.abs(fit), 0.0)
    weak = here.max() < LEAST and here.max() < DEVIATIONS * np.sqrt((fit**2).mean())
    if -here.min() > max(here.max(), far.max(), LEAST):
        raise BadItem(
            f"its clean image is inverted (correlation {here.min():.2f}): bright where the image is dark; invert one"
        )
    moved = here.max() < AS_FAR * far.max()
    if moved and far.max() > CLEAR:
        raise BadItem(
            f"its clean image fits better shifted by {_shift(far)} pixels (correlation {far.max():.2f}) than where it "
            f"is ({here.max():.2f}); align the two, or give the clean image of the same field"
        )
    if weak or moved:
        none = f"nothing of its clean image is seen in it (correlation {here.max():.2f})"
        raise BadItem(f"{none}; give the clean image of the same field")
    near = np.where((steps[0] <= AWAY_PX) & (steps[1] <= AWAY_PX), fit, 0.0)
    if near.max() - fit[0, 0] > DEVIATIONS / np.sqrt(fit.size):  # more than noise makes of no shift
        text = f"its clean image fits best shifted by {_shift(near)} pixels (correlation {near.max():.2f}, where it is "
        text += f"{fit[0, 0]:.2f}): psnr_db, psnr_affine_db and ssim judge the shift, too; align the two"
        ignored.note(found, text)
    slopes = _slopes(found, parts, fit[far == 0].max())
    if max(slopes) < 1 / OTHER_UNIT or min(slopes) > OTHER_UNIT:
        least = min(slopes, key=lambda one: abs(np.log(max(one, np.finfo(float).tiny))))
        text = f"its greys are {least:.3g} times those of its clean image: psnr_db, ssim and bias compare two units, "
        ignored.note(found, f"{text}psnr_affine_db does not")


def _slopes(found: Micrograph, parts: list, fit: float) -> list[float]:
    """Return estimates of the factor from the greys of the clean image to those of the image, whatever its noise.

    Without the lowest and highest greys, since a few pixels may be broken; with them, since they may be all that is
    seen; and by the longest waves, since blur takes the others. Another unit changes them all.
    """
    slopes = [fit * parts[0].std() / parts[1].std()]
    planes = [_plane(one) for one in (found.pixels, found.layers[columns.CLEAN])]
    waves = [np.fft.fft2(plane - plane.mean()) for plane in planes]
    long_ = np.ix_(*(np.abs(np.fft.fftfreq(n, 1 / n)) <= LONG for n in waves[0].shape))
    for image, clean in (waves, [one[long_] for one in waves]):
        size = (np.abs(clean) ** 2).sum()
        slopes += [float((image * clean.conj()).real.sum() / size)] if size > 0 else []
    return slopes


def _shift(fit: np.ndarray) -> str:
    """Return the shift of the largest value of a periodic correlation, in pixels, as text: "(y, x)"."""
    place = np.unravel_index(int(fit.argmax()), fit.shape)
    return str(tuple(int(at - n if at > n // 2 else at) for at, n in zip(place, fit.shape, strict=True)))


def _plane(pixels) -> np.ndarray:
    """Cut the middle out of an image, or of the middle slice or frame; values that are none are filled."""
    pixels = np.asarray(pixels)
    plane = pixels if pixels.ndim == 2 else pixels[len(pixels) // 2]
    cut = tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in ((n, min(n, MOST_PX)) for n in plane.shape))
    part = plane[cut].astype(np.float64)
    return np.where(np.isfinite(part), part, np.median(part[np.isfinite(part)]) if np.isfinite(part).any() else 0.0)


def _middle(pixels) -> np.ndarray:
    """Cut the middle out of an image without its lowest and highest greys."""
    part = _plane(pixels)
    return np.clip(part, *np.quantile(part, [0.01, 0.99]))
