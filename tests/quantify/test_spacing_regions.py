"""Lengths where pixels are no squares and slices are apart, and the window where not all is labelled."""

import json

import numpy as np
import pandas as pd
import pytest
from matlens import columns, quantify
from matlens.ingest import files
from matlens.quantify import bands, boundaries, fractions, neighbours, polygons, regions, sizes, window
from matlens.segment import otsu
from matlens.store import io
from scipy import ndimage

PHASES = ["matrix", "body"]
CASES = "cases/images/"


def grid(shape, spacing):
    """Return the positions of pixels along each axis, in pixel widths."""
    return np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij")


def ball(shape, spacing, centre, radius):
    places = grid(shape, spacing)
    return (sum((p - c) ** 2 for p, c in zip(places, centre, strict=True)) <= radius**2).astype(np.uint8)


@pytest.mark.parametrize("spacing", [(5.0, 1.0, 1.0), (4.0, 1.0, 1.0), (0.5, 1.0, 1.0), (2.0, 1.5, 1.0), (1, 1, 1)])
def test_a_ball_is_a_ball_at_every_spacing(spacing):
    shape = tuple(int(70 / s) for s in spacing)
    row = regions.measure(ball(shape, spacing, (34.2, 35.3, 34.7), 25), PHASES, spacing).iloc[0]
    assert row["volume_px3"] == pytest.approx(4 / 3 * np.pi * 25**3, rel=0.02)
    assert row["equivalent_diameter_px"] == pytest.approx(50, rel=0.01)
    assert row["sphericity"] == pytest.approx(1, abs=0.04)
    assert [row[f"centroid_{a}_px"] for a in "zyx"] == pytest.approx([34.2, 35.3, 34.7], abs=0.3)
    assert row["bbox_z_max_px"] - row["bbox_z_min_px"] == pytest.approx(50, abs=spacing[0] + 1)
    (summary,) = sizes.measure(ball(shape, spacing, (34.2, 35.3, 34.7), 25), PHASES, spacing, border="all").to_dict(
        "records"
    )
    window_px3 = np.prod(shape) * np.prod(spacing)
    assert summary["number_density_per_px3"] == pytest.approx(1 / window_px3)


@pytest.mark.parametrize("spacing", [(2.0, 1.0), (0.5, 1.0), (3.0, 1.0)])
@pytest.mark.parametrize("angle", [0, 30, 75, 120])
def test_an_ellipse_is_that_ellipse(spacing, angle):
    shape = tuple(int(180 / s) for s in spacing)
    y, x = grid(shape, spacing)
    turn = np.radians(angle)
    along = (x - 90) * np.cos(turn) - (y - 90) * np.sin(turn)
    across = (x - 90) * np.sin(turn) + (y - 90) * np.cos(turn)
    image = ((along / 60) ** 2 + (across / 30) ** 2 <= 1).astype(np.uint8)
    row = regions.measure(image, PHASES, spacing).iloc[0]
    assert row["aspect_ratio"] == pytest.approx(2, rel=0.02)
    assert (row["orientation_deg"] - angle + 90) % 180 - 90 == pytest.approx(0, abs=1)
    assert row["area_px2"] == pytest.approx(np.pi * 60 * 30, rel=0.02)
    one = max(spacing)  # hulls are drawn around the corners of pixels
    assert -1 < row["feret_max_px"] - 120 < 1.5 * one and -1 < row["feret_min_px"] - 60 < 1.5 * one
    assert row["perimeter_px"] == pytest.approx(290.7, rel=0.1)


def test_weights_of_a_grid_are_exact_on_average_and_fair_to_flat_faces():
    for spacing in ((5.0, 1.0, 1.0), (2.0, 1.0), (0.25, 1.0, 1.0)):
        steps, weights, _ = boundaries.directions(len(spacing), spacing)
        vectors = (steps[:, -len(spacing) :] * np.array(spacing)) / np.prod(spacing)
        normals = np.eye(len(spacing))
        # a unit face with normal n is crossed |n u| / V times by the lines along u
        flat = np.abs(normals @ vectors.T) @ weights
        assert flat.min() > 0.65 and flat.max() < 1.3, (spacing, flat)


