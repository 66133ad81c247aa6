"""Files, folders, globs and sheets: items, their truth, and refusals with the reason."""

import inspect
import json
import os
import re
import sys

import numpy as np
import pytest
import tifffile
from matlens import ingest, registry
from matlens.ingest import file_search, files, sheet, truths
from matlens.job.batch import BadItem
from matlens.plan import study
from matlens.store import io
from PIL import Image

from . import specimens
from .specimens import ramp

PHASES = ["matrix", "particle"]


def save(path, image=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ramp(kind=np.uint8) if image is None else image).save(path)
    return path


def items(frame):
    return dict(zip(frame["item"], frame["file"], strict=True))


def reasons(frame):
    return dict(zip(frame["item"], frame.get("reason", [None] * len(frame)), strict=True))


def test_a_folder_gives_its_images_and_not_its_sidecars(tmp_path):
    for name in ("b.png", "a.png", ".hidden.png", "sub/c.png"):
        save(tmp_path / name)
    for name in ("a.txt", "notes.md", "t.csv", "x.json"):
        (tmp_path / name).write_text("x")
    for name in ("s.emi", "s_1.ser", "s_2.ser", "m.cpr", "m.crc", "alone_1.ser"):
        (tmp_path / name).write_bytes(b"x")
    specimens.omezarr(tmp_path / "z.ome.zarr", ramp(), "yx")
    assert list(files.plan(path=str(tmp_path))["item"]) == ["a", "alone_1", "b", "m", "s", "z"]
    assert list(files.plan(path=str(tmp_path / "**"))["item"]) == ["a", "alone_1", "b", "m", "s", "sub/c", "z"]
    assert list(files.plan(path=str(tmp_path / "*.txt"))["item"]) == ["a"]  # named outright, so it is an item
    assert list(files.plan(path=str(tmp_path / "b.png"))["item"]) == ["b"]
    assert list(files.plan(path=str(tmp_path / "z.ome.zarr"))["item"]) == ["z"]


def test_names_are_unique_or_refused(tmp_path):
    for name in ("u/x.png", "v/x.png", "u/y.png", "u/y.tif"):
        save(tmp_path / name)
    found = files.plan(path=str(tmp_path / "*/*"))
    said = reasons(found)
    assert {name for name, reason in said.items() if reason is None or reason != reason} >= {"u/x", "v/x"}
    twice = found[found["item"] == "u/y"]["reason"].tolist()
    assert twice[1] is None
    assert "u/y.png" in twice[0]
    assert "u/y.tif was kept" in twice[0]


def test_digits_after_a_dot_and_home_and_odd_characters(tmp_path, monkeypatch):
    save(tmp_path / "1070C-1.5.png")
    save(tmp_path / "a [1].png")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert list(files.plan(path="~")["item"]) == ["1070C-1.5", "a [1]"]
    assert list(files.plan(path=str(tmp_path / "a [1].png"))["item"]) == ["a [1]"]
    assert (
        file_search.stem("x.ome.tif")
        == file_search.stem("x.tif")
        == file_search.stem("x.ome.zarr")
        == file_search.stem("x")
        == "x"
    )
    assert file_search.stem("field.0001") == "field.0001"


@pytest.mark.parametrize("path", ["nothing/*.png", "imags/*.png", "images/*.tif", "images/b.png", ""])
def test_a_path_that_matches_nothing_says_where_and_what_is_there(tmp_path, path):
    save(tmp_path / "images" / "a.png")
    for function in (files.listing, files.plan):
        with pytest.raises(ValueError, match=r"image|empty") as caught:
            function(path=str(tmp_path / path) if path else "")
    if path:
        assert path in str(caught.value)
        assert str(tmp_path) in str(caught.value)


def test_the_listing_sees_new_changed_and_lost_files(tmp_path):
    save(tmp_path / "a.png")
    digests = [files.listing(path=str(tmp_path))]
    save(tmp_path / "b.png")
    digests.append(files.listing(path=str(tmp_path)))
    os.utime(tmp_path / "a.png", (1, 1))
    digests.append(files.listing(path=str(tmp_path)))
    (tmp_path / "a.txt").write_text("$$SM_MICRON_BAR 1")
    digests.append(files.listing(path=str(tmp_path)))
    (tmp_path / "b.png").unlink()
    digests.append(files.listing(path=str(tmp_path)))
    assert len(set(digests)) == 5
    assert files.listing(path=str(tmp_path)) == digests[-1]


def test_masks_belong_to_the_image_of_their_name(tmp_path, data):
    root = data("micrographs/superalloy_nasa")
    found = files.plan(path=f"{root}/*/images/*.png", masks=f"{root}/*/labels/*.png", group=r"(spot\d+)_")
    assert len(found) == 14
    for image, mask in zip(found["file"], found["truth_file"], strict=True):
        assert mask == image.replace("/images/", "/labels/")
    assert set(found["group"]) == {f"spot{k}" for k in (1, 3, 4, 5, 6, 7)}
    for folder in ("p", "q"):  # the same names twice: the nearest folder has the mask
        save(tmp_path / folder / "img" / "x.png")
        save(tmp_path / folder / "seg" / "x.tif")
    two = files.plan(path=f"{tmp_path}/*/img/*", masks=f"{tmp_path}/*/seg/*")
    assert [path.split("/")[-3] for path in two["truth_file"]] == ["p", "q"]
    save(tmp_path / "p" / "seg" / "x.png")
    assert "two masks" in reasons(files.plan(path=f"{tmp_path}/*/img/*", masks=f"{tmp_path}/*/seg/*"))["p/img/x"]
    with pytest.raises(ValueError, match="no mask has the name"):
        files.plan(path=f"{root}/train/images", masks=str(data("micrographs/tem_loops_316L/masks")))


