"""Annotated objects of every format: the same pixels, a row per object, and a reason for each that cannot be used."""

import json
import struct
import zipfile

import cv2
import numpy as np
import pytest
import tifffile
from matlens import objects, run_lengths
from matlens.ingest import annotated, annotations, catalog, files, outlines
from matlens.ingest.annotations import coco
from matlens.job.batch import BadItem
from matlens.store import catalog as sets

SIZE = (40, 60)  # not square: y and x exchanged would show
BOX = {"y": (10, 20), "x": (30, 50)}  # of the first object: rows 10 to 19, columns 30 to 49


def corners(y=BOX["y"], x=BOX["x"]):
    """List x, y of a rectangle."""
    return [x[0], y[0], x[1], y[0], x[1], y[1], x[0], y[1]]


@pytest.fixture
def image(tmp_path):
    def make(name="a.png", size=SIZE):
        pixels = np.random.default_rng(0).integers(0, 255, size).astype(np.uint8)
        (tmp_path / "images").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / name), pixels)
        return tmp_path / "images" / name

    return make


def read(tmp_path, place, phases=("matrix", "thing"), **options):
    """Ingest the images beside a file of objects; returns the plan and the micrographs that could be read."""
    plan = files.plan(path=str(tmp_path / "images"), objects=str(place))
    rows = plan.to_dict("records")
    good = [row for row in rows if not isinstance(row.get("reason"), str)]
    return plan, [files.read(row, list(phases), crop_bars=False, **options) for row in good]


