"""Regions and their neighbours: figures of known shape, and scikit-image as an independent measurer."""

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.quantify import boundaries, neighbours, region_map, regions
from scipy import ndimage
from scipy.spatial import ConvexHull, cKDTree

PHASES = ["matrix", "grain"]


def voronoi(grains: int, size: int, seed: int = 0) -> np.ndarray:
    """Draw a region map of Voronoi cells around random points."""
    points = np.random.default_rng(seed).random((grains, 2)) * size
    pixels = np.stack(np.mgrid[:size, :size], -1).reshape(-1, 2)
    return (cKDTree(points).query(pixels)[1] + 1).reshape(size, size).astype(np.int32)


def ball(radius: float, axes: int, size: int) -> np.ndarray:
    grid = np.stack(np.mgrid[(slice(0, size),) * axes], -1) - (size - 1) / 2
    return ((grid**2).sum(-1) <= radius**2).astype(np.uint8)


def test_a_rectangle_is_measured_as_drawn():
    labels = np.zeros((40, 50), np.uint8)
    labels[5:15, 10:34] = 1
    row = regions.measure(labels, PHASES).iloc[0]
    assert row["area_px2"] == row["convex_area_px2"] == 240
    assert (row["centroid_y_px"], row["centroid_x_px"]) == (9.5, 21.5)
    assert row[[f"bbox_{a}_{e}_px" for e in ("min", "max") for a in "yx"]].tolist() == [5, 10, 15, 34]
    assert row["feret_max_px"] == pytest.approx(26.0)  # 10, 24, 26: a Pythagorean triple
    assert row["feret_min_px"] == pytest.approx(10.0)
    assert row["solidity"] == 1 and row["orientation_deg"] == pytest.approx(0)
    assert row["major_axis_px"] == pytest.approx(4 * np.sqrt((24**2 - 1) / 12))
    assert row["phase_name"] == "grain" and not row["touches_border"] and row["neighbours"] == 0


@pytest.mark.parametrize("angle", [0, 30, 75, 120, 165])
def test_an_ellipse_has_its_axes_and_its_angle(angle):
    y, x = np.mgrid[-100:101, -100:101]
    turn = np.radians(angle)
    along, across = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    row = regions.measure(((along / 80) ** 2 + (across / 40) ** 2 <= 1).astype(np.uint8), PHASES).iloc[0]
    off = (row["orientation_deg"] - angle) % 180
    assert min(off, 180 - off) < 0.2
    assert row["major_axis_px"] == pytest.approx(160, rel=0.005)
    assert row["minor_axis_px"] == pytest.approx(80, rel=0.005)
    assert row["eccentricity"] == pytest.approx(np.sqrt(0.75), rel=0.002)
    assert row["perimeter_px"] == pytest.approx(387.5, rel=0.02)  # complete elliptic integral, semi-axes 80 and 40
    assert row["feret_max_px"] == pytest.approx(160, abs=1.5)
    assert row["feret_min_px"] == pytest.approx(80, abs=1.5)


def test_regions_agree_with_scikit_image():
    from skimage.measure import regionprops_table

    labels = voronoi(120, 260)
    labels[ball(60, 2, 260) > 0] = 0
    found = regions.measure(labels, PHASES)
    names = ["label", "area", "equivalent_diameter_area", "centroid", "bbox", "axis_major_length", "axis_minor_length"]
    names += ["eccentricity", "perimeter_crofton", "orientation", "area_convex", "feret_diameter_max"]
    oracle = regionprops_table(labels, properties=names)
    pairs = {
        "region": "label",
        "area_px2": "area",
        "equivalent_diameter_px": "equivalent_diameter_area",
        "centroid_y_px": "centroid-0",
        "centroid_x_px": "centroid-1",
        "bbox_y_min_px": "bbox-0",
        "bbox_x_max_px": "bbox-3",
        "major_axis_px": "axis_major_length",
        "minor_axis_px": "axis_minor_length",
        "perimeter_px": "perimeter_crofton",
        "eccentricity": "eccentricity",
    }
    for mine, theirs in pairs.items():
        np.testing.assert_allclose(found[mine], oracle[theirs], rtol=1e-9, atol=1e-5, err_msg=mine)
    off = (found["orientation_deg"] - 90 - np.degrees(oracle["orientation"])) % 180
    assert np.minimum(off, 180 - off).max() < 1e-6
    # their hull runs around the midpoints of pixel edges, ours around the corners
    assert (found["feret_max_px"] - oracle["feret_diameter_max"]).between(-0.5, 1).all()
    assert ((found["convex_area_px2"] - oracle["area_convex"]).abs() <= found["perimeter_px"] / 2).all()


