"""Make files of the catalogue from fetched ones of another form, and compare images by their pixels.

The bytes of a PNG depend on the program that wrote it, its pixels do not: the catalogue has a checksum of these.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

Array = "numpy.ndarray"  # numpy is imported where it is used: the catalogue is read by every plan


def grey(pixels: Array) -> Array:
    """Return the one channel of an image whose red, green and blue are equal. Raises ValueError if they are not."""
    if pixels.ndim != 3 or not (pixels[..., :1] == pixels[..., :3]).all():
        raise ValueError("its red, green and blue differ, so that it is no grey image")
    return pixels[..., 0]


def blue_1_red_2(pixels: Array) -> Array:
    """Return 1 where an image (y, x, channel) is pure blue of full strength, 2 where it is such red, 0 elsewhere."""
    import numpy as np

    if pixels.ndim != 3 or pixels.shape[2] < 3:
        raise ValueError("it has no colours")
    red, green, blue = (pixels[..., channel] for channel in range(3))
    full = np.iinfo(pixels.dtype).max
    pure = green == 0
    return np.where(pure & (red == 0) & (blue == full), 1, np.where(pure & (red == full) & (blue == 0), 2, 0)).astype(
        "u1"
    )


def above_127(pixels: Array) -> Array:
    """Return 255 where an image of one channel is above 127, 0 elsewhere."""
    import numpy as np

    return np.where(pixels > 127, 255, 0).astype("u1")


def same(pixels: Array) -> Array:
    """Return the pixels as they are."""
    return pixels


RECIPES: dict[str, Callable] = {"grey": grey, "blue_1_red_2": blue_1_red_2, "above_127": above_127, "same": same}


def decoded(path: Path) -> Array:
    """Return the pixels of a PNG or TIFF file. Raises OSError if it cannot be decoded."""
    import numpy as np
    import tifffile
    from PIL import Image

    try:
        with open(path, "rb") as file:
            tiff = file.read(2) in (b"II", b"MM")
        if tiff:
            with tifffile.TiffFile(path) as pages:
                return pages.pages[0].asarray()
        with Image.open(path) as image:
            return np.asarray(image)
    except (ValueError, SyntaxError, Image.DecompressionBombError, tifffile.TiffFileError) as error:
        raise OSError(f"{path} cannot be decoded: {error}") from error


def digest(pixels: Array) -> str:
    """Return the SHA-256 of pixels in C order, without their shape and type."""
    import numpy as np

    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def has_pixels(path: Path, pixels: str) -> bool:
    """Check whether an image file has the pixels of a checksum; False if it cannot be decoded."""
    try:
        return digest(decoded(path)) == pixels
    except OSError:
        return False


def convert(fetched: Path, path: Path, recipe: str, pixels: str) -> None:
    """Write a fetched image to `path`, a PNG, by a recipe, if the checksum of its pixels is `pixels`.

    Raises OSError if it is not; nothing is written then.
    """
    from PIL import Image

    from matlens.store import io

    try:
        made = RECIPES[recipe](decoded(fetched))
    except ValueError as error:
        raise OSError(f"{fetched} is not the file of the catalogue: {error}") from error
    if digest(made) != pixels:
        raise OSError(f"{fetched}, converted ({recipe}), has other pixels than the file of the catalogue")
    with io.atomic(path) as temporary:
        Image.fromarray(made).save(temporary, format="PNG", optimize=False)
    os.unlink(fetched)
