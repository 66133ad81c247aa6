"""PNG, GIF and JPEG files of kinds that programs and telephones write."""

import numpy as np
import pytest
from matlens.ingest import files, readers
from PIL import Image

Y, X = np.mgrid[:48, :60]
GREY = (20 + 3 * X + (Y % 7)).astype(np.uint8)
CLEAR = X < 8


def read(path):
    return files.read({"file": str(path)}, ["a", "b"])


@pytest.mark.parametrize("kind", ["grey.png", "palette.png", "palette.gif", "grey16.png", "colour.png"])
def test_transparent_values_are_not_measured(tmp_path, kind):
    marked = np.where(CLEAR, 255, GREY).astype(np.uint8)
    path, key = tmp_path / kind, 255
    if kind.startswith("palette"):
        image = Image.fromarray(marked).convert("P")
        image.putpalette([level for level in range(256) for _ in range(3)])
    elif kind == "grey16.png":
        image, key = Image.fromarray(np.where(CLEAR, 65535, GREY * np.uint16(200)).astype(np.uint16)), 65535
    elif kind == "colour.png":
        image, key = (
            Image.fromarray(np.stack([marked, marked, np.where(CLEAR, 0, marked).astype(np.uint8)], -1)),
            (255, 255, 0),
        )
    else:
        image = Image.fromarray(marked)
    image.save(path, transparency=key)
    found = read(path)
    assert np.array_equal(found.layers["ignore"] > 0, CLEAR)
    image.save(path)
    assert "ignore" not in read(path).layers, "without a transparent value all is measured"


@pytest.mark.parametrize("second", ["preview", "view"])
def test_further_pictures_of_a_jpeg_are_no_frames(tmp_path, second):
    path, image = tmp_path / "telephone.jpg", Image.fromarray(GREY)
    more = Image.fromarray(GREY[::4, ::4] if second == "preview" else GREY[::-1].copy())
    image.save(path, format="MPO", save_all=True, append_images=[more], quality=100)
    found = readers.read(str(path), max_pixels=1 << 20)
    assert found.axes == "yx" and found.pixels.shape == GREY.shape
    assert np.abs(found.pixels.astype(int) - GREY).max() <= 3
    assert found.meta["other_signals"] == 1 and found.meta["format"] == "jpeg"
    assert read(path).pixels.shape == GREY.shape
