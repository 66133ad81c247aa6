"""Clean images beside noisy ones: files named alike, a column of a sheet, one .npz of both, the models."""

import numpy as np
import pytest
import tifffile
from matlens.ingest import files, readers, sheet
from matlens.ingest.models import dual_phase
from matlens.job.batch import BadItem

PHASES = ["a", "b"]


def saved(path, image):
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, image, photometric="minisblack")
    return str(path)


def noise(seed=0, shape=(40, 50), kind=np.uint16):
    """Draw an image: the same field for every seed, with noise of its own."""
    field = np.add.outer(np.arange(shape[-2]) % 9 > 4, np.arange(shape[-1]) % 7 > 3)
    return (1000 * field + np.random.default_rng(seed).integers(0, 2000, shape)).astype(kind)


def test_clean_images_are_found_by_name_and_kept_as_a_layer(tmp_path):
    for name in "ab":
        saved(tmp_path / f"fast/{name}.tif", noise())
        saved(tmp_path / f"slow/{name}.tif", noise(1))
    options = {"path": str(tmp_path / "fast"), "clean": str(tmp_path / "slow")}
    plan = files.plan(**options)
    assert [file[-10:] for file in plan["clean_file"]] == ["slow/a.tif", "slow/b.tif"]
    found = files.read(plan.iloc[0].to_dict(), PHASES)
    assert found.layers["clean"].dtype == np.float32 and np.array_equal(found.layers["clean"], noise(1))
    before = files.listing(**options)
    saved(tmp_path / "slow/a.tif", noise(2, (41, 50)))
    assert files.listing(**options) != before
    with pytest.raises(BadItem, match=r"clean image .*50 x 41 pixels, the image 50 x 40; export both"):
        files.read(plan.iloc[0].to_dict(), PHASES)


def test_one_clean_image_is_that_of_all_and_wrong_names_are_told(tmp_path):
    for name in "ab":
        saved(tmp_path / f"fast/{name}.tif", noise())
        saved(tmp_path / f"slow/{name}x.tif", noise(1))
    one = files.plan(path=str(tmp_path / "fast"), clean=str(tmp_path / "slow/ax.tif"))
    assert one["clean_file"].nunique() == 1
    with pytest.raises(ValueError, match="no clean image has the name of an image"):
        files.plan(path=str(tmp_path / "fast"), clean=str(tmp_path / "slow"))
    with pytest.raises(ValueError, match="names the images themselves"):
        files.check(PHASES, path=str(tmp_path / "fast"), clean=str(tmp_path / "fast/*.tif"))
    files.check(PHASES, path=str(tmp_path / "fast"), clean=str(tmp_path / "slow/ax.tif"))


def test_one_clean_image_serves_every_frame(tmp_path):
    image = saved(tmp_path / "v.tif", noise(shape=(3, 40, 50)))
    found = files.read({"file": image, "clean_file": saved(tmp_path / "c.tif", noise(1))}, PHASES, stack="t")
    assert found.layers["clean"].shape == (3, 40, 50)


def test_clean_pixels_that_are_not_finite_are_refused(tmp_path):
    clean = noise(kind=np.float32)
    clean[3, 3] = np.nan
    with pytest.raises(BadItem, match="not finite"):
        files.read({"file": saved(tmp_path / "a.tif", noise()), "clean_file": saved(tmp_path / "c.tif", clean)}, PHASES)


def test_a_sheet_names_clean_images(tmp_path):
    saved(tmp_path / "a.tif", noise())
    saved(tmp_path / "c.tif", noise(1))
    (tmp_path / "s.csv").write_text("file,clean_file\na.tif,c.tif\n")
    plan = sheet.plan(path=str(tmp_path / "s.csv"))
    assert "clean" in files.read(plan.iloc[0].to_dict(), PHASES).layers


@pytest.mark.parametrize("names", [("image", "clean"), ("x", "y")])
def test_a_bundle_of_two_arrays_is_an_image_and_its_clean_one(tmp_path, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (noise(), noise(1)), strict=True)))
    found = files.read({"file": str(tmp_path / "a.npz")}, PHASES)
    assert np.array_equal(found.pixels, noise()) and np.array_equal(found.layers["clean"], noise(1))


