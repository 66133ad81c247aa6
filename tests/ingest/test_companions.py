"""Files that belong to images by their names: of one image each, and noticed when they change."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from matlens.ingest import files, truths
from matlens.ingest.annotations import csv_places, yolo
from matlens.job.batch import BadItem

LINE = "{} 0.5 0.5 0.2 0.2\n"


def save(path, value=0):
    """Write a small image of one kind of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(value).integers(0, 255, (40, 60)).astype(np.uint8)
    tifffile.imwrite(path, pixels, metadata=None)


def mask(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.zeros((40, 60), np.uint8), metadata=None)


def text(path, words):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)


def labelme(path):
    shape = {"label": "thing", "points": [[5, 5], [20, 5], [20, 20]], "shape_type": "polygon"}
    text(path, json.dumps({"shapes": [shape], "imagePath": "1.tif"}))


def coco(path, *names):
    images = [{"id": k, "file_name": name, "height": 40, "width": 60} for k, name in enumerate(names)]
    objects = [{"id": k, "image_id": k, "category_id": 0, "bbox": [5, 5, 9, 9]} for k, _ in enumerate(names)]
    text(path, json.dumps({"images": images, "categories": [{"id": 0, "name": "thing"}], "annotations": objects}))


def of(frame, column):
    """Return a column by item, as text."""
    held = frame[column] if column in frame else [None] * len(frame)
    return {item: value if isinstance(value, str) else "" for item, value in zip(frame["item"], held, strict=True)}


def two_folders(tmp_path):
    for folder in "AB":
        save(tmp_path / "img" / folder / "1.tif")
    return str(tmp_path / "img/**/*.tif")


@pytest.mark.parametrize("option", ["masks", "exclude_mask", "clean"])
def test_a_mask_of_one_image_is_not_that_of_an_image_of_the_same_stem(tmp_path, option):
    images = two_folders(tmp_path)
    mask(tmp_path / "m/A/1.tif")
    mask(tmp_path / "m/A/2.tif")  # a single file of some options serves all images
    column = {"masks": "truth_file", "exclude_mask": "exclude_file", "clean": "clean_file"}[option]
    found = files.plan(path=images, **{option: str(tmp_path / "m/**/*.tif")})
    assert of(found, column) == {"A/1": str(tmp_path / "m/A/1.tif"), "B/1": ""}


@pytest.mark.parametrize("kind", ["labelme", "yolo", "coco"])
def test_objects_of_one_image_are_not_those_of_an_image_of_the_same_stem(tmp_path, kind):
    images = two_folders(tmp_path)
    if kind == "labelme":
        labelme(tmp_path / "img/A/1.json")
        labels = "img/**/*.json"
    elif kind == "yolo":
        text(tmp_path / "labels/A/1.txt", LINE.format(0))
        labels = "labels/**/*.txt"
    else:
        coco(tmp_path / "all.json", "A/1.tif")
        labels = "all.json"
    found = of(files.plan(path=images, objects=str(tmp_path / labels)), "objects_file")
    assert found["A/1"] and found["B/1"] == ""


def test_objects_of_the_same_stem_in_two_folders_belong_to_the_images_there(tmp_path):
    images = two_folders(tmp_path)
    for folder in "AB":
        labelme(tmp_path / "img" / folder / "1.json")
    found = of(files.plan(path=images, objects=str(tmp_path / "img/**/*.json")), "objects_file")
    assert found == {f"{folder}/1": str(tmp_path / "img" / folder / "1.json") for folder in "AB"}


def test_a_file_that_fits_two_images_equally_is_of_neither(tmp_path):
    images = two_folders(tmp_path)
    mask(tmp_path / "m/1.tif")
    text(tmp_path / "labels/1.txt", LINE.format(0))
    for options in ({"masks": str(tmp_path / "m/*.tif")}, {"objects": str(tmp_path / "labels")}):
        reasons = of(files.plan(path=images, **options), "reason")
        assert all("fits 'A/1' and 'B/1' equally" in reason for reason in reasons.values())


def test_a_picture_in_two_formats_has_its_mask_and_objects(tmp_path):
    import cv2

    save(tmp_path / "img/1.tif")
    cv2.imwrite(str(tmp_path / "img/1.png"), np.zeros((40, 60), np.uint8))
    mask(tmp_path / "m/1.tif")
    coco(tmp_path / "all.json", "1.tif")
    for option, place in (("masks", "m"), ("objects", "all.json")):
        found = files.plan(path=str(tmp_path / "img"), **{option: str(tmp_path / place)})
        kept = found[found["file"].str.endswith("1.tif")].iloc[0]
        assert kept["reason"] is None and kept["truth_file" if option == "masks" else "objects_file"]


def test_a_set_of_regions_has_the_name_of_its_image_and_a_word(tmp_path):
    for name in "ab":
        save(tmp_path / "img" / f"{name}.tif")
    text(tmp_path / "o/a_RoiSet.txt", LINE.format(0))  # the rule is that of names, whatever the format
    found = of(files.plan(path=str(tmp_path / "img"), objects=str(tmp_path / "o")), "objects_file")
    assert found["a"].endswith("a_RoiSet.txt") and found["b"] == ""


