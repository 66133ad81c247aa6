"""Masks whose numbers mislead: pictures of one bit, drawings on transparent ground, smoothed numbers of objects."""

import numpy as np
import pytest
import tifffile
from matlens.ingest import files
from matlens.job.batch import BadItem
from PIL import Image
from scipy import ndimage

PHASES = ["matrix", "pore"]


def discs(shape=(120, 160), count=9):
    """Number separate discs from 1."""
    y, x = np.indices(shape)
    found = np.zeros(shape, np.uint8)
    for number in range(count):
        at = 20 + 40 * (number // 4), 20 + 38 * (number % 4)
        found[(y - at[0]) ** 2 + (x - at[1]) ** 2 < 120] = number + 1
    return found


def read(tmp_path, mask, **options):
    image = np.random.default_rng(0).integers(60, 200, (120, 160)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "i.tif", image)
    return files.read({"file": str(tmp_path / "i.tif"), "truth_file": str(mask)}, PHASES, **options)


@pytest.mark.parametrize("values", [{"matrix": [0], "pore": [255]}, {"matrix": "other", "pore": [255]}])
def test_a_picture_of_one_bit_has_the_values_that_it_shows(tmp_path, values):
    right = discs() > 0
    Image.fromarray(right).save(tmp_path / "m.png")  # numbers 0 and 1, shown as black and white
    found = read(tmp_path, tmp_path / "m.png", truth_values=values)
    assert np.array_equal(found.truth == 1, right) and "picture of one bit" in found.meta["remark"]
    Image.fromarray(np.uint8(right)).save(tmp_path / "m.png")
    own = read(tmp_path, tmp_path / "m.png", truth_values={"matrix": [0], "pore": [1]})
    assert np.array_equal(own.truth == 1, right) and not own.meta.get("remark")


@pytest.mark.parametrize("colour", [(0,), (255, 0, 0)])
def test_what_is_drawn_on_transparent_ground_is_the_mask(tmp_path, colour):
    right = discs() > 0
    layers = [np.full(right.shape, value, np.uint8) for value in colour] + [np.uint8(right) * 255]
    Image.fromarray(np.dstack(layers)).save(tmp_path / "m.png")
    found = read(tmp_path, tmp_path / "m.png", truth_values={"matrix": [0], "pore": [255]})
    assert np.array_equal(found.truth == 1, right)
    opaque = np.dstack([np.zeros_like(right, np.uint8), np.full(right.shape, 255, np.uint8)])
    Image.fromarray(opaque).save(tmp_path / "m.png")  # a mask without pores that has transparency, too
    assert not read(tmp_path, tmp_path / "m.png", truth_values={"matrix": [0], "pore": [255]}).truth.any()


def test_numbers_of_objects_that_were_smoothed_or_are_phases_are_remarked(tmp_path):
    objects = discs()

    def remark(mask):
        tifffile.imwrite(tmp_path / "m.tif", mask)
        return read(tmp_path, tmp_path / "m.tif", masks_are="regions").meta.get("remark") or ""

    assert remark(objects) == remark(objects.astype(np.uint16) * 300) == remark(np.zeros_like(objects)) == ""
    assert "the 1 numbers of its mask lie in 9 separate pieces" in remark(np.uint8(objects > 0))
    smooth = ndimage.gaussian_filter(np.float32(objects > 0) * 255, 1.0).astype(np.uint8)
    assert "whose edges were smoothed" in remark(smooth)
    Image.fromarray(objects * 20).save(tmp_path / "m.jpg")
    with pytest.raises(BadItem, match="a JPEG smears the numbers of objects"):
        read(tmp_path, tmp_path / "m.jpg", masks_are="regions")


def test_numbers_of_objects_read_as_phases_are_answered_by_the_setting(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", discs(count=12))
    with pytest.raises(BadItem, match="if they are numbers of objects, set masks_are: regions"):
        read(tmp_path, tmp_path / "m.tif")
