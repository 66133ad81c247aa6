"""PNG, JPEG, BMP and GIF, through pillow."""

import os

import numpy as np

from matlens.image.orientation import oriented
from matlens.ingest import Micrograph, grey
from matlens.ingest.readers import vendors
from matlens.ingest.readers.common import check_size, check_swelling, from_dpi, turned, words
from matlens.job.batch import BadItem

ORIENTATION = 274
FORMATS = ("PNG", "JPEG", "BMP", "GIF")
PICTURES = "MPO"  # pillow's name of a JPEG file with further pictures behind the first: previews, or other views
NATIVE = ("L", "I;16", "I;16B", "I", "F")


def _open(path: str, max_pixels: int):
    """Open an image without decoding it, and check its size."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # `max_pixels` is the limit here, and it is checked before decoding
    image = Image.open(path, formats=FORMATS)
    frames = _count(image)
    check_size((frames, image.height, image.width), max_pixels)
    check_swelling(frames * image.height * image.width, os.path.getsize(path))
    return image


def _count(image) -> int:
    """Count the frames of an image; further pictures of a JPEG file are no frames."""
    return 1 if image.format == PICTURES else getattr(image, "n_frames", 1)


def _flag(image) -> int:
    """Read the orientation flag of an image; 1 where it has none."""
    return image.getexif().get(ORIENTATION, 1)


def _png16(path: str):
    """Decode a PNG with 16 bits per channel and several channels, which pillow would cut to 8 bits; None for others."""
    with open(path, "rb") as handle:
        head = handle.read(26)
        if head[1:4] != b"PNG" or head[24] != 16 or head[25] not in (2, 4, 6):
            return None
        import imagecodecs

        return imagecodecs.png_decode(head + handle.read())


def _grey(image) -> np.ndarray:
    """Make one decoded frame grey."""
    if image.mode in NATIVE:
        array = np.array(image)
        return array.astype(array.dtype.newbyteorder("=")) if array.dtype.byteorder == ">" else array
    if image.mode == "1":
        return np.array(image, np.uint8) * np.uint8(255)
    if image.mode in ("LA", "La"):
        return np.array(image.getchannel(0))
    return grey.one_channel(np.array(image.convert("RGB")))


def _frames(image, turn) -> np.ndarray:
    """Decode one frame as (y, x), several as (t, y, x)."""
    count = _count(image)
    if count == 1:
        return turn(image)
    frames = []
    for number in range(count):
        image.seek(number)
        frames.append(turn(image))
    if len({frame.dtype for frame in frames}) > 1:
        frames = [f.astype(np.float32) / (255 if f.dtype == np.uint8 else 1) for f in frames]
    return np.stack(frames)


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read an image as it is shown (EXIF orientation), or an animation as frames; colour becomes luminance.

    The pixel size is that of the text file that a microscope wrote beside the picture, see `vendors.beside`; else the
    resolution, under the rule of `common.from_dpi`.
    """
    with _open(path, max_pixels) as image:
        size, source = vendors.beside(path, image.width, image.height)
        if size is None:
            size, printed = from_dpi(*image.info.get("dpi", (0, 0))[:2], "resolution")
            source = {**source, **printed}
        name, source = image.format.lower(), dict(source)
        if image.format == PICTURES:
            name, source["other_signals"] = "jpeg", image.n_frames - 1
        wide, flag = _png16(path), _flag(image)
        pixels = oriented(grey.one_channel(wide) if wide is not None else _frames(image, _grey), flag)
        if flag != 1:
            source.pop("bar_rows_px", None)
        size, clear = turned(size, flag), _clear(image, wide)
    axes = "yx" if pixels.ndim == 2 else "tyx"
    clear = oriented(clear, flag) if clear is not None and pixels.ndim == 2 else None
    return Micrograph(pixels, axes, spacing_um=size, meta=words(format=name) | source, clear=clear)


def _clear(image, wide: np.ndarray | None) -> np.ndarray | None:
    """Return where an image with transparency is clear: by its channel, its palette, or a grey value or colour."""
    if wide is not None:
        return grey.transparent(wide[..., -1]) if wide.shape[-1] in (2, 4) else None
    key = image.info.get("transparency")
    if "A" not in image.getbands() and (key is None or _count(image) > 1):
        return None
    if image.mode.startswith("I"):
        return grey.transparent(np.where(np.array(image) == key, 0, 255))
    return grey.transparent(np.array(image.convert("RGBA").getchannel("A")))


def read_colour(path: str, *, max_pixels: int) -> np.ndarray | None:
    """Read the red, green and blue of a flat image of 8 or 16 bits a channel; None of frames and of grey."""
    with _open(path, max_pixels) as image:
        if _count(image) > 1 or image.mode in (*NATIVE, "1", "LA", "La"):
            return None
        wide = _png16(path)
        colour = np.array(image.convert("RGB")) if wide is None else wide
        return grey.three_channels(oriented(colour, _flag(image), 0))


def _labels(image) -> np.ndarray:
    """Take the numbers of one frame: palette indices, grey values, packed colours, or transparency of one colour."""
    if image.mode in (*NATIVE, "P"):
        return np.array(image)
    if image.mode == "1":
        return np.array(image, np.uint8)
    if image.mode in ("LA", "La", "PA"):
        return _drawn(np.array(image.getchannel(0)), image)
    return _drawn(pack(np.array(image.convert("RGB"))), image)


def _drawn(labels: np.ndarray, image) -> np.ndarray:
    """Return the labels, or where all are alike the transparency of an image, 0 to 255: what was drawn is opaque."""
    if "A" not in image.getbands() or labels.min() != labels.max():
        return labels
    alpha = np.array(image.getchannel("A"))
    return alpha if alpha.min() != alpha.max() else labels


def pack(colour: np.ndarray) -> np.ndarray:
    """Turn 8-bit colour labels (..., 3 or 4) into one number: the grey value, or 65536 R + 256 G + B."""
    if colour.dtype != np.uint8:
        raise BadItem("the mask is colour with more than 8 bits; save it as one channel of phase numbers")
    red, green, blue = (colour[..., k] for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return np.ascontiguousarray(red)
    return red.astype(np.int32) * 65536 + green.astype(np.int32) * 256 + blue


def read_labels(path: str, *, max_pixels: int) -> np.ndarray:
    """Read the labels of an image."""
    with _open(path, max_pixels) as image:
        return oriented(_frames(image, _labels), _flag(image))