def test_a_file_of_objects_of_no_image_is_named(tmp_path):
    save(tmp_path / "img/b.tif")
    save(tmp_path / "img/c.tif")
    labelme(tmp_path / "img/b.json")
    with pytest.raises(ValueError, match=r"b\.json is of '1\.tif': rename one of them"):
        files.plan(path=str(tmp_path / "img/*.tif"), objects=str(tmp_path / "img"))


@pytest.mark.parametrize(("folder", "named"), [
    ("labels", "classes.txt"), ("labels/train", "data.yaml"), ("train/labels", "data.yaml"),
    ("obj_train_data", "obj.names"), (".", "dataset.yaml"),
])  # fmt: skip
def test_classes_are_named_above_the_folders_of_a_set_of_yolo(tmp_path, folder, named):
    words = "nc: 2\nnames: {0: hex, 1: no}\n" if named.endswith("yaml") else "hex\nno\n"
    text(tmp_path / named, words)
    text(tmp_path / folder / "a.txt", LINE.format(1))
    assert [shape.label for page in yolo.read(str(tmp_path / folder / "a.txt")) for shape in page.shapes] == ["no"]


def test_a_list_of_classes_in_a_folder_of_another_kind_counts_for_nothing(tmp_path):
    text(tmp_path / "classes.txt", "hex\nrod\n")
    text(tmp_path / "mine/a.txt", LINE.format(1))
    assert yolo.read(str(tmp_path / "mine/a.txt"))[0].shapes[0].label == "1"


@pytest.mark.parametrize("words", ["names: hex", "names: {a: 0}", "names: [a"])
def test_a_description_of_a_data_set_that_names_no_classes_is_refused(tmp_path, words):
    text(tmp_path / "data.yaml", words)
    text(tmp_path / "labels/a.txt", LINE.format(0))
    with pytest.raises(BadItem, match=r"data\.yaml"):
        yolo.read(str(tmp_path / "labels/a.txt"))


@pytest.mark.parametrize("near", ["classes.txt", "../classes.txt", "../data.yaml"])
def test_names_of_classes_that_change_are_noticed(tmp_path, near):
    save(tmp_path / "a.tif")
    text(tmp_path / "labels/a.txt", LINE.format(0))
    options = {"path": str(tmp_path / "a.tif"), "objects": str(tmp_path / "labels")}
    text(tmp_path / "labels" / near, "names: [hex, rod]")
    before = files.listing(**options)
    text(tmp_path / "labels" / near, "names: [rod, hex] ")
    assert files.listing(**options) != before


@pytest.mark.parametrize(("image", "near"), [
    ("A.TIF", "A.TXT"), ("A.TIF", "A.HDR"), ("a.tif", "a-tif.hdr"), ("a.tif", "a.TXT"),
    ("a.tif", "a.tif.txt"), ("a_1.ser", "a.emi"),
])  # fmt: skip
def test_notes_of_a_microscope_that_change_are_noticed(tmp_path, image, near):
    save(tmp_path / image)
    text(tmp_path / near, "PixelSize=1")
    before = files.listing(path=str(tmp_path / image))
    os.utime(tmp_path / near, (1, 1))
    assert files.listing(path=str(tmp_path / image)) != before


def test_a_mask_that_counts_phases_from_1_is_refused_however_rare_the_second_is():
    drawn = np.ones((100, 100), np.uint8)
    drawn[:3, :3] = 2
    with pytest.raises(BadItem, match=r"truth_values: \{matrix: \[1\], particle: \[2\]\}"):
        truths.to_phases(drawn, ["matrix", "particle"], None)
    with pytest.raises(BadItem, match=r"unlabelled: \[3\]"):
        truths.to_phases(np.where(drawn == 2, 3, np.arange(100) % 3), ["matrix", "particle", "pore"], None)


@pytest.mark.parametrize("name", ["Image Name", "Picture"])
def test_places_of_many_images_are_told_apart_by_names_of_pictures(tmp_path, name):
    text(tmp_path / "p.csv", f"{name},X (px),Y (px)\na.tif,10,20\nb.tif,30,20\n")
    assert [page.image for page in csv_places.read(str(tmp_path / "p.csv"))] == ["a.tif", "b.tif"]


def test_a_clean_image_is_that_of_a_field_at_several_doses(tmp_path):
    for dose in ("dose_1", "dose_2"):
        save(tmp_path / dose / "field.tif", dose[-1] == "2")
        save(tmp_path / dose / "other.tif", 5)
    for name in ("field", "other"):
        save(tmp_path / "slow" / f"{name}.tif")
    plan = files.plan(path=f"{tmp_path}/dose_*/*.tif", clean=f"{tmp_path}/slow")
    assert set(of(plan, "clean_file").values()) == {str(tmp_path / f"slow/{name}.tif") for name in ("field", "other")}
    assert not any(of(plan, "reason").values()) and len(plan) == 4


