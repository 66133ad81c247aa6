"""Drawn, excluded and NaN pixels are not measured; damaged and doubtful files are reported."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from matlens import registry, segment
from matlens.ingest import bars, damage, files, masks_seen, truths
from matlens.job.batch import BadItem
from matlens.quantify import fractions, regions
from matlens.segment import frames
from PIL import Image, ImageDraw
from scripts import collect

CASES = "cases/images"
PHASES = ["matrix", "disc"]


def measured(path, **options):
    """Read a file and label it by otsu: the micrograph and its labels."""
    found = files.read({"file": str(path)}, PHASES, **options)
    low, high = found.intensity_low, found.intensity_high
    image = np.clip((found.pixels.astype(np.float32) - low) / (high - low), 0, 1)
    stacks = {"image": image, "truth": None, **found.layers}
    return found, frames.label(registry.load(segment.METHODS, "otsu"), found.axes, stacks, {"phases": PHASES}, {})


def specimen(shape=(120, 160), seed=0, bright=190):
    """Draw five discs on noise, uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = rng.normal(70, 6, shape)
    for cy, cx in ((25, 30), (25, 100), (60, 65), (90, 30), (75, 130)):
        image[(y - cy) ** 2 + (x - cx) ** 2 < 144] += bright - 70
    return np.clip(image, 0, 250).astype(np.uint8)


@pytest.mark.parametrize("name", ["white_bar.tif", "black_box.tif", "bar_at_left.tif"])
def test_bars_of_the_shared_cases_are_unlabelled(data, name):
    folder = data(f"{CASES}/15_drawn_on_the_image")
    right = json.loads((folder / "expected.json").read_text())["inputs"][name]["right"]
    found, labels = measured(folder / name)
    assert len(regions.measure(labels, PHASES)) == right["regions"]
    fraction = fractions.measure(labels, PHASES)["area_fraction"][1]
    assert fraction == pytest.approx(right["area_fraction"]["value"], rel=0.03)
    top, left, height, width = right["not_specimen_top_left_height_width"]
    assert (labels[top : top + height, left : left + width] == 255).all()
    assert (labels == 255).sum() <= 1.6 * height * width + 200
    if "scale_bar_px" in right:
        assert abs(found.meta["scale_bar_px"] - 50) <= 1


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize(("back", "ink"), [(0, 255), (255, 0)])
def test_information_bars_on_any_side_are_not_measured(tmp_path, side, back, ink):
    image = specimen()
    length = image.shape[1] if side in ("top", "bottom") else image.shape[0]
    strip = Image.new("L", (length, 24), back)
    ImageDraw.Draw(strip).text((5, 5), "15 kV x5000", fill=ink)
    strip = np.asarray(strip) if side in ("top", "bottom") else np.rot90(np.asarray(strip))
    stack = np.vstack if side in ("top", "bottom") else np.hstack
    tifffile.imwrite(tmp_path / "a.tif", stack([strip, image] if side in ("top", "left") else [image, strip]))
    _, labels = measured(tmp_path / "a.tif")
    assert (labels != 255).sum() == image.size
    assert len(regions.measure(labels, PHASES)) == 5


def test_the_text_beside_a_scale_bar_goes_with_it_and_specimen_stays():
    image = specimen()
    image[108:112, 60:110] = 255
    picture = Image.fromarray(image)
    ImageDraw.Draw(picture).text((75, 94), "5 um", fill=255)
    drawn = np.asarray(picture)
    bar = bars.find_scale_bar(drawn)
    boxes = bars.around_scale_bar(drawn, bar, 0, 255)
    ink = np.argwhere(drawn.astype(int) - image > 60)
    assert len(boxes) == 2
    y0, x0, y1, x1 = boxes[1]
    assert (ink.min(axis=0) >= (y0, x0)).all() and (ink.max(axis=0) < (y1, x1)).all()
    assert (y1 - y0) * (x1 - x0) < 800