def test_names_hold_columns(data):
    root = data("micrographs/gammaprime_ageing")
    found = files.plan(
        path=str(root / "images"), masks=str(root / "labels"), columns=r"(?P<temperature_c>\d+)C-(?P<time_h>\d+)H"
    )
    assert found["time_h"].tolist() == [10.0, 150.0, 300.0, 500.0]
    assert found["temperature_c"].tolist() == [1070.0] * 4
    assert found["truth_file"].isna().tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"group": "("}, "regular expression"),
        ({"group": "a"}, "no group"),
        ({"columns": "(a)"}, "no group"),
        ({"columns": "(?P<x>zzz)"}, "matches none"),
        ({"columns": "(?P<key>.)"}, "is reserved"),
        ({"masks": "nowhere"}, "matches no file"),
    ],
)
def test_patterns_that_cannot_work_stop_the_study(tmp_path, options, reason):
    save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=reason):
        files.plan(path=str(tmp_path), **options)


def test_names_outside_a_pattern(tmp_path):
    for name in ("s1_a.png", "s2_b.png", "odd.png"):
        save(tmp_path / name)
    assert "does not fit group" in reasons(files.plan(path=str(tmp_path), group=r"(s\d)_"))["odd"]
    found = files.plan(path=str(tmp_path), columns=r"s(?P<sample>\d)")
    assert found["sample"].isna().tolist() == [True, False, False]


