"""Grey values by the camera: one scene has one range at every depth, and dark frames of a series stay dark."""

import json
import os

import numpy as np
import pytest
import tifffile
from matlens.ingest import files, grey, series
from matlens.segment import adaptive, otsu, remarks
from matlens.store import io
from scipy import ndimage

PHASES = ["matrix", "disc"]
CASES = "cases/images/"
SCENE = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(80, 96)), 5)
SCENE = np.clip(np.rint(120 + 900 * SCENE), 20, 230).astype(np.uint8)


def stored(kind):
    """Store the scene as cameras do."""
    scene = SCENE.astype(np.float64)
    return {
        "u8": SCENE,
        "u8_in_16": SCENE.astype(np.uint16),
        "u12_in_16": (SCENE * 16.0).astype(np.uint16),
        "u14_in_16": (SCENE * 64.0).astype(np.uint16),
        "u16": (SCENE * 257.0).astype(np.uint16),
        "u12_in_32": (SCENE * 16.0).astype(np.uint32),
        "u12_as_int16": (SCENE * 16.0).astype(np.int16),
        "offset_int8": (SCENE.astype(int) - 128).astype(np.int8),
        "offset_int16": (scene * 256 - 32768.0).astype(np.int16),
        "float_of_eight": (scene + 0.2).astype(np.float32),
        "float_of_twelve": (scene * 16 + 0.3).astype(np.float64),
        "float_of_one": (scene / 255).astype(np.float32),
    }[kind]


KINDS = ["u8", "u8_in_16", "u12_in_16", "u14_in_16", "u16", "u12_in_32", "u12_as_int16"]
KINDS += ["offset_int8", "offset_int16", "float_of_eight", "float_of_twelve", "float_of_one"]


def plan(paths):
    return [
        {"file": str(p), "grey_low": low, "grey_high": high, "grey_note": note or None}
        for p, (low, high, note) in zip(paths, series.ranges([str(p) for p in paths]), strict=True)
    ]


def unit(found):
    return io.unit_interval(
        found.pixels, {"intensity_low": found.intensity_low, "intensity_high": found.intensity_high}
    )


@pytest.mark.parametrize("suffix", ["tif", "npy"])
def test_a_scene_is_the_same_at_every_depth_alone_and_together(tmp_path, suffix):
    kinds = [kind for kind in KINDS if kind != "u14_in_16"]  # beside 16 bits it could be a dark image of that camera
    paths = [tmp_path / f"{kind}.{suffix}" for kind in kinds]
    for kind, path in zip(kinds, paths, strict=True):
        (tifffile.imwrite if suffix == "tif" else np.save)(path, stored(kind))
    wanted = adaptive.segment(SCENE / np.float32(255), block_px=31)
    for item, alone in zip(plan(paths), [plan([path])[0] for path in paths], strict=True):
        for row in (item, alone):
            found = unit(files.read(row, PHASES, crop_bars=False))
            assert np.abs(found - SCENE / 255).max() < 0.01, row
            assert (adaptive.segment(found, block_px=31) == wanted).mean() > 0.99


def test_dark_frames_stay_dark_from_one_file_or_forty(tmp_path):
    paths = []
    for number in range(40):
        frame = (SCENE * (2.0 if number % 3 == 2 else 16.0)).astype(np.uint16)
        paths.append(tmp_path / f"frame_{number:02d}.tif")
        tifffile.imwrite(paths[-1], frame)
    rows = plan(paths)
    assert {(row["grey_low"], row["grey_high"]) for row in rows} == {(0.0, 4095.0)}
    dark = unit(files.read(rows[2], PHASES))
    assert dark.max() < 0.15


def test_images_of_one_camera_share_its_range_whatever_their_names(tmp_path):
    for name, factor in (("alpha", 16.0), ("beta", 3.0)):
        tifffile.imwrite(tmp_path / f"{name}.tif", (SCENE * factor).astype(np.uint16))
    assert [row["grey_high"] for row in plan([tmp_path / "alpha.tif", tmp_path / "beta.tif"])] == [4095.0, 4095.0]