def test_polygons_and_neighbours_of_stretched_pixels():
    places = np.random.default_rng(5).random((60, 2)) * 240
    y, x = grid((240, 240), (1, 1))
    near = np.argmin((y.ravel()[:, None] - places[:, 0]) ** 2 + (x.ravel()[:, None] - places[:, 1]) ** 2, axis=1)
    full = (near.reshape(240, 240) + 1).astype(np.int32)
    half = np.ascontiguousarray(full[::2])
    both = [
        (m(full, PHASES, **o), m(half, PHASES, (2.0, 1.0), **o))
        for m, o in ((polygons.measure, {"gap_px": 0}), (polygons.triple_points, {}), (neighbours.measure, {}))
    ]
    (fine, coarse) = both[0]
    sure = fine["complete"] & coarse["complete"] & (fine["sides"] == coarse["sides"])
    assert sure.sum() > 15
    for name in ("polygon_area_px2", "polygon_perimeter_px"):
        assert (coarse[name] / fine[name])[sure].mean() == pytest.approx(1, abs=0.02)
    assert (coarse["angle_std_deg"] - fine["angle_std_deg"])[sure].abs().mean() < 6
    fine, coarse = both[1]
    assert coarse[["angle_a_deg", "angle_b_deg", "angle_c_deg"]].stack().std() == pytest.approx(
        fine[["angle_a_deg", "angle_b_deg", "angle_c_deg"]].stack().std(), rel=0.25
    )
    fine, coarse = both[2]
    assert coarse["boundary_length_px"].sum() == pytest.approx(fine["boundary_length_px"].sum(), rel=0.04)


def blobs(shape, sigma, seed=0):
    return (ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma) > 0.05 / sigma).astype(
        np.uint8
    )


MEASURES = [
    (regions.measure, {}),
    (regions.measure, {"gap_px": 3.0}),
    (sizes.measure, {}),
    (sizes.measure, {"border": "exclude"}),
    (neighbours.measure, {"background": True}),
    (neighbours.measure, {"gap_px": 3.0}),
    (fractions.measure, {"fields": 1}),
]


@pytest.mark.parametrize("kind", ["phases", "regions"])
@pytest.mark.parametrize("spacing", [None, (1.5, 1.0), (3.0, 1.2, 1.0)])
def test_a_margin_without_labels_gives_what_the_cropped_image_gives(kind, spacing):
    axes = 2 if spacing is None else len(spacing)
    labels = blobs((90, 110), 3) if axes == 2 else blobs((20, 30, 36), 2)
    margin = [(7, 3), (0, 9), (4, 4)][:axes]
    if kind == "regions":
        labels = ndimage.label(labels)[0].astype(np.int32)
    whole = np.pad(labels, margin, constant_values=255 if kind == "phases" else -1)
    for measure, options in MEASURES + [(polygons.measure, {}), (polygons.triple_points, {})] * (axes == 2):
        cropped, found = (measure(part, PHASES, spacing, **options) for part in (labels, whole))
        moved = [n for n in cropped if n.startswith(("centroid", "bbox", "y_px", "x_px"))]
        pd.testing.assert_frame_equal(cropped.drop(columns=moved), found.drop(columns=moved), rtol=1e-9)


def test_a_round_window_gives_the_density_of_the_structure():
    rng = np.random.default_rng(2)
    labels = np.zeros((700, 700), np.uint8)
    for y, x in rng.random((3000, 2)) * 700:
        y, x = int(y), int(x)
        if not labels[max(0, y - 6) : y + 7, max(0, x - 6) : x + 7].any():
            labels[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5] = 1
    true = sizes.measure(labels, PHASES).iloc[0]
    y, x = grid(labels.shape, (1, 1))
    seen = np.where((y - 350) ** 2 + (x - 350) ** 2 < 300**2, labels, 255).astype(np.uint8)
    found = sizes.measure(seen, PHASES).iloc[0]
    assert found["number_density_per_px2"] == pytest.approx(true["number_density_per_px2"], rel=0.03)
    assert found["nearest_neighbour_px"] == pytest.approx(true["nearest_neighbour_px"], rel=0.03)
    table = regions.measure(seen, PHASES)
    beside, marks = ndimage.binary_dilation(seen == 255), ndimage.label(seen == 1, np.ones((3, 3)))[0]
    cut = np.isin(np.arange(1, len(table) + 1), marks[beside])
    assert np.array_equal(table["touches_border"], cut) and 10 < cut.sum() < len(table) / 2


def test_spots_inside_the_window_cut_no_region():
    labels = ball((60, 60), (1, 1), (30, 30), 20)
    labels[30, 30] = 255
    assert not regions.measure(labels, PHASES)["touches_border"].any()
    labels[25:35, 25:35] = 255
    assert regions.measure(labels, PHASES)["touches_border"].all()
    labels[:] = 255
    assert len(regions.measure(labels, PHASES)) == 0
    assert sizes.measure(labels, PHASES).iloc[0]["regions"] == 0