# one file per fault, and what its row must say
def _faults(folder):
    good = specimens.as_bytes(ramp(kind=np.uint8))
    nan = ramp(kind=np.float32)
    nan[:] = np.nan
    written = {"empty.png": b"", "html.tif": b"<html>404</html>", "cut.png": good[: len(good) // 2]}
    for name, content in written.items():
        (folder / name).write_bytes(content)
    for name, image in {
        "nan.tif": nan,
        "constant.tif": np.full((40, 50), 7, np.uint8),
        "dot.tif": np.array([[3]], np.uint8),
        "wide.tif": np.arange(30000 * 8, dtype=np.uint8).reshape(8, 30000),
        "double.tif": 1e300 * ramp(kind=np.float64),
        "long.tif": ramp(kind=np.int64) << 40,
        "complex.tif": ramp(kind=np.complex64),
    }.items():
        tifffile.imwrite(folder / name, image, metadata=None)
    tifffile.imwrite(folder / "cmyk.tif", np.stack([ramp(kind=np.uint8)] * 4, -1), photometric="separated")
    np.savez(folder / "bundle.npz", first=ramp(), second=ramp())
    whole = specimens.as_bytes(ramp(kind=np.uint8), "TIFF")
    (folder / "short.tif").write_bytes(whole[:900])
    save(folder / "good.png")


FAULTS = {
    "empty.png": "0 bytes",
    "html.tif": "web page",
    "cut.png": "broken",
    "short.tif": "cut off|broken",
    "nan.tif": "all its pixels are not finite",
    "constant.tif": "all its pixels are 7",
    "dot.tif": "min_side_px",
    "wide.tif": "max_side_px",
    "double.tif": "float64.*32-bit",
    "long.tif": "int64.*32-bit",
    "cmyk.tif": "CMYK",
    "bundle.npz": "numpy.save",
    "complex.tif": "complex64",
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_its_reason_and_remedy(tmp_path, name):
    _faults(tmp_path)
    with pytest.raises(BadItem, match=FAULTS[name]) as caught:
        files.read({"file": str(tmp_path / name)}, PHASES)
    assert ";" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "stored"), [(np.float64, np.float32), (np.int64, np.int32), (np.uint64, np.uint32), (bool, np.uint8)]
)
def test_wide_numbers_that_fit_are_read(tmp_path, kind, stored):
    image = ramp(kind=np.uint8).astype(kind)
    np.save(tmp_path / "wide.npy", image)
    found = files.read({"file": str(tmp_path / "wide.npy")}, PHASES)
    assert found.pixels.dtype == stored
    assert np.array_equal(found.pixels, image * (255 if kind is bool else 1))


def test_an_image_with_nothing_above_its_bar_is_refused(data):
    with pytest.raises(BadItem, match="above the information bar are 0"):
        files.read({"file": str(data("micrographs/raw_instrument/FEI-Helios-Ebeam-8bits.tif"))}, PHASES)


def _ingested(tmp_path, method, options, phases=PHASES):
    """Run the two scripts of ingest as a job would; returns the index and the rejected rows."""
    sys.path.insert(0, str(study.SCHEMAS.parent / "scripts"))
    import ingest as script
    import ingest_plan

    sys.path.pop(0)
    names = ("plan", "images", "truth", "truth_objects", "index", "rejected", "early")
    out = {name: str(tmp_path / f"out/{name}.bin") for name in names}
    ingest_plan.main(method, options, out["plan"], out["early"])
    arrays = {name: out[name] for name in ("images", "truth", "truth_objects")}
    script.main(out["plan"], "images", method, options, phases, "0000", 1, arrays, out["index"], out["rejected"])
    early, late = (io.read_table(out[name]) for name in ("early", "rejected"))
    return io.read_table(out["index"]), dict(
        zip([*early["item"], *late["item"]], [*early["reason"], *late["reason"]], strict=True)
    )


def test_doubts_of_scale_and_grey_stand_in_the_index_and_the_log(tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, factor in enumerate((16, 1)):
        pixels = (ramp(kind=np.uint8) * np.uint16(factor)).astype(np.uint16)
        tifffile.imwrite(folder / f"f{number}.tif", pixels, imagej=True, resolution=(2, 4), metadata={"unit": "mm"})
    index, rejected = _ingested(tmp_path, "files", {"path": str(folder)})
    assert not rejected and index["pixel_size_um"].tolist() == [500.0] * 2 and index["pixel_size_y_um"][0] == 250.0
    assert index["grey_high"].tolist() == [4095.0] * 2 and index["pixel_size_z_um"].isna().all()
    assert index["scale_note"].str.contains("is implausible for a micrograph").all()
    assert index["grey_note"].isna().tolist() == [True, False]
    log = capsys.readouterr().out
    assert "f0: 250 um per pixel along y" in log and "f1: its grey values" in log


def test_one_bad_file_never_stops_the_others(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    _faults(folder)
    (folder / "lost.png").symlink_to(folder / "nowhere.png")
    (folder / "folder.png").mkdir()
    with open(os.fsencode(folder) + b"/\xff\xfe.png", "wb") as handle:
        handle.write(specimens.as_bytes(ramp(kind=np.uint8)))
    index, rejected = _ingested(tmp_path, "files", {"path": str(folder / "*.*")})
    assert index["item"].tolist() == ["good"]
    expected = {file_search.stem(name) for name in FAULTS} | {"lost", "folder", "\\xff\\xfe"}
    assert set(rejected) == expected
    assert "not UTF-8" in rejected["\\xff\\xfe"]
    assert "link" in rejected["lost"]
    assert "folder" in rejected["folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission(tmp_path):
    save(tmp_path / "a.png").chmod(0)
    with pytest.raises(BadItem, match="permission"):
        files.read({"file": str(tmp_path / "a.png")}, PHASES)


def test_permission_is_named(tmp_path, monkeypatch):
    save(tmp_path / "a.png")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(BadItem, match="permission"):
        files.read({"file": str(tmp_path / "a.png")}, PHASES)


def test_faults_of_the_machine_are_raised(tmp_path, monkeypatch):
    save(tmp_path / "a.png")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matlens.ingest.readers.raster.read", full)
    with pytest.raises(OSError, match="No space"):
        files.read({"file": str(tmp_path / "a.png")}, PHASES)


def test_scale_comes_from_the_option_then_the_row_then_the_file(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp(), resolution=(50000, 50000), resolutionunit="CENTIMETER", metadata=None)
    item = {"file": str(tmp_path / "a.tif")}
    assert files.read(item, PHASES).pixel_size_um == pytest.approx(0.2)
    assert files.read(item | {"pixel_size_um": 3.0}, PHASES).pixel_size_um == 3.0
    assert files.read(item | {"pixel_size_um": float("nan")}, PHASES).pixel_size_um == pytest.approx(0.2)
    found = files.read(item | {"pixel_size_um": 3.0}, PHASES, pixel_size_um=0.5)
    assert (found.pixel_size_um, found.meta["pixel_size_source"]) == (0.5, "given")
    with pytest.raises(BadItem, match="positive"):
        files.read(item | {"pixel_size_um": -3.0}, PHASES)


def test_unknown_scale_stays_unknown(tmp_path):
    save(tmp_path / "in" / "a.png")
    index, _ = _ingested(tmp_path, "files", {"path": str(tmp_path / "in")})
    assert index["pixel_size_um"].isna().all()


def test_pages_may_be_slices(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([ramp()] * 5), photometric="minisblack")
    assert files.read({"file": str(tmp_path / "a.tif")}, PHASES).axes == "tyx"
    assert files.read({"file": str(tmp_path / "a.tif")}, PHASES, stack="z").axes == "zyx"


MASK = np.array([[0, 0, 255, 255], [0, 128, 128, 255]], np.uint8)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"matrix": [0], "particle": [128, 255]}, [[0, 0, 1, 1], [0, 1, 1, 1]]),
        ({"particle": [128], "matrix": "other"}, [[0, 0, 0, 0], [0, 1, 1, 0]]),
        ({"particle": 255, "matrix": "other"}, [[0, 0, 1, 1], [0, 0, 0, 1]]),
    ],
)
def test_mask_values_become_phases(values, expected):
    labels, stray = truths.to_phases(MASK, PHASES, values)
    assert labels.tolist() == expected
    assert (labels.dtype, stray) == (np.uint8, 0)
    assert truths.to_phases(MASK.astype(np.int64), PHASES, values)[0].tolist() == expected


def test_stray_values_take_the_nearest_phase_up_to_one_percent():
    mask = np.zeros((10, 100), np.uint8)
    mask[:, 50:] = 255
    mask[0, 45:55] = [3, 3, 3, 3, 3, 250, 250, 250, 250, 250]
    values = {"matrix": [0], "particle": [255]}
    labels, stray = truths.to_phases(mask, PHASES, values)
    assert stray == 10
    assert labels.sum() == 500
    mask[1, 0] = 9
    with pytest.raises(BadItem, match=r"1\.1 % of the mask.*3, 9, 250.*expected 0, 255"):
        truths.to_phases(mask, PHASES, values)