def test_hulls_agree_with_qhull():
    labels = voronoi(40, 120, seed=3)
    labels[::7] = 0  # regions with gaps inside
    found = regions.measure(labels, PHASES).set_index("region")
    for region in found.index:
        pixels = np.argwhere(labels == region)
        corners = np.concatenate([pixels + shift for shift in ((0, 0), (0, 1), (1, 0), (1, 1))])
        hull = ConvexHull(corners)
        points = corners[hull.vertices]
        reach = (points @ hull.equations[:, :2].T + hull.equations[:, 2]).min(0)
        across = np.linalg.norm(points[:, None] - points[None], axis=-1)
        row = found.loc[region]
        assert row["convex_area_px2"] == pytest.approx(hull.volume)
        assert row["feret_max_px"] == pytest.approx(across.max())
        assert row["feret_min_px"] == pytest.approx(-reach.max())


def test_a_ball_has_its_volume_and_surface():
    row = regions.measure(ball(20, 3, 48), PHASES).iloc[0]
    assert row["volume_px3"] == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.005)
    assert row["surface_area_px2"] == pytest.approx(4 * np.pi * 20**2, rel=0.01)
    assert row["sphericity"] == pytest.approx(1, abs=0.02)
    assert row["centroid_z_px"] == pytest.approx(23.5) and not row["touches_border"]


def test_a_volume_of_one_slice_counts_as_many_regions_as_its_image():
    labels = voronoi(30, 60)
    assert len(regions.measure(labels[None], PHASES)) == len(regions.measure(labels, PHASES)) == 30
    assert regions.measure(labels[None], PHASES)["touches_border"].all()


def test_regions_of_each_phase_are_its_components():
    labels = np.array([[1, 1, 0, 2], [0, 0, 1, 2], [2, 0, 0, 0]], np.uint8)
    corners = regions.measure(labels, ["a", "b", "c"])
    assert sorted(zip(corners["phase"], corners["area_px2"], strict=True)) == [(1, 3), (2, 1), (2, 2)]
    faces = regions.measure(labels, ["a", "b", "c"], connectivity="faces", background=True)
    for phase, name in enumerate("abc"):
        expected, _ = ndimage.label(labels == phase)
        assert sorted(faces["area_px2"][faces["phase_name"] == name]) == sorted(np.bincount(expected.ravel())[1:])
    assert len(regions.measure(labels, ["a", "b", "c"], min_area_px2=2)) == 2


def test_a_region_map_keeps_its_numbers():
    labels = np.zeros((8, 8), np.int32)
    labels[1:3, 1:3], labels[5:7, 5:7], labels[1, 6] = 900, 7, 2_000_000_000
    found = regions.measure(labels, ["a", "b", "c"])
    assert dict(zip(found["region"], found["area_px2"], strict=True)) == {7: 4, 900: 4, 2_000_000_000: 1}
    assert found["phase"].isna().all()  # three phases: the map does not say which
    assert (regions.measure(labels, PHASES)["phase"] == 1).all()


def test_labels_without_regions_give_no_rows():
    for empty in (np.zeros((5, 6), np.uint8), np.zeros((5, 6), np.int32), np.zeros((3, 5, 6), np.int32)):
        found = regions.measure(empty, PHASES)
        assert len(found) == 0 and {"region", "neighbours"} <= set(found.columns)
        assert len(neighbours.measure(empty, PHASES)) == 0