@pytest.mark.parametrize("margin", [0, 11])
def test_bands_give_the_whole_with_spacing_and_margins(monkeypatch, margin):
    monkeypatch.setattr(bands, "BAND_ROWS", 7)
    labels = np.pad(blobs((90, 80), 3), margin, constant_values=255)
    labels[40:43, 40] = 255
    for ours, theirs in (
        (bands.regions, regions.measure),
        (bands.sizes, sizes.measure),
        (bands.fractions, fractions.measure),
    ):
        found = ours(lambda a, b: labels[a:b], labels.shape, PHASES, spacing=(1.7, 1.0))
        pd.testing.assert_frame_equal(found, theirs(labels, PHASES, (1.7, 1.0)), check_exact=True)


def test_window_weights_of_a_rectangle_and_of_any_window_agree():
    outside = np.zeros((40, 50), bool)
    box = np.array([[3, 4, 9, 20], [0, 3, 5, 8], [10, 10, 39, 30]])
    whole = window.Window(None, (40, 50), (0, 0), 2000)
    other = window._fitting(box, outside, "miles_lantuejoul")
    assert other == pytest.approx(whole.weights(box, "miles_lantuejoul"))


def item(spacing_um, axes="zyx"):
    return {"item": "a", "axes": axes, "pixel_size_um": spacing_um[-1], "spacing_um": spacing_um}


def test_micrometres_of_a_volume_need_the_distance_of_its_slices():
    labels = ball((20, 30, 30), (2.0, 1.0, 1.0), (20, 15, 15), 9)
    for z, known in ((0.2, True), (None, False)):
        about = item([z, 0.1, 0.1])
        offered = {"phases": PHASES, "spacing": io.spacing_ratio(about, "zyx")}
        row = quantify.rows(regions.measure, about, {"labels": labels}, offered, {}).iloc[0]
        assert (row["volume_um3"] == row["volume_um3"]) == known
        assert quantify.pixel_size(about) == (0.1 if known else None)
    assert row["volume_px3"] == labels.sum()
    frames = item([0.2, 0.1], "tyx")
    assert io.spacing_ratio(frames, "tyx") == (2.0, 1.0) and quantify.pixel_size(frames) == 0.1
    assert io.spacing_ratio({"pixel_size_um": 0.3}, "zyx") == (1.0, 1.0, 1.0)
    assert io.spacing_ratio({"pixel_size_um": None, "spacing_um": None}, "zyx") == (1.0, 1.0, 1.0)


def test_a_warning_of_the_labels_stands_in_the_table():
    labels = np.zeros((10, 10), np.uint8)
    about = item([0.1, 0.1], "yx") | {columns.REMARK: "all of the image is phase 'matrix'"}
    table = quantify.rows(fractions.measure, about, {"labels": labels}, {"phases": PHASES}, {})
    assert table[columns.REMARK].tolist() == [about[columns.REMARK]] * 2


@pytest.mark.parametrize("case", ["01_z_spacing", "02_unequal_x_and_y", "03_scale_of_another_image"])
def test_shared_cases(data, case):
    folder = data(CASES + case)
    for name, about in json.loads((folder / "expected.json").read_text())["inputs"].items():
        found, right = files.read({"file": str(folder / name)}, PHASES), about["right"]
        ends = {"intensity_low": found.intensity_low, "intensity_high": found.intensity_high}
        labels = otsu.segment(io.unit_interval(found.pixels, ends), foreground="bright")
        row = {"item": "a", "axes": found.axes, "pixel_size_um": found.pixel_size_um, "spacing_um": found.spacing_um}
        offered = {"phases": PHASES, "spacing": io.spacing_ratio(row, found.axes)}
        table = quantify.rows(regions.measure, row, {"labels": labels}, offered, {})
        assert len(table) == right["regions"]
        for key, value in right.items():
            column = key.removesuffix("_each").removeprefix("mean_")
            if column in table and isinstance(value, dict):
                wanted = pytest.approx(value["value"], rel=value.get("rel"), abs=value.get("abs"))
                assert table[column].mean() == wanted, (name, key)


def test_shared_case_of_labels_that_are_not_there(data):
    from PIL import Image

    folder = data(CASES + "09_not_labelled")
    tables = [
        measure(np.array(Image.open(folder / f"{name}.png")), PHASES, **options)
        for measure, options in MEASURES[:3]
        for name in ("margin24", "margin24_cropped")
    ]
    for found, cropped in zip(tables[::2], tables[1::2], strict=True):
        moved = [n for n in cropped if n.startswith(("centroid", "bbox"))]
        pd.testing.assert_frame_equal(found.drop(columns=moved), cropped.drop(columns=moved), rtol=1e-9)