def write_coco(tmp_path, annotations_, images=(("a.png", *SIZE),), names=("thing",)):
    content = {
        "images": [{"id": k, "file_name": n, "height": h, "width": w} for k, (n, h, w) in enumerate(images)],
        "categories": [{"id": k, "name": name} for k, name in enumerate(names)],
        "annotations": [{"id": k, "image_id": 0, "category_id": 0, **one} for k, one in enumerate(annotations_)],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    return tmp_path / "coco.json"


def roi(kind, *, box=(10, 30, 20, 50), x=(), y=(), floats=(), position=0):
    """Make a region of ImageJ by its published layout; `box`: top, left, bottom, right."""
    head = struct.pack(">4shBBhhhhH", b"Iout", 228, kind, 0, *box, len(x))
    head = head.ljust(36, b"\0") + struct.pack(">i", len(floats))
    head = head.ljust(56, b"\0") + struct.pack(">ii", position, 0)
    body = np.array([*x, *y], ">i2").tobytes() if not floats else np.array(floats, ">f4").tobytes()
    return head + body


def via(shape, where="regions"):
    return {"_via_img_metadata": {"a": {"filename": "a.png", "size": 1, "regions": [shape]}}}


X, Y = corners()[0::2], corners()[1::2]
FORMATS = {
    "coco.json": {
        "images": [{"id": 7, "file_name": "sub/a.png", "height": 40, "width": 60}],
        "categories": [{"id": 1, "name": "thing\n"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "segmentation": [corners()]}],
    },
    "box.json": {
        "images": [{"id": 7, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [30, 10, 20, 10]}],
    },
    "via.json": via(
        {
            "shape_attributes": {"name": "polygon", "all_points_x": X, "all_points_y": Y},
            "region_attributes": {"Label": "thing\n"},
        }
    ),
    "via1.json": {
        "a.png123": {
            "filename": "a.png",
            "regions": {
                "0": {
                    "shape_attributes": {"name": "rect", "x": 30, "y": 10, "width": 20, "height": 10},
                    "region_attributes": {"type": {"thing": True, "other": False}},
                }
            },
        }
    },
    "a.json": {
        "shapes": [{"label": "thing", "points": [[30, 10], [50, 20]], "shape_type": "rectangle"}],
        "imagePath": "..\\a.png",
        "imageHeight": 40,
        "imageWidth": 60,
    },
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_json_format_gives_the_same_pixels(tmp_path, image, name):
    image()
    (tmp_path / name).write_text(json.dumps(FORMATS[name]))
    _, (found,) = read(tmp_path, tmp_path / name)
    check_first(found, "thing")


def check_first(found, label):
    expected = np.zeros(SIZE, np.int32)
    expected[10:20, 30:50] = 1
    assert found.truth.dtype == np.int32
    np.testing.assert_array_equal(found.truth, expected)
    row = found.objects.iloc[0]
    assert (row["class"], row["object"], row["reason"], bool(row["at_border"])) == (label, 1, "", False)
    assert row[objects.BOX].tolist() == [10, 30, 20, 50] and row["area_px2"] == row["visible_px2"] == 200
    assert (row["y_px"], row["x_px"]) == (14.5, 39.5)
    assert run_lengths.decode(row["mask"], (10, 20)).all()


def test_yolo_in_parts_of_the_image_with_names_of_classes(tmp_path, image):
    image()
    (tmp_path / "o").mkdir()
    scaled = [value / (60, 40)[at % 2] for at, value in enumerate(corners())]
    (tmp_path / "o/a.txt").write_text(
        "1 " + " ".join(map(str, scaled)) + "\n1 0.05 0.95 0.1 0.1\n1 30 10 50 20 50 10\n"
    )
    (tmp_path / "o/classes.txt").write_text("other\nthing\n")
    _, (found,) = read(tmp_path, tmp_path / "o")
    assert found.objects["class"].tolist() == ["thing"] * 3
    assert found.objects["area_px2"].tolist()[1] == 24  # a box of a tenth of 40 x 60
    assert "no parts of the image" in found.objects["reason"].iloc[2]
    found.truth[found.truth == 2] = 0
    check_first(found, "thing")


@pytest.mark.parametrize("kind", ["rectangle", "polygon", "composite"])
def test_regions_of_imagej(tmp_path, image, kind):
    image()
    path = [0, 30, 10, 1, 50, 10, 1, 50, 20, 1, 30, 20, 4]
    hole = [0, 35, 12, 1, 45, 12, 1, 45, 18, 1, 35, 18, 4]
    made = {
        "rectangle": roi(1),
        "polygon": roi(0, x=[0, 20, 20, 0], y=[0, 0, 10, 10]),
        "composite": roi(1, floats=[*path, *hole]),
    }
    (tmp_path / "a.roi").write_bytes(made[kind])
    _, (found,) = read(tmp_path, tmp_path / "a.roi")
    if kind == "composite":
        assert (found.truth[12:18, 35:45] == 0).all() and found.objects["area_px2"].tolist() == [140]
        found.truth[12:18, 35:45] = 1
        assert (found.truth == 1).sum() == 200
    else:
        check_first(found, "a")


def test_a_zip_of_regions_has_frames(tmp_path):
    import tifffile

    (tmp_path / "images").mkdir()
    frames = np.random.default_rng(0).integers(0, 255, (3, *SIZE)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "images/v.tif", frames, imagej=True, metadata={"axes": "TYX"})
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as archive:
        archive.writestr("loop-1.roi", roi(2, position=2))
        archive.writestr("loop-2.roi", roi(1, position=9))
    _, (found,) = read(tmp_path, tmp_path / "v.zip")
    assert found.truth.shape == (3, *SIZE) and not found.truth[[0, 2]].any()
    assert (found.truth[1] == 1).sum() == pytest.approx(np.pi * 5 * 10, rel=0.03)
    assert found.objects["reason"].tolist() == ["", "it is in frame 8 of a video of 3 frames"]
    assert found.objects["class"].tolist() == ["loop", "loop"]


def test_points_and_tracks_of_csv(tmp_path, image):
    for name in ("a.png", "b.png"):
        image(name)
    rows = ["image;frame;particle;y;x;radius", "a.png;0;0;10;30;4", "a.png;0;1;10.4;30;0", "b.png;0;1;5;7;0"]
    (tmp_path / "t.csv").write_text("\n".join([*rows, "b.png;0;1;20;7;0", "b.png;0;2;90;7;0", "b.png;0;3;;7;0"]))
    _, (a, b) = read(tmp_path, tmp_path / "t.csv")
    assert a.objects["object"].tolist() == [1, 2] and a.objects["y_px"].tolist() == [10, 10.4]
    assert a.truth[10, 30] == 2 and (a.truth == 1).sum() == pytest.approx(np.pi * 16, abs=4)
    assert b.truth[5, 7] == 2 and (b.truth > 0).sum() == 1
    reasons = b.objects["reason"].tolist()
    assert reasons[0] == "" and "a second object of track 2" in reasons[1] and "outside" in reasons[2]
    assert "line 7 has no place" in reasons[3]


def test_run_lengths_of_coco_go_down_the_columns(tmp_path, image):
    # By the published C code: differences to the count before the last, 5 bits a character from '0' on.
    assert coco.counts_of("534O2") == [5, 3, 4, 2, 6] and coco.counts_of("T3") == [100]
    image(size=(16, 16))
    counts = [16 * 3 + 2, 5, 256 - 55]
    place = write_coco(tmp_path, [{"segmentation": {"size": [16, 16], "counts": counts}}], (("a.png", 16, 16),))
    _, (found,) = read(tmp_path, place)
    assert found.objects[objects.BOX].to_numpy().tolist() == [[2, 3, 7, 4]]


def test_overlaps_stay_in_the_table_and_the_smaller_one_lies_on_top(tmp_path, image):
    image()
    inner = corners((12, 16), (32, 40))
    place = write_coco(tmp_path, [{"segmentation": [inner]}, {"segmentation": [corners()]}])
    _, (found,) = read(tmp_path, place)
    assert (found.truth == 1).sum() == 32 and (found.truth == 2).sum() == 200 - 32
    assert found.objects["area_px2"].tolist() == [32, 200] and found.objects["visible_px2"].tolist() == [32, 168]


REFUSED = {
    "fewer than three corners": {"segmentation": [[1, 1, 5, 5]]},
    "neither polygon nor box": {"segmentation": []},
    "no area": {"segmentation": [[1, 1, 5, 1, 9, 1]]},
    "crosses itself": {"segmentation": [[2, 2, 22, 22, 22, 2, 2, 22]]},
    "outside the image": {"segmentation": [[70, 2, 80, 2, 80, 9]]},
    "centre of no pixel": {"segmentation": [[2.6, 2.6, 2.9, 2.6, 2.9, 2.9]]},
    "a crowd": {"segmentation": [[2, 2, 9, 2, 9, 9, 2, 9]], "iscrowd": 1},
    "not finite": {"segmentation": [[2, 2, 9, 2, float("nan"), 9]]},
    "sum to 10": {"segmentation": {"size": [40, 60], "counts": [10]}},
    "run lengths are of 30 x 20 pixels": {"segmentation": {"size": [20, 30], "counts": [600]}},
    "the width -5": {"bbox": [20, 2, -5, 4]},
    "category_id 7 is not defined": {"segmentation": [[2, 2, 9, 2, 9, 9, 2, 9]], "category_id": 7},
    "drawn twice": {"segmentation": [corners()]},
}


@pytest.mark.parametrize("reason", REFUSED)
def test_an_object_that_cannot_be_used_has_a_reason_and_the_others_stay(tmp_path, image, reason):
    image()
    place = write_coco(tmp_path, [{"segmentation": [corners()]}, REFUSED[reason]])
    _, (found,) = read(tmp_path, place)
    assert found.objects["reason"].iloc[0] == "" and reason in found.objects["reason"].iloc[1]
    assert "1 of 2 objects were left out" in found.meta["remark"]
    assert set(np.unique(found.truth)) <= {-1, 0, 1}
    known = ("crosses itself", "a crowd", "category_id 7 is not defined")  # its pixels are, and are of no phase
    assert (found.truth == -1).any() == (reason in known)


def test_a_small_loop_of_the_pen_is_no_reason(tmp_path, image):
    image()
    loop = [30, 10, 50, 10, 50, 20, 40, 20, 40.4, 20.4, 40.4, 20, 40, 20.4, 30, 20]
    _, (found,) = read(tmp_path, write_coco(tmp_path, [{"segmentation": [loop]}]))
    check_first(found, "thing")


def test_absent_images_are_rejected_and_images_without_entry_have_no_truth(tmp_path, image):
    image()
    image("b.png")
    place = write_coco(tmp_path, [{"segmentation": [corners()]}], (("a.png", *SIZE), ("gone.png", *SIZE)))
    plan, found = read(tmp_path, place)
    lost = plan[plan["reason"].notna()]
    assert lost["item"].tolist() == ["gone"] and "an image that is not there" in lost["reason"].item()
    assert found[0].truth is not None and found[1].truth is None


def test_files_of_one_image_that_is_absent_are_rejected(tmp_path, image):
    for name in ("a.png", "Scan.PNG", "c.png"):
        image(name)
    (tmp_path / "o").mkdir()
    for name in ("a", "scan", "gone"):
        (tmp_path / f"o/{name}.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "o/notes.txt").write_text("drawn by two people\n")
    plan, found = read(tmp_path, tmp_path / "o")
    lost = plan[plan["reason"].notna()].set_index("item")["reason"]
    assert sorted(lost.index) == ["gone", "scan"] and "an image that is not there" in lost["gone"]
    assert "'Scan.PNG' is written in another case" in lost["scan"]
    assert [one.truth is not None for one in found].count(True) == 1


def test_an_image_without_objects_is_background(tmp_path, image):
    image()
    _, (found,) = read(tmp_path, write_coco(tmp_path, []))
    assert found.truth.dtype == np.int32 and not found.truth.any() and not len(found.objects)


def test_two_images_of_one_name_are_told_apart_by_their_folders(tmp_path):
    pages = [annotations.Page("x/a.png", ()), annotations.Page("y/a.png", (1,))]
    assert annotated.page_of(pages, "/d/y/a.png", "f").shapes == (1,)
    with pytest.raises(BadItem, match=r"2 entries of images named 'a\.png'"):
        annotated.page_of(pages, "/d/z/a.png", "f")


def test_objects_of_an_image_of_another_size(tmp_path, image):
    image()
    double = [2 * value for value in corners()]
    _, (found,) = read(tmp_path, write_coco(tmp_path, [{"segmentation": [double]}], (("a.png", 80, 120),)))
    check_first(found, "thing")
    assert "scaled by 0.5" in found.meta["remark"]
    place = write_coco(tmp_path, [{"segmentation": [corners()]}], (("a.png", 60, 40),))
    with pytest.raises(BadItem, match="says that the image has 40 x 60 pixels, and it has 60 x 40"):
        read(tmp_path, place)


def test_classes_are_phases_or_are_assigned_to_them(tmp_path, image):
    image()
    given = [{"segmentation": [corners()]}, {"segmentation": [corners((25, 30), (5, 9))], "category_id": 1}]
    place = write_coco(tmp_path, given, names=("loop", "void"))
    phases = ["matrix", "loop", "void"]
    _, (found,) = read(tmp_path, place, phases)
    assert found.objects["phase_name"].tolist() == ["loop", "void"]
    _, (found,) = read(tmp_path, place, phases, masks_are="phases")
    assert found.truth.dtype == np.uint8 and (found.truth == 2).sum() == 20
    _, (found,) = read(tmp_path, place, ["matrix", "hole"], object_classes={"hole": ["void"]})
    assert (found.truth > 0).sum() == 20 and "'loop' is not in object_classes" in found.objects["reason"].iloc[0]
    for classes, reason in ((None, "'loop', which is no phase"), ({"pore": ["voidd"]}, "class 'voidd'")):
        with pytest.raises(ValueError, match=reason):
            options = {"path": str(tmp_path / "images"), "objects": str(place), "object_classes": classes}
            files.check(["matrix", "pore", "crack"], **options)
    with pytest.raises(ValueError, match="two truths"):
        files.check(["a", "b"], path=str(tmp_path / "images"), masks=str(tmp_path / "images"), objects=str(place))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", '{"x": 1}', "none of COCO, VIA or labelme"),
        ("a.json", '{"images": [{"id": 0}], "annotations": []}', "not the form of its format"),
        ("a.json", '{"images": [], "annotations": [{"image_id": 3}]}', "its list 'images' lacks"),
        ("a.csv", "row,column\n1,2\n", "no columns y_px and x_px"),
        ("a.csv", "y;x\n10,5;20,3\n", "line 2 has the decimal comma of '10,5'"),
        ("a.csv", "y,x\n10,5,20,3\n", "line 2 has 4 cells, the header 2; a decimal comma"),
        ("a.json", '{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": []}', "id 1"),
        (
            "a.json",
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "'a' and 'b' have the id 1",
        ),
    ],
)
def test_a_file_that_cannot_be_read_stops_before_the_first_job(tmp_path, image, name, text, reason):
    image()
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=reason):
        files.check(["a", "b"], path=str(tmp_path / "images"), objects=str(tmp_path / name))