def test_bundles_of_one_array_are_images_and_others_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "one.npz", anything=noise())
    assert np.array_equal(readers.read(str(tmp_path / "one.npz"), max_pixels=10**6).pixels, noise())
    np.savez(tmp_path / "two.npz", x=noise(), y=noise(1, (20, 20)))
    np.savez(tmp_path / "large.npz", x=noise(), y=noise())
    np.savez(tmp_path / "object.npz", np.array([{}] * 4, object).reshape(2, 2))
    for name, most, reason in (
        ("large.npz", 100, "max_pixels"),
        ("object.npz", 10**6, "pickle"),
    ):
        with pytest.raises(BadItem, match=reason):
            readers.read(str(tmp_path / name), max_pixels=most)
    with pytest.raises(BadItem, match="20 x 20 pixels, the image 50 x 40"):
        files.read({"file": str(tmp_path / "two.npz")}, PHASES)


def test_a_model_keeps_the_image_without_noise():
    item = {"item_seed": 1, "true_model_fraction": 0.3}
    options = {"size_px": (64, 64), "grains": 20}
    plain = dual_phase.read(item, imaging={"dose": 30.0}, **options)
    kept = dual_phase.read(item, imaging={"dose": 30.0, "keep_clean": True}, **options)
    assert not plain.layers and np.array_equal(plain.pixels, kept.pixels)
    residual = kept.pixels.astype(float) - kept.layers["clean"]
    assert abs(residual.mean()) < 2 and 20 < residual.std() < 50  # 255 sqrt(g / dose), g from 0.3 to 0.7


def test_a_clean_image_of_another_field_is_refused(tmp_path):
    from scipy import ndimage

    rng = np.random.default_rng(5)
    one, other = (100.0 * (ndimage.gaussian_filter(rng.normal(size=(128, 128)), 2) > 0) for _ in range(2))

    def read(clean, level):
        noisy = (one + rng.normal(0, level, one.shape)).astype(np.float32)
        item = {"file": saved(tmp_path / "a.tif", noisy), "clean_file": saved(tmp_path / "c.tif", clean)}
        return files.read(item, PHASES)

    for clean in (one, 3 * one, np.roll(one, 2, 0)):  # noise of twice the contrast hides no field
        assert "clean" in read(clean.astype(np.float32), 200.0).layers
    for clean in (other, np.roll(one, 40, 1)):
        with pytest.raises(BadItem, match="clean image of the same field"):
            read(clean.astype(np.float32), 200.0)
    np.savez(tmp_path / "a.npz", image=one, clean=other)
    with pytest.raises(BadItem, match="same field"):
        files.read({"file": str(tmp_path / "a.npz")}, PHASES)


def blobs(seed, width, shape=(64, 64)):
    from scipy import ndimage

    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), width) > 0


@pytest.mark.parametrize("width", [1.5, 3, 8])
def test_a_coarse_field_that_is_like_another_one_by_chance_is_refused(tmp_path, width):
    """Of fields of few features most correlate by more than 0.1; that of the image fits best where it lies."""
    refused = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        for clean in (blobs(seed, width), blobs(seed + 100, width)):
            noisy = (200.0 * blobs(seed, width) + rng.normal(0, 20, (64, 64))).astype(np.float32)
            item = {"file": saved(tmp_path / "a.tif", noisy)}
            item["clean_file"] = saved(tmp_path / "c.tif", (200.0 * clean).astype(np.float32))
            try:
                files.read(item, PHASES)
            except BadItem as error:
                assert "same field" in str(error) or "inverted" in str(error)
                assert not np.array_equal(clean, blobs(seed, width)), error
                refused += 1
    assert refused >= 9


def test_a_clean_image_that_is_none_is_refused(tmp_path):
    field = (100 * blobs(0, 3) + np.arange(64) % 2).astype(np.uint16)
    item = {"file": saved(tmp_path / "a.tif", field)}
    for clean, reason in (
        (200 - field, "is inverted"),
        (np.full((64, 64), 7, np.uint16), "has one grey value, 7, everywhere"),
        (field, "is the image itself"),
    ):
        with pytest.raises(BadItem, match=reason):
            files.read({**item, "clean_file": saved(tmp_path / "c.tif", clean)}, PHASES)