@pytest.mark.parametrize(("frame", "inside"), [(0, 255), (255, 0)])
def test_the_bar_is_found_and_not_the_frame_around_it(frame, inside):
    image = specimen((480, 640))
    image[440:450, 500:611] = frame
    image[443:447, 505:605] = inside
    assert bars.find_scale_bar(image)["width"] == 100
    hollow = specimen((480, 640))
    hollow[400:402, 480:620] = hollow[450:452, 480:620] = hollow[400:452, 480:482] = hollow[400:452, 618:620] = 255
    hollow[430:434, 500:600] = 255
    assert bars.find_scale_bar(hollow)["width"] == 100


def test_lamellae_of_a_binary_image_are_no_scale_bar(tmp_path):
    image = np.zeros((120, 160), np.uint8)
    for row in range(10, 110, 12):
        image[row : row + 4, 20 + row % 7 : 70 + row % 7] = 255
    tifffile.imwrite(tmp_path / "a.tif", image)
    found, labels = measured(tmp_path / "a.tif")
    assert not (labels == 255).any() and "exclude" in found.meta["remark"]


def test_nan_borders_are_unlabelled_and_an_image_of_nan_is_refused(data, tmp_path):
    found, labels = measured(data(f"{CASES}/18_nan_border/registered.tif"))
    assert (labels == 255).sum() == 1299 == found.meta["ignored_px"]
    assert len(regions.measure(labels, PHASES)) == 5
    assert fractions.measure(labels, PHASES)["area_fraction"][1] == pytest.approx(0.125132674, rel=0.03)
    stack = np.stack([specimen().astype(np.float32)] * 3)
    stack[1, :5] = np.inf
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack", metadata={"axes": "TYX"})
    _, labels = measured(tmp_path / "s.tif")
    assert (labels == 255).sum() == (labels[1, :5] == 255).sum() == 5 * 160
    stack[2] = np.nan
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack", metadata={"axes": "TYX"})
    with pytest.raises(BadItem, match="1 of its 3 planes"):
        measured(tmp_path / "s.tif")


@pytest.mark.parametrize("exclude", [[50, 0, 10, 20], [5, 5, 5, 9], [[0, 0, 9, 9], [3, 8, 9, 2]]])
def test_rectangles_without_a_pixel_stop_before_the_first_job(exclude):
    with pytest.raises(ValueError, match="holds no pixel"):
        files.check(PHASES, path="", exclude=exclude)
    files.check(PHASES, path="", exclude=[[0, 0, 9, 9], [3, 2, 9, 8]])


def test_rectangles_and_masks_are_excluded_from_labels_and_truth(tmp_path):
    image = specimen()
    tifffile.imwrite(tmp_path / "a.tif", image)
    Image.fromarray((image > 130).astype(np.uint8)).save(tmp_path / "truth.png")
    outside = np.zeros(image.shape, np.uint8)
    outside[:, 150:] = 7
    Image.fromarray(outside).save(tmp_path / "outside.png")
    item = {"file": str(tmp_path / "a.tif"), "truth_file": str(tmp_path / "truth.png")}
    item["exclude_file"] = str(tmp_path / "outside.png")
    found = files.read(item, PHASES, exclude=[[0, 0, 50, 60], [100, 0, 500, 10]])
    hidden = outside > 0
    hidden[:50, :60] = hidden[100:, :10] = True
    assert np.array_equal(found.layers["ignore"] > 0, hidden) and np.array_equal(found.truth == 255, hidden)
    for exclude, why in (
        ([5, 5, 5, 9], "lies outside"),
        ([200, 0, 210, 9], "lies outside"),
        ([0, 0, 120, 160], "no pixel is left"),
    ):
        with pytest.raises(BadItem, match=why):
            files.read({"file": str(tmp_path / "a.tif")}, PHASES, exclude=exclude)
    plan = files.plan(path=str(tmp_path / "a.tif"), exclude_mask=str(tmp_path / "outside.png"))
    assert plan["exclude_file"].tolist() == [str(tmp_path / "outside.png")]