def test_classes_of_yolo_that_are_counted_from_1(tmp_path, image):
    image()
    image("b.png")
    (tmp_path / "o").mkdir()
    (tmp_path / "o/classes.txt").write_text("loop\nvoid\n")
    (tmp_path / "o/a.txt").write_text("2 0.5 0.5 0.1 0.1\n")
    (tmp_path / "o/b.txt").write_text("1 0.5 0.5 0.1 0.1\n1 0.5 0.5 -0.1 0.1\n")
    given = {"path": str(tmp_path / "images"), "objects": str(tmp_path / "o")}
    with pytest.raises(ValueError, match="count from 0: subtract 1"):
        files.check(["matrix", "loop", "void"], **given)
    (tmp_path / "o/a.txt").write_text("0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n")
    files.check(["matrix", "loop", "void"], **given)
    _, (a, b) = read(tmp_path, tmp_path / "o", ["matrix", "loop", "void"])
    assert a.objects["phase_name"].tolist() == ["loop", ""] and b.objects["phase_name"].iloc[0] == "void"
    assert "class 2 is not in the list of 2 classes" in a.objects["reason"].iloc[1]
    assert "the width -0.1" in b.objects["reason"].iloc[1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [("0.5,1,5,7,2", "the frame 0.5"), ("inf,1,5,7,2", "the frame inf"), ("0,-2,5,7,2", "the track -2"),
     ("0,1,5,7,-2", "the radius -2"), ("0,1,5,7,nan", "the radius nan"), ("0,1,5,word,2", "holds a word")],
)  # fmt: skip
def test_a_row_of_csv_that_is_no_place_has_a_reason(tmp_path, image, row, reason):
    image()
    lines = ["frame,track,y,x,radius", *[f"0,{n},{n},9,1" for n in (5, 6, 7, 8)], row]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    _, (found,) = read(tmp_path, tmp_path / "a.csv")
    assert not found.objects["reason"].iloc[:4].any() and reason in found.objects["reason"].iloc[4]