def test_greys_of_colour_and_masks_are_brought_to_those_of_the_image_and_other_units_are_noted(tmp_path):
    from PIL import Image

    field = 100 * blobs(0, 3) + 50
    noisy = (field + np.random.default_rng(0).normal(0, 10, field.shape)).astype(np.uint8)
    colour = np.stack([field, field, 0.9 * field], -1).astype(np.uint8)
    Image.fromarray(colour).save(tmp_path / "c.png")
    found = files.read({"file": saved(tmp_path / "a.tif", noisy), "clean_file": str(tmp_path / "c.png")}, PHASES)
    assert np.abs(found.layers["clean"] - field).max() < 3 and "remark" not in found.meta
    item = {"file": saved(tmp_path / "b.tif", noisy.astype(np.uint16) * 20)}
    item["clean_file"] = saved(tmp_path / "d.tif", field.astype(np.uint8))
    remark = files.read(item, PHASES).meta["remark"]
    moved = {**item, "file": saved(tmp_path / "e.tif", np.roll(noisy, (2, 3), (0, 1)))}
    moved["clean_file"] = saved(tmp_path / "f.tif", field.astype(np.uint8))
    told = files.read(moved, PHASES).meta["remark"]  # shifted a little, in the same unit
    assert "fits best shifted by (2, 3) pixels" in told and "two units" not in told
    assert "times those of its clean image: psnr_db, ssim and bias compare two units" in remark


def test_a_lattice_that_fits_at_many_shifts_is_that_of_its_image(tmp_path):
    from matlens.ingest.models import scenes

    for seed in range(4):
        rng = np.random.default_rng(seed)
        clean = scenes.lattice((128, 128), rng).astype(np.float32)
        noisy = (clean + rng.normal(0, 2 * clean.std(), clean.shape)).astype(np.float32)
        item = {"file": saved(tmp_path / "a.tif", noisy), "clean_file": saved(tmp_path / "c.tif", clean)}
        assert "clean" in files.read(item, PHASES).layers


def test_blur_and_a_few_bright_spots_are_in_the_same_unit_and_a_large_shift_is_told(tmp_path):
    from scipy import ndimage

    rng = np.random.default_rng(0)
    texture = 128 + 600 * ndimage.gaussian_filter(rng.normal(size=(256, 256)), 2)
    spots = np.zeros((256, 256))
    spots[tuple(rng.integers(20, 236, (2, 6)))] = 1
    spots = 5000 * ndimage.gaussian_filter(spots, 4)

    def read(image, clean):
        item = {"file": saved(tmp_path / "a.tif", (image + rng.normal(0, 5, image.shape)).astype(np.float32))}
        return files.read({**item, "clean_file": saved(tmp_path / "c.tif", clean.astype(np.float32))}, PHASES)

    for image, clean in ((ndimage.gaussian_filter(texture, 4), texture), (spots, spots), (texture, texture)):
        assert "remark" not in read(image, clean).meta
        factor = read(0.1 * image, clean).meta["remark"].split()[3]
        assert float(factor) == pytest.approx(0.1, rel=0.6)  # blur, noise and clipped greys
    with pytest.raises(BadItem, match=r"fits better shifted by \(0, 9\) pixels .* align the two"):
        read(np.roll(texture, 9, 1), texture)


def test_a_small_shift_is_remarked_and_noise_is_none(tmp_path):
    rng = np.random.default_rng(0)
    field = 100 + 50 * (blobs(1, 4) > 0.5).astype(np.float32)

    def remark(by, noise):
        image = (np.roll(field, by, 1) + rng.normal(0, noise, field.shape)).astype(np.float32)
        item = {"file": saved(tmp_path / "a.tif", image), "clean_file": saved(tmp_path / "c.tif", field)}
        return files.read(item, PHASES).meta.get("remark", "")

    assert "fits best shifted by (0, 1) pixels" in remark(1, 2) and "(0, -3) pixels" in remark(-3, 20)
    assert not any(remark(0, noise) for noise in (1, 20, 50))


def test_the_clean_array_of_a_bundle_is_looked_at_as_a_clean_file_is(tmp_path):
    field = (60 + 120 * (blobs(1, 4) > 0.5)).astype(np.uint8)
    noisy = np.clip(field + np.random.default_rng(0).normal(0, 20, field.shape), 0, 255).astype(np.uint8)

    def read(image, clean):
        np.savez(tmp_path / "a.npz", x=image, y=clean)
        return files.read({"file": str(tmp_path / "a.npz")}, PHASES)

    gaps = field.astype(np.float32)
    gaps[:3] = np.nan
    for clean, reason in (
        (noisy, "is the image itself"),
        (np.full_like(field, 9), "has one grey value, 9"),
        (gaps, "not finite"),
        (field[:40], "export both in one size"),
    ):
        with pytest.raises(BadItem, match=reason):
            read(noisy, clean)
    found = read(noisy, (field / 255).astype(np.float32))  # from 0 to 1, brought to 8 bits
    assert found.layers["clean"] == pytest.approx(field, abs=1e-3) and "remark" not in found.meta
    assert np.array_equal(read(np.stack([noisy] * 3), field).layers["clean"], np.stack([field] * 3))  # of all frames