def test_fractions_and_signed_numbers_share_a_range(tmp_path):
    for number, (low, high) in enumerate([(-1000, 3000), (-500, 400)]):
        tifffile.imwrite(tmp_path / f"ct{number}.tif", np.linspace(low, high, 600, dtype=np.float32).reshape(20, 30))
    paths = sorted(tmp_path.glob("ct*.tif"))
    assert {(row["grey_low"], row["grey_high"]) for row in plan(paths)} == {(-1000.0, 3000.0)}


def test_files_that_were_not_looked_into_are_told_when_they_are_beyond(tmp_path, monkeypatch):
    monkeypatch.setattr(series, "MOST_FILES", 2)
    for number, factor in enumerate((4.0, 60.0, 4.0)):
        tifffile.imwrite(tmp_path / f"a{number}.tif", (SCENE * factor).astype(np.uint16))
    rows = plan(sorted(tmp_path.glob("*.tif")))
    found = [files.read(row, PHASES) for row in rows]
    assert [f.intensity_high for f in found] == [1023.0, 16383.0, 1023.0]
    assert "exceed the range of its series" in found[1].meta["grey_note"] and not found[0].meta["grey_note"]


def test_two_cameras_of_one_study_keep_their_depths_and_are_named(tmp_path):
    """14 bits beside 16, and 12 beside 16, in one data type: told apart by frame, saturation or what the file says."""
    wide, narrow = (SCENE * 257.0).astype(np.uint16), (SCENE * 64.0).astype(np.uint16)
    full = np.minimum(narrow * 2, 16383).astype(np.uint16)
    paths = []
    for k in range(3):  # by the frame of the camera
        paths += [tmp_path / f"wide_{k}.tif", tmp_path / f"other_{k}.tif"]
        tifffile.imwrite(paths[-2], wide)
        tifffile.imwrite(paths[-1], narrow[:60, :60])
    assert [row["grey_high"] for row in plan(paths)] == [65535.0, 16383.0] * 3
    paths = [tmp_path / name for name in ("wide_0.tif", "full.tif", "twelve.tif")]
    tifffile.imwrite(paths[1], full)
    tifffile.imwrite(paths[2], np.minimum(SCENE * 20.0, 4095).astype(np.uint16))
    assert [row["grey_high"] for row in plan(paths)] == [65535.0, 16383.0, 4095.0]
    assert "0 to 4095 (1), 0 to 16383 (1), 0 to 65535 (1)" in series.depths(series.ranges([str(p) for p in paths]))
    paths[1] = tmp_path / "dark.tif"
    tifffile.imwrite(paths[1], narrow)
    rows = plan(paths)
    assert rows[1]["grey_high"] == 65535.0
    assert "dark images of one camera, or two cameras" in files.read(rows[1], PHASES).meta["grey_note"]
    assert not files.read(rows[0], PHASES).meta["grey_note"]


def test_little_of_the_range_is_reported(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", (SCENE // 16).astype(np.uint8))
    assert "of the range 0 to 255" in files.read({"file": str(tmp_path / "a.tif")}, PHASES).meta["grey_note"]


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "float_of_twelve"])
def test_min_is_white_is_turned_over_about_the_right_number(tmp_path, kind):
    image = stored(kind)
    low, high = grey.inferred(float(image.min()), float(image.max()), image.dtype)
    turned = (low + high - image.astype(np.float64)).astype(image.dtype)
    tifffile.imwrite(tmp_path / "a.tif", turned, photometric="miniswhite")
    found = files.read({"file": str(tmp_path / "a.tif")}, PHASES, crop_bars=False)
    assert np.allclose(found.pixels, image, atol=1e-3)


def test_a_bar_in_white_of_the_type_does_not_widen_the_range():
    image = (SCENE * 16.0).astype(np.uint16)
    image[-20:] = 65535
    assert grey.limits(series._without_bar(image, {"bar_rows_px": 20}))[1] <= 4095
    assert series.name_of("a/b_2/c_012_x.tif") == ("a/b_2", "c_#_x", ".tif")