def test_a_file_of_the_plain_name_goes_before_one_with_a_word(tmp_path):
    save(tmp_path / "img" / "a.tif")
    save(tmp_path / "img" / "b.tif")
    for name in ("a", "a_seg", "b"):
        text(tmp_path / "o" / f"{name}.txt", LINE.format(0))
    found = of(files.plan(path=str(tmp_path / "img"), objects=str(tmp_path / "o")), "objects_file")
    assert {item: found[item] for item in "ab"} == {item: str(tmp_path / "o" / f"{item}.txt") for item in "ab"}


def test_pictures_of_single_objects_are_no_images_of_a_table(tmp_path):
    for name in ("thumbnail", "crop_file", "source"):
        text(tmp_path / "a.csv", f"y,x,{name}\n5,5,1.png\n9,9,2.png\n")
        pages = csv_places.read(str(tmp_path / "a.csv"))
        assert [page.image for page in pages] == (["1.png", "2.png"] if name == "source" else [""])


@pytest.mark.parametrize(
    ("image", "own"),
    [("a_image.png", "a_mask.png"), ("img_001.png", "mask_001.png"), ("A/001.png", "A_001.png"), ("Raw 7.png", "7.png"),
     ("B/x/001.png", "B-x-001_mask.png"), ("b (orig).png", None), ("image.png", None), ("imgs_1.png", "mask_1.png")],
)  # fmt: skip
def test_names_of_pictures_and_of_their_folders_fit_those_of_masks(tmp_path, image, own):
    save(tmp_path / "images" / image)
    save(tmp_path / "images" / "other.png")
    for name in filter(None, (own, "other_mask.png")):
        mask(tmp_path / "masks" / name)
    found = files.plan(path=str(tmp_path / "images" / "**"), masks=str(tmp_path / "masks"))
    truth = dict(zip(found["item"], found["truth_file"], strict=True))
    fits = own and not image.startswith("imgs")
    assert truth.pop("other").endswith("other_mask.png")
    assert [value and Path(value).name for value in truth.values()] == [own if fits else None]


def test_a_mask_of_an_images_whole_name_is_not_in_doubt_for_a_second_image(tmp_path):
    for name in ("x.png", "x_orig.png"):
        save(tmp_path / "images" / name)
    mask(tmp_path / "masks" / "x_mask.png")
    found = files.plan(path=str(tmp_path / "images"), masks=str(tmp_path / "masks"))
    truth = dict(zip(found["item"], found["truth_file"], strict=True))
    assert truth["x"].endswith("x_mask.png") and not truth["x_orig"]


def test_columns_and_groups_are_read_from_folders_where_no_file_name_fits(tmp_path):
    for name in ("s1/650C/a.png", "s1/700C/a.png", "s2/650C/b 7.png"):
        save(tmp_path / "12h" / name)
    about = {"group": r"^(s\d)", "columns": r"(?P<temperature_c>\d+)C/"}
    found = files.plan(path=str(tmp_path / "12h" / "**"), **about)
    assert found["group"].tolist() == ["s1", "s1", "s2"]
    assert found["temperature_c"].tolist() == [650.0, 700.0, 650.0]
    named = files.plan(path=str(tmp_path / "12h" / "**"), columns=r"(?P<number>\d+)")
    assert named["number"].isna().tolist() == [True, True, False]  # a file name that fits comes before folders
    with pytest.raises(ValueError, match=r"matches none of 3 names, such as 's1/650C/a'"):
        files.plan(path=str(tmp_path / "12h" / "**"), columns=r"(?P<time_h>\d+)h")  # a folder of all is no difference


def test_numbers_of_file_names_are_in_the_unit_of_their_column(tmp_path):
    for name in ("a_30min_650C_50nm.png", "b_2h_923.15K_0,2um.png", "c_1d_700 °C_3.png", "d_7hx_20Cr_9mmm.png"):
        save(tmp_path / name)
    pattern = r"_(?P<time_h>[\d.]+)[a-z]+_(?P<temperature_c>[\d.]+).*_(?P<pixel_size_um>[\d.,]+)[a-z]*$"
    found = files.plan(path=str(tmp_path), columns=pattern)
    assert found["time_h"].tolist() == [0.5, 2.0, 24.0, 7.0]  # of "hx" nothing is known
    assert found["temperature_c"].tolist() == [650.0, 650.0, 700.0, 20.0]
    assert found["pixel_size_um"].tolist() == [0.05, 0.2, 3.0, 9.0]
    other = files.plan(path=str(tmp_path), columns=r"_(?P<number>\d+)min")
    assert other["number"].tolist()[0] == 30.0  # the name of a column without a unit means what is written


def test_letters_behind_numbers_are_no_kelvins_where_the_column_is_no_temperature(tmp_path):
    for name in ("s12K.png", "s13K.png"):
        save(tmp_path / name)
    assert files.plan(path=str(tmp_path), columns=r"s(?P<grade_c>\d+)")["grade_c"].tolist() == [12.0, 13.0]
    assert files.plan(path=str(tmp_path), columns=r"s(?P<temp_c>\d+)")["temp_c"].tolist() == [-261.15, -260.15]