def test_a_value_far_outside_all_phases_is_unlabelled_where_the_mask_holds_numbers():
    mask = np.zeros((10, 100), np.uint8)
    mask[:, 50:] = 1
    mask[0, :10] = 255
    labels, stray = truths.to_phases(mask, PHASES, None)
    assert stray == 10
    assert labels[0, :10].tolist() == [255] * 10
    assert np.array_equal(labels[1:], mask[1:])
    mask[mask == 1] = 0  # 0 and 255 may be two phases
    with pytest.raises(BadItem, match=r"truth_values: \{matrix: \[0\], particle: \[255\]\}"):
        truths.to_phases(mask, PHASES, None)


@pytest.mark.parametrize(
    ("phases", "values", "expected"),
    [
        (list("abcd"), {"unlabelled": [255]}, [0, 1, 2, 3, 255]),
        (list("abcd"), {"a": [0], "b": [1], "c": [2], "d": [3], "unlabelled": 255}, [0, 1, 2, 3, 255]),
        (["a", "b"], {"a": [0, 1], "b": "other", "unlabelled": [255]}, [0, 0, 1, 1, 255]),
        (["a", "b"], {"a": 0, "b": 1, "unlabelled": "other"}, [0, 1, 255, 255, 255]),
        (["a", "b"], {"unlabelled": "other"}, [0, 1, 255, 255, 255]),
        (["a", "unlabelled"], {"a": "other", "unlabelled": [255]}, [0, 0, 0, 0, 1]),  # a phase of this name
    ],
)
def test_values_that_are_not_labelled_are_named(phases, values, expected):
    """A fifth of the mask: far more than the 1 % that are taken as unlabelled without a word."""
    mask = np.repeat(np.array([0, 1, 2, 3, 255], np.uint8), 20).reshape(10, 10)
    labels, stray = truths.to_phases(mask, phases, values)
    assert labels.ravel()[::20].tolist() == expected and stray == 0
    assert truths.to_phases(mask.astype(np.int32), phases, values)[0].ravel()[::20].tolist() == expected
    with pytest.raises(BadItem, match=r"20 % of the mask.*unlabelled: \[255\]"):
        truths.to_phases(mask, list("abcd"), None)
    with pytest.raises(BadItem, match="names the phase 'unlabeled'"):
        truths.to_phases(mask, phases, {"unlabeled": [255]})


@pytest.mark.parametrize("count", [3, 40])
def test_negative_numbers_of_a_mask_are_unlabelled(count):
    """Up to 1 % of -1 was the first phase, more was refused; a listed or other value is what it is said to be."""
    mask = np.repeat(np.array([0, 1], np.int16), 200).reshape(20, 20)
    mask.ravel()[:count] = -1
    labels, stray = truths.to_phases(mask, PHASES, None)
    assert np.bincount(labels.ravel(), minlength=256)[[0, 1, 255]].tolist() == [200 - count, 200, count] and stray == 0
    for values in ({"matrix": [-1, 0], "particle": [1]}, {"matrix": "other", "particle": [1]}):
        assert np.array_equal(truths.to_phases(mask, PHASES, values)[0], mask == 1)


def test_a_mask_whose_unlabelled_pixels_are_nan(tmp_path):
    mask = np.repeat(np.array([0, 1, np.nan, np.nan], np.float32), 500).reshape(40, 50)
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    item = {"file": str(save(tmp_path / "a.png")), "truth_file": str(tmp_path / "mask.tif")}
    found = files.read(item, PHASES)
    assert found.truth.ravel()[::500].tolist() == [0, 1, 255, 255] and "stray_truth_px" not in found.meta
    tifffile.imwrite(tmp_path / "mask.tif", np.full_like(mask, np.nan))
    with pytest.raises(BadItem, match="all its pixels are NaN"):
        files.read(item, PHASES)


@pytest.mark.parametrize(
    "name",
    ["a_mask.png", "A-Label.PNG", "a.label.png", "a.mask.png", "a_GT.png", "a_seg.png", "a_cp_masks.png", "mask_a.png",
     "a ground truth.png", "A.PNG", "Label a.png"],
)  # fmt: skip
def test_masks_may_have_a_word_more_in_their_names_than_images(tmp_path, name):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for image in ("a.png", "a_2.png", "b.png"):
        save(tmp_path / "images" / image)
    for mask in (name, "b.png", "b_mask.png"):  # the exact name comes first
        save(tmp_path / "masks" / mask)
    plan = files.plan(path=str(tmp_path / "images"), masks=str(tmp_path / "masks")).set_index("item")
    assert plan["truth_file"].to_dict() == {
        "a": str(tmp_path / "masks" / name), "a_2": None, "b": str(tmp_path / "masks/b.png")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "sizes"),
    [
        (r"(?P<pixel_size_um>[\d.,]+) ?um", {"A_0.25um": 0.25, "B_0,5um": 0.5, "C": None, "D 2 um x500": 2.0}),
        (r"_(?P<pixel_size_um>[\d.,]+)(?P<pixel_size_y_um>)", {"A_0.25um": 0.25, "B_0,5um": 0.5}),
        (r"(?P<pixel_size_um>[\d.]+)um", r"reads '5' from 'B_0,5um'; make it read all of '0,5'"),
        (r"(?P<pixel_size_um>[A-Z])", "reads 'A' from a name, which is no number|make it read"),
        (r"(?P<pixel_size_nm>\d+)", "'pixel_size_nm' is not read; call it 'pixel_size_um'"),
    ],
)
def test_a_pixel_size_in_the_names_is_the_scale(tmp_path, pattern, sizes):
    for name in ("A_0.25um", "B_0,5um", "C", "D 2 um x500"):
        save(tmp_path / f"{name}.png")
    options = {"path": str(tmp_path), "columns": pattern}
    if isinstance(sizes, str):
        with pytest.raises(ValueError, match=sizes):
            files.check(PHASES, **options)
        return
    files.check(PHASES, **options)
    rows = files.plan(**options).set_index("item", drop=False)
    for item, um in sizes.items():
        assert files.read(rows.loc[item].to_dict(), PHASES).pixel_size_um == um