@pytest.mark.parametrize(
    "method", sorted(set(segment.METHODS) - set(segment.LEARNERS) - {"imported", "painted", "ebsd_grains"})
)
def test_no_method_labels_what_is_ignored(method):
    image = specimen().astype(np.float32) / 255
    ignore = np.zeros(image.shape, np.uint8)
    ignore[90:, 80:] = 1
    dirty = image.copy()
    dirty[90:, 80:] = np.random.default_rng(1).random((30, 80))
    function = registry.load(segment.METHODS, method)
    options = {"classes": 2} if method == "multi_otsu" else {}
    found = []
    for picture in (image, dirty):
        stacks = {"image": picture, "truth": (image > 0.5).astype(np.uint8), "ignore": ignore}
        found.append(frames.label(function, "yx", stacks, {"phases": PHASES}, options))
    hidden = 255 if found[0].dtype == np.uint8 else -1
    assert np.array_equal(found[0] == hidden, ignore > 0)
    assert np.array_equal(found[0], found[1])  # what is drawn there changes nothing elsewhere


@pytest.mark.parametrize("name", ["lower_half_u16.tif", "lower_half_u8.tif", "control_dark_half.tif"])
def test_half_copied_files_are_reported(data, name):
    found = files.read({"file": str(data(f"{CASES}/19_half_copied/{name}"))}, PHASES)
    assert found.meta.get("constant_rows_px") == (None if "control" in name else 60)
    assert ("60 of 120 rows" in found.meta.get("remark", "")) == ("control" not in name)


@pytest.mark.parametrize(("shape", "cut", "count"), [((40, 30), 37, None), ((40, 30), 20, 20), ((6, 20, 20), 5, 1)])
def test_constant_ends_of_images_and_stacks(shape, cut, count):
    from matlens.ingest import Micrograph

    pixels = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint8)
    pixels[cut:] = 0
    found = Micrograph(pixels, "yx" if len(shape) == 2 else "zyx")
    damage.tail(found)
    assert found.meta.get("constant_rows_px") == count


def test_of_two_files_of_one_stem_the_one_that_says_more_is_kept(data):
    plan = files.plan(path=str(data(f"{CASES}/20_same_stem_twice")) + "/img.*")
    kept, lost = plan[plan["reason"].isna()], plan[plan["reason"].notna()]
    assert kept["file"].item().endswith("img.tif") and "img.tif was kept" in lost["reason"].item()


def test_files_that_are_no_items_are_listed_in_the_log(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        Image.fromarray(specimen()).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "sub").mkdir()
    files.plan(path=str(tmp_path))
    said = capsys.readouterr().out
    assert "notes.txt" in said and "sub" in said and "a.png" not in said


@pytest.mark.parametrize("name", ["four_touching", "grains"])
def test_masks_that_number_objects_are_region_maps(data, name):
    folder = data(f"{CASES}/08_instance_masks")
    image = next(path for path in folder.glob(f"{name}.*"))
    item = {"file": str(image), "truth_file": str(next((folder / "masks").glob(f"{name}.*")))}
    found = files.read(item, ["background", "grain"], masks_are="regions")
    assert found.truth.dtype == np.int32
    numbers = np.unique(found.truth[found.truth > 0])
    assert numbers.tolist() == [1, 2, 70, 300] if name == "four_touching" else len(numbers) == 69


def test_region_masks_of_every_number_type():
    many = np.arange(70_000 * 2, dtype=np.uint32).reshape(200, 700) // 2
    assert len(np.unique(truths.to_regions(many))) == 70_000
    assert truths.to_regions(np.array([[0.0, np.nan, 3.0]])).tolist() == [[0, -1, 3]]
    assert truths.to_regions(np.array([[-5, 0, 2]], np.int16)).tolist() == [[-1, 0, 2]]
    assert truths.to_regions(np.array([[0, 2**40, 7]], np.uint64)).tolist() == [[0, 2, 1]]
    with pytest.raises(BadItem, match="fractional"):
        truths.to_regions(np.array([[0.5]]))


