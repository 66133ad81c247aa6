"""Super-resolution: averages are kept, a smooth image is recovered, and the stage divides the size of pixels."""

import numpy as np
import pytest
from matlens import registry, restore
from matlens.job.batch import BadItem
from matlens.restore import finer, quality, shard, trained
from matlens.store import io
from scipy import ndimage

QUICK = {"width": 8, "depth": 1, "patch_px": 32, "batch": 8, "device": "cpu", "epochs": 2, "patches": 160, "scale": 2}


def scene(seed, size=64):
    rng = np.random.default_rng(seed)
    made = ndimage.gaussian_filter(rng.normal(size=(size, size)), 3) > 0
    return (100 + 100 * ndimage.gaussian_filter(made.astype(float), 0.8)).astype(np.float32)


def test_blocks_are_averaged_and_a_border_is_repeated():
    image = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert finer.averaged(image, 2).tolist() == [[3, 5, 6.5], [10.5, 12.5, 14]]
    assert np.array_equal(finer.averaged(image.repeat(4, 0).repeat(4, 1), 4), image)


def test_cubic_splines_recover_a_smooth_image_and_keep_its_place():
    y, x = np.mgrid[:64, :48]
    image = (np.sin(x / 8) + np.cos(y / 9)).astype(np.float32)
    for scale in (2, 4):
        found = finer.cubic(image, scale=scale, points="thinned")
        assert np.abs(found - image)[6:-6, 6:-6].max() < 0.03
        assert finer.cubic(image, scale=scale).shape == (64 * scale, 48 * scale)


def test_the_control_repeats_pixels():
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert finer.nearest(image, scale=2).tolist() == image.repeat(2, 0).repeat(2, 1).tolist()
    thinned = finer.nearest(image.repeat(4, 0).repeat(4, 1)[:7, :9], scale=4, points="thinned")
    assert thinned.shape == (7, 9) and np.array_equal(thinned, image.repeat(4, 0).repeat(4, 1)[:7, :9])


def test_a_network_beats_cubic_splines_on_an_image_it_never_saw():
    samples = [(scene(k), None, "val" if k == 0 else "train", f"i{k}") for k in range(8)]
    offered = {"samples": samples, "method": "super_resolution", "initial": None, "checkpoint": None, "options": QUICK}
    arrays, card = registry.call(registry.load(restore.LEARNERS, "super_resolution"), offered, QUICK)
    model = trained.model("super_resolution", arrays, card, QUICK)
    image = scene(9)
    one, other = finer.learned(image, model, points="thinned"), finer.cubic(image, points="thinned")
    assert quality.psnr_db(one, image) > quality.psnr_db(other, image)
    assert card["scale"] == card["options"]["scale"] == 2 and "degrade" not in card["options"]
    with pytest.raises(BadItem, match="of scale 2, not 4"):
        finer.learned(image, model, scale=4)
    with pytest.raises(BadItem, match="volume"):
        finer.cubic(np.zeros((4, 8, 8), np.float32))


def test_an_image_like_those_of_the_training_is_no_stranger_when_it_is_thinned(tmp_path):
    rng = np.random.default_rng(0)
    noisy = [scene(k) + rng.normal(0, 40, (64, 64)).astype(np.float32) for k in range(6)]
    samples = [(image, None, "train", f"i{k}") for k, image in enumerate(noisy)]
    quick = QUICK | {"epochs": 1, "patches": 8, "points": "thinned"}
    offered = {"samples": samples, "method": "super_resolution", "initial": None, "checkpoint": None, "options": quick}
    arrays, card = registry.call(registry.load(restore.LEARNERS, "super_resolution"), offered, quick)
    card["items"] = {"train": [], "val": [], "test": []}
    model = trained.model("super_resolution", arrays, card, quick)
    attrs = {"intensity_low": 0.0, "intensity_high": 1.0, "pixel_size_um": 0.4, "spacing_um": [0.4, 0.4], "item": "a"}
    with io.write_arrays(tmp_path / "a.zarr.zip", "lz4") as out:
        out.add(0, noisy[0], "yx", attrs)
    with io.read_arrays(tmp_path / "a.zarr.zip") as found:
        options = {"scale": 2, "points": "thinned"}
        rows = shard.Restorer(found, found, "super_resolution", options, model, card)(found.described()[0])[-1]
    assert next(row["value"] for row in rows if row["measure"] == "unlike_training") == 0


@pytest.mark.parametrize(("points", "shape", "size"), [("measured", (2, 20, 24), 0.2), ("thinned", (2, 10, 12), 0.4)])
def test_the_stage_makes_frames_finer_and_judges_them(tmp_path, points, shape, size):
    attrs = {"intensity_low": 0.0, "intensity_high": 1.0, "pixel_size_um": 0.4, "spacing_um": [0.4, 0.4], "item": "a"}
    with io.write_arrays(tmp_path / "a.zarr.zip", "lz4") as out:
        ignore = np.zeros((2, 10, 12), np.uint8)
        ignore[1, :3] = 1
        out.add(0, np.stack([scene(1, 12)[:10], scene(2, 12)[:10]]), "tyx", attrs, {"ignore": ignore})
    with io.read_arrays(tmp_path / "a.zarr.zip") as arrays:
        work = shard.Restorer(arrays, arrays, "super_resolution_cubic", {"scale": 2, "points": points})
        image, layers, attrs, rows = work(arrays.described()[0])
    assert image.shape == shape and attrs["pixel_size_um"] == size
    assert layers["ignore"].shape == shape and layers["ignore"].mean() == ignore.mean()
    assert {row["frame"] for row in rows} == {0, 1}
    assert ("psnr_db" in {row["measure"] for row in rows}) == (points == "thinned")