def test_a_pixel_size_with_an_exponent_is_read_whole(tmp_path):
    save(tmp_path / "a_5e-2um.png")
    (row,) = files.plan(path=str(tmp_path), columns=r"_(?P<pixel_size_um>[\d.e-]+)um").to_dict("records")
    assert files.read(row, PHASES).pixel_size_um == 0.05


def test_two_masks_with_a_word_more_are_too_many(tmp_path):
    save(tmp_path / "a.png")
    (tmp_path / "masks").mkdir()
    for name in ("a_mask.png", "a_seg.png"):
        save(tmp_path / "masks" / name)
    plan = files.plan(path=str(tmp_path / "a.png"), masks=str(tmp_path / "masks"))
    assert "two masks have its name" in plan["reason"][0]


@pytest.mark.parametrize(
    ("path", "masks"),
    [("**", "masks/*.png"), ("*.png", "*_mask.png"), ("", "*_mask.png"), ("**/*.png", "**/*_mask.png")],
)
def test_masks_among_the_images_are_no_images(tmp_path, capsys, path, masks):
    """They were measured as images of their own, and, in a folder of their own, judged by themselves."""
    folder = tmp_path / "masks" if masks.startswith("masks") else tmp_path
    folder.mkdir(exist_ok=True)
    for name in "ab":
        save(tmp_path / f"{name}.png")
        save(folder / f"{name}_mask.png")
    options = {"path": str(tmp_path / path), "masks": str(tmp_path / masks)}
    files.check(PHASES, **options)
    plan = files.plan(**options)
    assert plan["item"].tolist() == ["a", "b"]
    assert plan["truth_file"].tolist() == [str(folder / f"{name}_mask.png") for name in "ab"]
    assert "2 files of" in capsys.readouterr().out
    labels = str(folder / "*_mask.png")  # labels that are their own truth stay items
    assert len(files.plan(path=labels, masks=labels)) == 2


def test_files_of_objects_among_the_images_are_no_images(tmp_path):
    """Each was a rejected item: a second file of the name of its image."""
    for name in "ab":
        save(tmp_path / f"{name}.png")
        shape = {"type": "Polygon", "coordinates": [[[2, 2], [9, 2], [9, 9], [2, 2]]]}
        feature = {"type": "Feature", "geometry": shape, "properties": {}}
        (tmp_path / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    plan = files.plan(path=str(tmp_path), objects=str(tmp_path / "*.geojson"))
    assert plan["item"].tolist() == ["a", "b"] and "reason" not in plan
    assert plan["objects_file"].tolist() == [str(tmp_path / f"{name}.geojson") for name in "ab"]


def test_smoothed_edges_of_a_mask_go_to_the_nearer_phase_and_other_values_do_not():
    from scipy import ndimage

    hard = (np.hypot(*(np.mgrid[:60, :60] - 30)) < 18).astype(np.uint8)
    mask = np.rint(255 * ndimage.gaussian_filter(hard.astype(float), 0.5)).astype(np.uint8)
    values = {"matrix": [0], "particle": [255]}
    labels, stray = truths.to_phases(mask, PHASES, values)
    assert stray == np.count_nonzero((mask > 0) & (mask < 255)) > 0.03 * mask.size
    assert np.array_equal(labels, mask > 127)
    mask[2:8, 2:16:2] = [10, 60, 100, 130, 180, 200, 220]  # as many values, between no two phases
    with pytest.raises(BadItem, match="values of no phase"):
        truths.to_phases(mask, PHASES, values)
    lines = np.where(hard ^ ndimage.binary_dilation(hard), 128, 255 * hard)  # one value: a phase of its own
    with pytest.raises(BadItem, match=r"values of no phase \(128\)"):
        truths.to_phases(lines.astype(np.uint8), PHASES, values)


def test_colour_is_kept_where_it_is_asked_for_and_cut_like_the_image(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    save(tmp_path / "a.png", colour)
    tifffile.imwrite(tmp_path / "b.tif", colour.astype(np.uint16) * 257, photometric="rgb")
    save(tmp_path / "grey.png")
    for name, scale in (("a.png", 1), ("b.tif", 257)):
        item = {"file": str(tmp_path / name)}
        assert files.read(item, PHASES).layers == {}
        found = files.read(item, PHASES, colour=True)
        assert np.array_equal(found.layers["colour"], np.moveaxis(colour, -1, 0) * np.uint16(scale))
    assert files.read({"file": str(tmp_path / "grey.png")}, PHASES, colour=True).layers == {}
    found = ingest.Micrograph(np.zeros((50, 70), np.uint8), meta={files.BAR_TOP: 12})
    files._keep_colour(found, str(tmp_path / "a.png"), 10**6)
    assert np.array_equal(found.layers["colour"], np.moveaxis(colour, -1, 0)[:, 12:62])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (None, "truth_values"),
        ({"void": [0]}, "phases of the study are"),
        ({"matrix": [0], "particle": [0]}, "two phases"),
        ({"matrix": "other", "particle": "other"}, "one phase"),
    ],
)
def test_masks_that_cannot_be_read_as_phases(values, reason):
    with pytest.raises(BadItem, match=reason):
        truths.to_phases(MASK, PHASES, values)