def test_a_region_of_via_that_cannot_be_read_has_a_reason(tmp_path, image):
    image()
    shapes = [
        {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": -3, "height": 4}, "region_attributes": {}},
        {"shape_attributes": {"name": "circle", "cx": 9, "cy": 9, "r": -1}, "region_attributes": {}},
        {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 3}, "region_attributes": {}},
        {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 3, "height": 3}, "region_attributes": {}},
    ]
    content = {"a.png1": {"filename": "a.png", "regions": shapes}}
    (tmp_path / "via.json").write_text(json.dumps(content))
    _, (found,) = read(tmp_path, tmp_path / "via.json")
    reasons = found.objects["reason"].tolist()
    assert "the width -3" in reasons[0] and "half axes are -1" in reasons[1] and "lacks 'height'" in reasons[2]
    assert reasons[3] == "" and (found.truth > 0).sum() == 9


def test_objects_move_with_the_rows_that_are_cut_off(tmp_path):
    pixels = np.random.default_rng(0).integers(40, 200, (140, 120)).astype(np.uint8)
    pixels[100:] = 0
    pixels[112:118, 20:60] = 255
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images/a.png"), pixels[::-1].copy())
    place = write_coco(tmp_path, [{"segmentation": [corners((60, 70), (30, 50))]}], (("a.png", 140, 120),))
    plan = files.plan(path=str(tmp_path / "images"), objects=str(place))
    found = files.read(plan.iloc[0].to_dict(), ["a", "b"])
    top = found.meta["bar_top_rows_px"]
    assert top and found.objects["bbox_y_min_px"].item() == 60 - top and found.truth[60 - top, 30] == 1