def test_labels_of_one_phase_are_reported():
    one = np.zeros((4, 4), np.uint8)

    def remark(labels, phases=PHASES):
        return remarks.of("adaptive", {}, {"image": labels.astype(np.float32)}, labels, phases)

    assert remark(one) == "all its pixels are 'matrix'"
    assert remark(np.where(np.eye(4) > 0, 255, one).astype(np.uint8))
    assert remark(np.eye(4).astype(np.uint8)) == "" == remark(one, ["all"])
    assert remark(one.astype(np.int32)) == "no region was found"


def test_shared_case_of_grey_ranges(data):
    folder = data(CASES + "05_grey_range_of_camera")
    rows = plan(sorted(folder.glob("*.tif")) + sorted((folder / "series").glob("*.tif")))
    right = json.loads((folder / "expected.json").read_text())["inputs"]
    reference = unit(files.read({"file": str(folder / "u8.tif")}, PHASES))
    for row in rows:
        name = os.path.relpath(row["file"], folder)
        found, wanted = files.read(row, PHASES), right[name]["right"]
        image = unit(found)
        if "black_and_white" in wanted:
            assert [found.intensity_low, found.intensity_high] == wanted["black_and_white"]
        if name.startswith("series"):
            part = wanted["area_fraction_fixed_threshold_0.47"]
            labels = ndimage.gaussian_filter(image, 1) > 0.47
            assert found.intensity_high == wanted["full_scale"]
            assert labels.mean() == pytest.approx(part["value"], abs=part["abs"]), name
            continue
        for label in (
            lambda i: adaptive.segment(i, block_px=51),
            lambda i: otsu.segment(i),
            lambda i: (ndimage.gaussian_filter(i, 1) > 0.47).astype(np.uint8),
        ):
            mine, theirs = label(image) == 1, label(reference) == 1
            assert (mine & theirs).sum() / (mine | theirs).sum() >= 0.97, name


def test_shared_case_of_min_is_white(data):
    folder = data(CASES + "06_min_is_white")
    for name, about in json.loads((folder / "expected.json").read_text())["inputs"].items():
        found = files.read({"file": str(folder / name)}, PHASES)
        labels = otsu.segment(unit(found), foreground="bright")
        assert labels.mean() == pytest.approx(about["right"]["area_fraction"]["value"], rel=0.03), name
        if "full_scale" in about["right"]:
            assert (found.intensity_low, found.intensity_high) == (0, 4095)
            assert unit(found)[labels == 1].mean() == pytest.approx(0.708, abs=0.01)


def test_values_of_64_bits_do_not_exceed_their_own_range(tmp_path):
    values = np.random.default_rng(0).integers(60, 180, (40, 40)) * 1e-12 - 1e-10
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None)
    (row,) = plan([tmp_path / "a.tif"])
    assert files.read(row, ["a", "b"]).meta["grey_note"] is None


def test_saturated_pixels_are_noted_and_masks_and_specks_are_not(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.normal(120, 20, (60, 80)).clip(1, 254).astype(np.uint8)
    bright = rng.random(image.shape) < 0.05

    def note(pixels, name="a.tif", **options):
        tifffile.imwrite(tmp_path / name, pixels)
        return files.read({"file": str(tmp_path / name)}, PHASES, **options).meta["grey_note"]

    part = f"{100 * bright.mean():.2g} %"
    assert note(np.where(bright, 255, image).astype(np.uint8)).startswith(
        f"its pixels are {part} white (255), an end of"
    )
    assert note(np.where(bright, 0, image).astype(np.uint8)).startswith(
        f"its pixels are {part} black (0), an end of the"
    )
    assert f"{part} white (4095)" in note(np.where(bright, 4095, 16 * image.astype(np.uint16)).astype(np.uint16))
    assert note(image) is None
    assert note(np.where(rng.random(image.shape) < 0.01, 255, image).astype(np.uint8)) is None
    assert note(np.where(bright, 255, 0).astype(np.uint8)) is None
    assert grey.clipped(image, 0, 255, np.ones(image.shape, np.uint8)) is None  # nothing of it is measured
    corner = image.copy()
    corner[:12, :20] = 255  # a drawn panel that the study excludes
    assert note(corner, exclude=[0, 0, 12, 20]) is None