def test_masks_of_every_kind_give_the_same_truth(tmp_path):
    save(tmp_path / "a.png")
    phase = (ramp(kind=np.uint8) % 3 == 0).astype(np.uint8)
    palette = Image.fromarray(phase)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(tmp_path / "palette.png")
    Image.fromarray(phase.astype(bool)).save(tmp_path / "bits.png")
    tifffile.imwrite(tmp_path / "wide.tif", phase.astype(np.int32))
    np.save(tmp_path / "long.npy", phase.astype(np.int64))
    np.save(tmp_path / "float.npy", phase.astype(np.float64))
    for name in ("palette.png", "bits.png", "wide.tif", "long.npy", "float.npy"):
        found = files.read({"file": str(tmp_path / "a.png"), "truth_file": str(tmp_path / name)}, PHASES)
        assert np.array_equal(found.truth, phase), name
    colour = np.zeros((40, 50, 3), np.uint8)
    colour[phase == 1] = (255, 0, 16)
    save(tmp_path / "colour.png", colour)
    item = {"file": str(tmp_path / "a.png"), "truth_file": str(tmp_path / "colour.png")}
    found = files.read(item, PHASES, truth_values={"particle": [0xFF0010], "matrix": "other"})
    assert np.array_equal(found.truth, phase)


def test_masks_of_another_shape_or_broken_name_the_mask(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "m.png", np.zeros((50, 40), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"")
    for name, reason in (("m.png", "40 x 50 pixels, the image 50 x 40"), ("broken.png", "0 bytes")):
        with pytest.raises(BadItem, match=reason) as caught:
            files.read({"file": str(tmp_path / "a.png"), "truth_file": str(tmp_path / name)}, PHASES)
        assert str(tmp_path / name) in str(caught.value)


def test_real_masks(data):
    root = data("micrographs/superalloy_nasa")
    found = files.plan(path=f"{root}/val/images", masks=f"{root}/val/labels").to_dict("records")
    truth = files.read(found[0], ["gamma", "secondary", "tertiary"]).truth
    assert set(np.unique(truth)) == {0, 1, 2}
    with pytest.raises(BadItem, match="truth_values"):
        files.read(found[0], PHASES)
    root = data("micrographs/uhcs_spheroidite")
    for item in files.plan(path=f"{root}/images", masks=f"{root}/labels").to_dict("records"):
        read = files.read(item, PHASES, truth_values={"matrix": [0], "particle": "other"})
        assert read.truth.shape == read.pixels.shape
        assert 0.10 < read.truth.mean() < 0.24  # SOURCE.txt: particle area fractions 0.108 to 0.24


def _sheet(tmp_path, text, name="s.csv", encoding="utf-8"):
    for image in ("img/a.png", "img/b.png"):
        save(tmp_path / image)
    (tmp_path / name).write_text(text, encoding=encoding)
    return str(tmp_path / name)


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), ("\t", "utf-8-sig"), (";", "utf-8")])
def test_a_sheet_lists_files_with_what_is_known_of_them(tmp_path, delimiter, encoding):
    lines = [
        ["file", "split", "group", "hardness_hv", "note", "pixel_size_um"],
        ["img/a.png", "train", "g1", "312.5", "übel", "0.5"],
        [str(tmp_path / "img/b.png"), "test", "g2", "", "", ""],
    ]
    path = _sheet(tmp_path, "\n".join(delimiter.join(line) for line in lines), encoding=encoding)
    found = sheet.plan(path=path)
    assert found["item"].tolist() == ["img/a", "img/b"]
    assert found["hardness_hv"].tolist()[0] == 312.5
    assert found["hardness_hv"].isna().tolist() == [False, True]
    assert found["note"].tolist() == ["übel", None]
    assert found["split"].tolist() == ["train", "test"]
    index, rejected = _ingested(tmp_path, "sheet", {"path": path})
    assert index["item"].tolist() == ["img/a", "img/b"]
    assert index["pixel_size_um"].tolist()[0] == 0.5
    assert index["pixel_size_um"].isna().tolist() == [False, True]
    assert not rejected


def test_words_for_missing_numbers_units_below_the_header_and_uses_in_other_words(tmp_path, capsys):
    rows = [
        "file, split, temp_c, load, who",
        "-, , °C, kN, ",
        '"img/a.png", Training, 650, n/a, NA',
        "img/b.png, Val, -, 3, NA",
    ]
    found = sheet.plan(path=_sheet(tmp_path, "\n".join(rows)))
    assert found["item"].tolist() == ["img/a", "img/b"] and found["split"].tolist() == ["train", "val"]
    assert found["temp_c"].tolist()[0] == 650 and found["temp_c"].isna().tolist() == [False, True]
    assert found["load"].tolist()[1] == 3 and found["load"].isna().tolist() == [True, False]
    assert found["who"].tolist() == ["NA", "NA"]  # words alone are words
    assert "has units, and is no item" in capsys.readouterr().out
    words = ["file,grade", "-,fine", "img/a.png,coarse"]  # a row without a file is no row of units
    assert len(sheet.plan(path=_sheet(tmp_path, "\n".join(words)))) == 2