def test_an_outline_covers_the_pixels_whose_centres_it_holds():
    triangle = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 0.0]])
    turns = outlines.winding([triangle], (0, 0, 10, 10))
    rows, cols = np.mgrid[:10, :10] + 0.5
    np.testing.assert_array_equal(turns != 0, rows + cols < 10)
    # A pentagram is wound twice in its middle: by the even-odd rule that is a hole.
    star = np.array([[50 + 40 * np.cos(a), 50 + 40 * np.sin(a)] for a in np.arange(5) * 4 * np.pi / 5])
    assert set(np.unique(np.abs(outlines.winding([star], (0, 0, 100, 100))))) == {0, 1, 2}
    assert outlines.crosses_itself(star, (0, 0, 100, 100))


def test_random_polygons_have_the_pixels_of_an_independent_library():
    from skimage.draw import polygon2mask

    rng = np.random.default_rng(0)
    for _ in range(20):
        ring = rng.uniform(-10, 50, (rng.integers(3, 12), 2))
        ours = outlines.winding([ring], (0, 0, *SIZE)) & 1 == 1
        np.testing.assert_array_equal(ours, polygon2mask(SIZE, ring - 0.5))


def pairs(found):
    """Count the pairs of objects that share a pixel."""
    whole = []
    for row in found.objects.to_dict("records"):
        y0, x0, y1, x1 = (int(row[name]) for name in objects.BOX)
        whole.append(np.zeros(found.truth.shape, bool))
        whole[-1][y0:y1, x0:x1] = run_lengths.decode(row["mask"], (y1 - y0, x1 - x0))
    return sum((whole[i] & whole[j]).any() for i in range(len(whole)) for j in range(i))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "which", "count", "overlapping"),
    [
        ("tem_loops_316l", "loops", 112, 0),
        ("meltpool_nasa", "pools", 80, 51),
        ("powder_ampis", "particles", 771, None),
        ("powder_ampis", "satellites", 366, None),
        ("tem_insitu_ti", "polygons", 494 + 522 + 505 + 390 + 403, None),
    ],
)
def test_the_shared_sets_have_their_objects(name, which, count, overlapping, data):
    data(sets.entry(name)["folder"])
    made = [
        catalog.read(row, ["matrix", "thing"], set=name)
        for row in catalog.plan(set=name, objects=which).to_dict("records")
    ]
    assert sum(len(one.objects) for one in made) == count
    if overlapping is not None:
        assert 0 <= overlapping - sum(map(pairs, made)) <= 2  # of outlines; two share no centre of a pixel
    assert all(not one.objects["reason"].any() for one in made)


