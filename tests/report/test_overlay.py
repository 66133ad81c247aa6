"""Overlays show labels where they are, in the colours they should have, small enough to send."""

import io

import numpy as np
import pytest
from matlens.report import caption, html, overlay, shard
from matlens.store import io as store
from PIL import Image


def test_extremes_of_the_main_table_are_shown_and_the_rest_is_drawn():
    keys = list(range(20))
    values = {key: float((key * 7) % 20) for key in keys}
    found = overlay.chosen(keys, values, 6)
    assert len(found) == 6 and found == sorted(found) == overlay.chosen(keys, values, 6)
    lowest, highest = min(values, key=values.get), max(values, key=values.get)
    assert {lowest, highest} <= set(found)
    assert overlay.chosen(keys, {}, 6) != [0, 1, 2, 17, 18, 19] and len(overlay.chosen(keys, {}, 6)) == 6
    assert overlay.chosen([3], {3: 1.0}, 6) == [3] and overlay.chosen([], {}, 6) == []
    assert len(overlay.chosen(keys, {4: float("nan")}, 1)) == 1


def test_a_dark_image_is_stretched_for_display():
    image = np.linspace(0.0, 0.06, 10_000).reshape(100, 100)
    found = overlay.stretched(image)
    assert found.min() == 0 and found.max() == 1 and found[50, 0] == pytest.approx(0.5, abs=0.02)
    assert (overlay.stretched(np.full((4, 4), 0.5)) == 0.5).all()


@pytest.mark.parametrize(
    ("width", "size", "text"),
    [(1000, 0.05, "10 µm"), (1000, 1e-4, "20 nm"), (1000, None, "200 px"), (640, 50.0, "5 mm")],
)
def test_scale_bars_have_round_lengths_and_a_unit(width, size, text):
    length, said = caption.bar_length(width, size)
    assert said == text and 0.09 * width <= length <= 0.25 * width + 1


def test_a_caption_names_every_colour_and_stands_below():
    labels = np.array([[0, 1, 255]], np.uint8).repeat(40, 0).repeat(60, 1)
    entries = caption.legend(labels, ["matrix", "particle"], True)
    assert [name for name, _ in entries] == ["matrix", "particle", "not measured", "outline of the truth"]
    picture = np.full((120, 300, 3), 7, np.uint8)
    found = caption.add(picture, entries, 600, 0.1)
    assert found.shape[1] == 300 and found.shape[0] > 120 and (found[:120] == 7).all()
    bar = (found[120:] == 0).all(axis=2).sum(axis=1).max()
    assert bar >= 0.9 * 300 * (10 / 60)  # 10 of 60 micrometres
    assert [name for name, _ in caption.legend(labels.astype(np.int32), [], False)] == ["outline of regions"]


def test_a_phase_is_tinted_and_outlined_and_the_first_is_left_alone():
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 10:30] = 1
    picture = overlay.paint(np.full((40, 40), 0.5), labels, None, width_px=40)
    blue = overlay.rgb("#0072B2")
    assert picture[2, 2].tolist() == [128, 128, 128]
    assert picture[20, 20].tolist() == np.round(0.7 * 127.5 + 0.3 * blue).tolist()
    assert picture[20, 9].tolist() == blue.tolist() == picture[20, 29].tolist()


def test_what_is_not_labelled_is_not_tinted():
    labels = np.full((20, 20), 255, np.uint8)
    labels[5:15, 5:15] = 1
    picture = overlay.paint(np.full((20, 20), 0.5), labels, None, width_px=20)
    assert picture[1, 1].tolist() == [128, 128, 128]
    assert picture[10, 10].tolist() != [128, 128, 128]