def test_rows_of_a_sheet_that_cannot_be_used(tmp_path):
    rows = ["item,file,split", "ok,img/a.png,train", "up,../a.png,train", "sly,img/../../a.png,", "ok,img/b.png,"]
    rows += ["no,,", "odd,img/b.png,trian", "gone,img/c.png,"]
    index, rejected = _ingested(tmp_path, "sheet", {"path": _sheet(tmp_path, "\n".join(rows))})
    assert index["item"].tolist() == ["ok"]
    assert "leaves the folder of the sheet" in rejected["up"]
    assert "leaves the folder of the sheet" in rejected["sly"]
    assert "a.png" in rejected["ok"]
    assert "b.png" in rejected["ok"]
    assert "names no file" in rejected["no"]
    assert "did you mean 'train'" in rejected["odd"]
    assert "no such file" in rejected["gone"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("image,x\na,b\n", "no column 'file'"),
        ("file\n", "no rows"),
        ("file,key\na,b\n", "is reserved"),
        ("file,x,x\na,b,c\n", "twice"),
        ("file,pixel_size_um\nimg/a.png,5 nm\n", "micrometres"),
    ],
)
def test_sheets_that_cannot_be_used_stop_the_study(tmp_path, text, reason):
    with pytest.raises(ValueError, match=reason):
        sheet.plan(path=_sheet(tmp_path, text))


def test_a_sheet_of_a_country_with_a_decimal_comma(tmp_path):
    found = sheet.plan(
        path=_sheet(tmp_path, "file;pixel_size_um;time_h;note\nimg/a.png;0,5;1,5e2;a,b\nimg/b.png;;3;\n")
    )
    assert found["pixel_size_um"].tolist()[0] == 0.5
    assert found["time_h"].tolist() == [150, 3]
    assert found["note"].tolist() == ["a,b", None]


def test_a_cell_too_many_is_no_number_cut_short(tmp_path):
    with pytest.raises(ValueError, match=r"row 2 has more cells than the header \(file, time_h\); quote"):
        sheet.plan(path=_sheet(tmp_path, "file,time_h\nimg/a.png,1,5\n"))