@pytest.mark.data
def test_two_annotations_of_the_titanium_frames_agree_with_f1_of_less_than_one_half(data):
    """Their agreement limits any score on that set: IoU of the pixels of 0.5, one to one."""
    data(sets.entry("tem_insitu_ti")["folder"])
    right = found = 0
    plans = [catalog.plan(set="tem_insitu_ti", objects=name) for name in ("polygons", "polygons_old")]
    for one, other in zip(*(plan.to_dict("records") for plan in plans), strict=True):
        a, b = (catalog.read(row, ["matrix", "loop"], set="tem_insitu_ti").truth for row in (one, other))
        both = np.bincount((a.astype(np.int64) * (b.max() + 1) + b).ravel(), minlength=(a.max() + 1) * (b.max() + 1))
        shared = both.reshape(a.max() + 1, b.max() + 1)
        areas = np.bincount(a.ravel()), np.bincount(b.ravel())
        iou = shared[1:, 1:] / (areas[0][1:, None] + areas[1][None, 1:] - shared[1:, 1:])
        right += int((iou > 0.5).sum())  # above a half, a pair is the only one of both
        found += len(areas[0]) + len(areas[1]) - 2
    assert 2 * right / found == pytest.approx(0.44, abs=0.02)


def test_truths_and_labels_of_imagej_read_the_same_bytes(tmp_path):
    """A rectangle of parts of pixels and a curved path have the area that ImageJ gives them, in both."""
    from matlens.ingest.annotations import imagej
    from matlens.ingest.outlines import area
    from matlens.segment import rois

    exact = bytearray(roi(1, box=(10, 30, 20, 50)))
    exact[18:34], exact[50:52] = np.array([30.5, 10.5, 19, 9], ">f4").tobytes(), np.array([128], ">i2").tobytes()
    half = 4 / 3 * (np.sqrt(2) - 1) * 10  # handles of a quarter of a circle of radius 10
    path = [0, 30, 20, 3, 30, 20 + half, 20 + half, 30, 20, 30, 1, 20, 20, 4]
    for data, expected in ((bytes(exact), 19 * 9), (roi(0, floats=path), np.pi * 100 / 4)):
        (tmp_path / "a.roi").write_bytes(data)
        ((shape,),) = (page.shapes for page in imagej.read(str(tmp_path / "a.roi")))
        assert area(shape.parts[0][0]) == pytest.approx(expected, rel=0.01)
        drawn = rois.read(tmp_path / "a.roi", (40, 60))
        assert np.count_nonzero(drawn) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("x", "said"), [((30, 50), False), ((30, 62), False), ((30, 70), True), ((-9, 50), True)])