def test_a_mask_with_one_phase_among_others_is_reported(capsys):
    rows = [{"item": f"i{k}", "truth_phases": 3} for k in range(4)]
    rows += [{"item": "odd", "truth_phases": 1, "remark": "cut off"}, {"item": "no"}]
    found = masks_seen.compared(pd.DataFrame(rows))
    assert found["remark"].notna().tolist() == [False] * 4 + [True, False]
    assert found["remark"][4].startswith("cut off; its mask has one phase, masks of other items have 3")
    assert capsys.readouterr().out.startswith("odd: its mask")
    alone = pd.DataFrame([{"item": "a", "truth_phases": 1}, {"item": "b", "truth_phases": 1}, {"item": "c"}])
    assert "remark" not in masks_seen.compared(alone)


@pytest.mark.parametrize("parts", [[6], [3, 3], [1, 1, 1, 1, 1, 1]])
def test_masks_are_compared_over_the_study_whatever_its_shards(tmp_path, parts):
    from matlens.store import io

    rows = pd.DataFrame([{"item": f"i{k}", "truth_phases": 1 if k in (4, 5) else 3} for k in range(6)])
    edges = np.cumsum([0, *parts])
    paths = [str(tmp_path / f"{k}.parquet") for k in range(len(parts))]
    for path, first, last in zip(paths, edges[:-1], edges[1:], strict=True):
        io.write_table(path, rows[first:last])
    collect.main(paths, str(tmp_path / "all.parquet"), "index")
    assert io.read_table(tmp_path / "all.parquet")["remark"].notna().tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize("name", ["a.png", "a16.png", "grey.png", "a.tif", "planes.tif"])
@pytest.mark.parametrize("corner", ["clear", "opaque", "all"])
def test_transparent_pixels_are_not_measured(tmp_path, name, corner):
    """A corner of alpha 0 is black in the file; if alpha is 0 everywhere, the program has written none."""
    grey, box = specimen(), np.s_[:40, :50]
    grey[box] = 0
    alpha = np.full(grey.shape, 0 if corner == "all" else 255, np.uint8)
    alpha[box] = 0 if corner != "opaque" else 255
    if name == "grey.png":
        Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]).save(tmp_path / name)
    elif name == "planes.tif":
        rgba = np.stack([grey] * 3 + [alpha])
        tifffile.imwrite(tmp_path / name, rgba, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"])
    elif name == "a.tif":
        rgba = np.dstack([grey] * 3 + [alpha])
        tifffile.imwrite(tmp_path / name, rgba, photometric="rgb", extrasamples=["unassalpha"])
    elif name == "a16.png":
        import imagecodecs

        rgba = np.dstack([grey] * 3 + [alpha]).astype(np.uint16) * 257
        (tmp_path / name).write_bytes(imagecodecs.png_encode(rgba))
    else:
        Image.fromarray(np.dstack([grey] * 3 + [alpha])).save(tmp_path / name)
    found, labels = measured(tmp_path / name)
    assert found.meta.get("ignored_px", 0) == (2000 if corner == "clear" else 0)
    assert (labels[box] == 255).all() == (corner == "clear")
    if corner == "clear":
        share = fractions.measure(labels, PHASES).set_index("phase")["area_fraction"][1]
        cut = specimen() > 130
        cut[box] = False
        assert share == pytest.approx(cut.sum() / (cut.size - 2000), abs=0.01)


def test_planes_that_are_colours_by_their_header_are_remarked(tmp_path):
    """Slices that were written without saying that they are grey are stored as the planes of one colour image."""
    tifffile.imwrite(tmp_path / "a.tif", np.stack([specimen(seed=seed) for seed in range(3)]), photometric="rgb")
    assert (
        "its 3 planes are colours by its header" in files.read({"file": str(tmp_path / "a.tif")}, PHASES).meta["remark"]
    )


def test_a_volume_with_a_header_says_more_than_a_picture_of_its_name(tmp_path):
    for name in ("a.png", "a.nrrd"):
        (tmp_path / name).touch()
    plan = files.plan(path=str(tmp_path))
    assert plan["file"][plan["reason"].isna()].item().endswith("a.nrrd")