def test_a_lost_or_garbled_sheet_stops_the_study(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        sheet.listing(path=str(tmp_path / "nowhere.csv"))
    (tmp_path / "s.csv").write_bytes("file\n試料.png\n".encode("cp932"))
    with pytest.raises(ValueError, match="UTF-8"):
        sheet.listing(path=str(tmp_path / "s.csv"))


@pytest.mark.parametrize("method", ["files", "sheet"])
def test_schema_and_functions_agree(method):
    properties = study.read_schema("ingest.schema.yaml")["properties"][method]["properties"]
    options = {}
    for table in (ingest.LISTINGS, ingest.PLANS, ingest.METHODS):
        options |= registry.options_of(registry.load(table, method))
    assert set(options) == set(properties)
    for name, default in options.items():
        assert properties[name]["description"]
        assert properties[name].get("default", inspect.Parameter.empty) == default, name


def test_a_mask_drawn_beside_its_image_is_moved_and_the_border_is_not_known(tmp_path):
    from scipy import ndimage

    rng = np.random.default_rng(0)
    truth = (ndimage.gaussian_filter(rng.standard_normal((120, 140)), 5) > 0.05).astype(np.uint8)
    image = 90 + 60 * ndimage.gaussian_filter(truth.astype(float), 1) + 8 * rng.standard_normal(truth.shape)
    save(tmp_path / "a.png", image.clip(0, 255).astype(np.uint8))
    save(tmp_path / "mask.png", np.roll(truth, (-2, 1), (0, 1)))
    item = {"file": str(tmp_path / "a.png"), "truth_file": str(tmp_path / "mask.png")}
    found = files.read(item, PHASES, truth_shift_px=3, truth_margin_px=10)
    assert (found.meta["truth_shift_y_px"], found.meta["truth_shift_x_px"]) == (2, -1)
    assert np.array_equal(found.truth[10:-10, 10:-10], truth[10:-10, 10:-10])
    assert (np.delete(found.truth, np.s_[10:-10], 0) == 255).all() and (found.truth[:, [0, 9, -10, -1]] == 255).all()
    kept = files.read(item, PHASES)
    assert np.array_equal(kept.truth, np.roll(truth, (-2, 1), (0, 1))) and "truth_shift_y_px" not in kept.meta
    right = item | {"truth_file": str(save(tmp_path / "right.png", truth))}
    assert files.read(right, PHASES, truth_shift_px=3).meta["truth_shift_y_px"] == 0
    save(tmp_path / "blank.png", np.zeros_like(truth))
    blank = files.read(item | {"truth_file": str(tmp_path / "blank.png")}, PHASES, truth_shift_px=3)
    assert (blank.truth == 0).all()  # nothing to go by: it stays


@pytest.mark.parametrize(
    ("values", "fix"),
    [
        ([0, 255], r"such as truth_values: {matrix: \[0\], particle: \[255\]}"),
        ([0, 0xFF0000], r"16711680, which is the colour #ff0000\); .*particle: \[16711680\]}"),
        ([0, 7, 9], r"expected 0, 1; assign values to phases"),
        (range(0, 200, 2), r"100 % of the mask pixels .*photograph, or of a mask that was saved as JPEG"),
    ],
)
def test_masks_of_other_values_are_refused_with_the_setting_that_reads_them(values, fix):
    values = np.array(values)
    mask = values[np.arange(64 * 64).reshape(64, 64) // 16 % len(values)]
    with pytest.raises(BadItem, match=fix):
        truths.to_phases(mask + (2 if len(values) > 3 else 0), ["matrix", "particle"], None)


def test_colours_are_not_taken_for_the_grey_values_that_a_study_lists(tmp_path):
    """Blue has the number of white in a grey mask; a mask whose blue is the other phase was read upside down."""
    truth = np.indices((32, 32))[1] // 16
    image = {"file": str(save(tmp_path / "a.png", (truth * 100 + 50).astype(np.uint8)))}
    colours = np.stack([255 * truth, 0 * truth, 255 * (1 - truth)], -1).astype(np.uint8)
    listed = {"particle": [255], "matrix": "other"}
    masks = {"red.png": colours, "cyan.tif": np.stack([0 * truth, 255 * truth, 255 * (1 - truth)], -1).astype(np.uint8)}
    for name, pixels in masks.items():
        item = image | {"truth_file": str(save(tmp_path / name, pixels))}
        with pytest.raises(BadItem, match="in colour, and truth_values lists grey values alone"):
            files.read(item, PHASES, truth_values=listed)
    red = image | {"truth_file": str(tmp_path / "red.png")}
    found = files.read(red, PHASES, truth_values={"particle": [0xFF0000], "matrix": "other"})
    assert np.array_equal(found.truth, truth)
    grey = image | {"truth_file": str(save(tmp_path / "g.png", np.stack([255 * truth] * 3, -1).astype(np.uint8)))}
    assert np.array_equal(files.read(grey, PHASES, truth_values=listed).truth, truth)
    numbers = image | {"truth_file": str(save(tmp_path / "n.tif", np.where(truth, 255, 900).astype(np.int32)))}
    assert np.array_equal(files.read(numbers, PHASES, truth_values=listed).truth, truth)


@pytest.mark.parametrize("pattern", ["*.tif", "**", "*", "**/*.tif", "sub [b]/*.tif"])
def test_folders_whose_names_look_like_globs_are_entered(tmp_path, pattern):
    """A second copy of a folder is often called "scan [1]"."""
    folder = tmp_path / "scan [1]" / "sub [b]"
    folder.mkdir(parents=True)
    for place in (folder, folder.parent):
        tifffile.imwrite(place / "a.tif", np.eye(16, dtype=np.uint8))
    root, found = file_search.found(str(folder.parent / pattern))
    deep = {"**": 2, "**/*.tif": 2}.get(pattern, 1)
    assert len(found) == deep and root == (folder if "sub" in pattern else folder.parent)
    assert len(files.plan(path=str(folder.parent / pattern))) == deep


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("https://example.org/a.tif", "download the files"),
        ("C:\\Users\\me\\*.tif", "a path of Windows"),
        ("$HOME/{there}", "variables are not replaced"),
        ("'{there}'", "leave the inner ones out"),
        ("\N{LEFT DOUBLE QUOTATION MARK}{there}", "leave the inner ones out"),
        ("{there}/*.tif ", "a blank begins or ends it"),
        ("{there}/a_{{1,2}}.tif", "braces are not expanded"),
        ("{there}/a_1.tif, {there}/a_2.tif", "list files of several places in a table"),
        ("{there}/*.TIF", "upper and lower case differ: a_1.tif, a_2.tif would match"),
        ("{there}/b*.tif", "looked in"),
    ],
)
def test_a_path_without_files_is_answered_by_what_is_wrong_with_it(tmp_path, path, fix):
    for number in (1, 2):
        (tmp_path / f"a_{number}.tif").touch()
    with pytest.raises(ValueError, match=fix):
        file_search.found(path.format(there=tmp_path))


@pytest.mark.parametrize(
    ("head", "meant"),
    [
        ("pixel_size_nm", "pixel_size_um"),
        ("Pixel size (um)", "pixel_size_um"),
        ("Split", "split"),
        ("mask", "truth_file"),
        ("hardness", ""),
    ],
)
def test_a_column_that_would_be_read_under_another_name_is_not_passed_over(tmp_path, head, meant):
    path = _sheet(tmp_path, f"file,{head}\nimg/a.png,1\n")
    if not meant:
        assert sheet.plan(path=path)[head].tolist() == [1]
        return
    with pytest.raises(ValueError, match=f"'{re.escape(head)}' is not read; call it '{meant}'"):
        sheet.plan(path=path)


def test_a_sheet_of_windows_and_a_scale_with_a_unit(tmp_path):
    found = sheet.plan(path=_sheet(tmp_path, "file,pixel_size_um\nimg\\a.png,inf\n"))
    assert found["file"].tolist() == [str(tmp_path / "img/a.png")]
    with pytest.raises(BadItem, match="pixel_size_um is inf; give a positive length"):
        files.read(found.iloc[0].to_dict(), ["a", "b"])
    with pytest.raises(ValueError, match=r"pixel_size_um holds '0\.5 um'; give micrometres as numbers"):
        sheet.plan(path=_sheet(tmp_path, "file,pixel_size_um\nimg/a.png,0.25\nimg/b.png,0.5 um\n"))