def test_outlines_that_reach_beyond_the_image_are_noted(tmp_path, image, x, said):
    image()
    _, (found,) = read(tmp_path, write_coco(tmp_path, [{"segmentation": [corners(x=x)]}]))
    assert ("1 of 1 outlines reach beyond the image" in str(found.meta.get("remark"))) == said


def test_objects_without_a_frame_are_noted_to_be_in_every_frame(tmp_path):
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (3, *SIZE)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "images/a.tif", pixels, imagej=True, metadata={"axes": "TYX"})
    given = {"segmentation": [corners()]}
    _, (found,) = read(tmp_path, write_coco(tmp_path, [given], images=[("a.tif", *SIZE)]))
    assert found.objects["frame"].tolist() == [0, 1, 2]
    assert "objects without a frame are in each of the 3 frames" in found.meta["remark"]


@pytest.mark.parametrize(
    ("frames", "unlabelled"), [([0, 2, 6], [1, 3, 5]), ([1, 3, 5], [0, 2, 4, 6]), ([0, 2], []), ([0, 2, 3], [])]
)
def test_frames_between_those_that_were_annotated_are_unlabelled(tmp_path, frames, unlabelled):
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (7, *SIZE)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "images/a.tif", pixels, imagej=True, metadata={"axes": "TYX"})
    (tmp_path / "a.csv").write_text("frame,track,y,x\n" + "".join(f"{frame},1,15,40\n" for frame in frames))
    _, (found,) = read(tmp_path, tmp_path / "a.csv")
    assert np.flatnonzero((found.truth == -1).all((1, 2))).tolist() == unlabelled
    assert ((found.truth == -1).sum(), "steps of 2" in str(found.meta.get("remark"))) == (
        len(unlabelled) * SIZE[0] * SIZE[1], bool(unlabelled),
    )  # fmt: skip