@pytest.mark.parametrize("labels", [np.full((4, 4), -2, np.int32), np.zeros((4, 4)), np.zeros(4, np.uint8)])
def test_labels_that_name_no_regions_are_bad_items(labels):
    with pytest.raises(BadItem, match=r"regions|axes"):
        regions.measure(labels, PHASES)


def test_neighbours_agree_with_the_adjacency_graph_of_scikit_image():
    from skimage.graph import RAG

    labels = voronoi(150, 200, seed=1)
    found = neighbours.measure(labels, PHASES)
    edges = {tuple(sorted(edge)) for edge in RAG(labels).edges}
    assert set(zip(found["region_a"], found["region_b"], strict=True)) == edges
    counted = regions.measure(labels, PHASES).set_index("region")["neighbours"]
    assert counted.sum() == 2 * len(edges)


def test_boundaries_of_a_region_add_up_to_its_perimeter():
    labels = voronoi(60, 160, seed=2)
    perimeter, pairs, length = boundaries.count(labels, 60)
    table = regions.measure(labels, PHASES)
    inner = ~table["touches_border"].to_numpy()
    shared = np.bincount(pairs[:, 0], length, 61) + np.bincount(pairs[:, 1], length, 61)
    np.testing.assert_allclose(
        shared[1:][inner], perimeter[1:][inner], rtol=0.03
    )  # less pairs that share a corner only


def test_a_straight_boundary_has_its_length():
    y, x = np.mgrid[:301, :301] - 150
    lengths = []
    for angle in range(0, 180, 5):
        side = (y * np.cos(np.radians(angle)) + x * np.sin(np.radians(angle)) + 0.123 > 0) & (y**2 + x**2 < 140**2)
        labels = np.where(y**2 + x**2 < 140**2, 1 + side, 0).astype(np.int32)
        lengths.append(neighbours.measure(labels, PHASES)["boundary_length_px"].item())
    assert np.mean(lengths) == pytest.approx(280, rel=0.02)  # Crofton is right on average over directions
    assert np.ptp(lengths) < 0.15 * 280


def test_grains_with_a_line_between_them_touch_when_the_gap_is_closed():
    labels = np.ones((20, 21), np.int32)
    labels[:, 10], labels[:, 11:] = 0, 2
    assert len(neighbours.measure(labels, PHASES)) == 0
    assert neighbours.measure(labels, PHASES, gap_px=1)[["region_a", "region_b"]].to_numpy().tolist() == [[1, 2]]
    assert regions.measure(labels, PHASES, gap_px=1)["neighbours"].tolist() == [1, 1]
    assert regions.measure(labels, PHASES, gap_px=1)["area_px2"].tolist() == [200, 200]


def test_pixels_that_are_not_labelled_are_in_no_region():
    labels = np.array([[0, 0, 254, 255], [1, 1, 254, 255]], np.uint8)
    names = [f"p{k}" for k in range(255)]
    assert sorted(region_map.number(labels, names, background=True).phase) == [0, 1, 254]
    assert sorted(region_map.number(labels, names).phase) == [1, 254]
    assert region_map.number(np.array([[-1, 0, 5]], np.int32), PHASES).number.tolist() == [5]


def test_every_column_has_a_meaning():
    flat, solid = regions.measure(voronoi(9, 40), PHASES), regions.measure(ball(4, 3, 12), PHASES)
    assert {*flat, *solid, *neighbours.measure(voronoi(9, 40), PHASES)} <= set(MEANING)


@pytest.mark.slow
def test_regions_and_neighbours_are_fast():
    import subprocess
    import sys
    from pathlib import Path

    script = Path(__file__).parents[2] / "benchmarks" / "quantify_regions.py"
    subprocess.run([sys.executable, str(script), "--size", "1024", "--grains", "1250", "--check"], check=True)