def test_regions_are_outlined_only_and_truth_has_its_own_colour():
    labels = np.ones((30, 30), np.int32)
    labels[:, 15:] = 70_000
    truth = np.zeros((30, 30), np.uint8)
    truth[20:] = 1
    picture = overlay.paint(np.zeros((30, 30)), labels, truth, width_px=30)
    assert (picture[:19, 14] == overlay.rgb(overlay.PALETTE[1])).all()
    assert (picture[19] == overlay.rgb(overlay.TRUTH)).all()
    assert picture[5, 5].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("spacing", "shape"), [((0.2, 0.1), (30, 60)), ((0.1, 0.2), (120, 60)), ((0.1, 0.3), (90, 30))]
)
def test_a_disc_in_unequal_pixels_is_drawn_round(tmp_path, spacing, shape):
    y, x = np.indices(shape)
    inside = ((y - shape[0] / 2) * spacing[0]) ** 2 + ((x - shape[1] / 2) * spacing[1]) ** 2 < 1.5**2
    attrs = {"item": "a", "axes": "yx", "spacing_um": list(spacing), "pixel_size_um": spacing[1]}
    attrs |= {"intensity_low": 0.0, "intensity_high": 1.0}
    for name, array in (("image", inside.astype(np.float32)), ("labels", inside.astype(np.uint8))):
        with store.write_arrays(tmp_path / f"{name}.zarr.zip") as out:
            out.add(0, array, "yx", attrs)
    files = shard.draw(
        [0], 1, [tmp_path / "image.zarr.zip"], [tmp_path / "labels.zarr.zip"], [tmp_path / "labels.zarr.zip"],
        ["a", "b"], 300,
    )  # fmt: skip
    picture = np.asarray(Image.open(io.BytesIO(files["00000000.png"]))).astype(int)
    yellow = np.abs(picture - overlay.rgb(overlay.TRUTH)).max(axis=2) < 8
    yellow = yellow[: round(300 * shape[0] * spacing[0] / shape[1] / spacing[1])]
    rows, cols = np.flatnonzero(yellow.any(axis=1)), np.flatnonzero(yellow.any(axis=0))
    assert np.ptp(rows) == pytest.approx(np.ptp(cols), rel=0.1)


def test_pictures_have_the_width_asked_for_and_no_absurd_height():
    def size(height, width):
        picture = overlay.paint(np.zeros((height, width)), np.zeros((height, width), np.uint8), None, width_px=100)
        return picture.shape[:2]

    assert size(50, 200) == (25, 100)
    assert size(20, 40) == (50, 100)
    assert size(3000, 10)[0] <= 300
    assert size(1, 1) == (100, 100)


def test_not_a_number_is_black():
    image = np.full((8, 8), 0.5)
    image[2, 2] = np.nan
    assert overlay.paint(image, np.zeros((8, 8), np.uint8), None, width_px=8)[2, 2].tolist() == [0, 0, 0]


def test_the_middle_of_a_stack_is_shown():
    assert overlay.plane(np.arange(5)[:, None, None] * np.ones((5, 4, 4))).max() == 2


def test_thumbnails_of_noise_stay_below_forty_kilobytes():
    noise = np.random.default_rng(0).integers(0, 256, (900, 700, 3), dtype=np.uint8)
    found = overlay.files(7, noise)
    assert sorted(found) == ["00000007.large.jpg", "00000007.png", "00000007.thumb.jpg"]
    assert len(found["00000007.thumb.jpg"]) <= overlay.THUMB_BYTES
    assert len(found["00000007.large.jpg"]) <= overlay.LARGE_BYTES
    assert (np.asarray(Image.open(io.BytesIO(found["00000007.png"]))) == noise).all()


def test_a_row_of_a_table_leads_to_the_picture_of_its_item():
    view = {"head": ["item", "method", "x"], "rows": [["b", "otsu", "1"], ["a", "otsu", "2"], ["b", "unet", "3"]]}
    assert html.links(view, {"otsu": {7}, "unet": {7, 9}}, {7: "b", 9: "a"}, "s") == ["s-otsu-7", "", "s-unet-7"]
    view = {"head": ["item"], "rows": [["a"], ["c"]]}
    assert html.links(view, {"otsu": {7}, "unet": {7, 9}}, {7: "b", 9: "a"}, "s") == ["s-unet-9", ""]
    assert html.links({"head": ["x"], "rows": [["1"]]}, {}, {}, "s") == []
