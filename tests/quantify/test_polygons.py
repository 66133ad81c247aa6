"""Polygons and triple points of tilings whose corners are known."""

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.quantify import polygons
from scipy.spatial import Voronoi, cKDTree

PHASES = ["boundary", "grain"]


def cells(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    pixels = np.stack(np.mgrid[: shape[0], : shape[1]], -1).reshape(-1, 2)
    return (cKDTree(points).query(pixels)[1] + 1).reshape(shape).astype(np.int32)


def hexagons(side: float, shape: tuple[int, int]) -> np.ndarray:
    """Draw regular hexagons as the cells of a triangular lattice."""
    rows, cols = np.mgrid[-1 : shape[0] / side, -1 : shape[1] / side]
    y = rows * side * 1.5 + 7.3
    x = (cols + 0.5 * (rows % 2)) * side * np.sqrt(3) + 3.1
    return cells(np.stack([y.ravel(), x.ravel()], 1), shape)


def test_regular_hexagons_have_six_sides_and_120_degrees():
    labels = hexagons(30.7, (420, 400))
    table = polygons.measure(labels, PHASES)
    whole = table[table["complete"]]
    assert len(whole) > 30
    assert (whole["sides"] == 6).all() and (whole["neighbours"] == 6).all()
    assert whole["polygon_area_px2"].mean() == pytest.approx(1.5 * np.sqrt(3) * 30.7**2, rel=0.003)
    assert whole["side_mean_px"].mean() == pytest.approx(30.7, rel=0.003)
    assert np.allclose(whole["angle_mean_deg"], 120) and whole["angle_std_deg"].max() < 4
    points = polygons.triple_points(labels, PHASES)
    angles = points[["angle_a_deg", "angle_b_deg", "angle_c_deg"]].dropna()
    np.testing.assert_allclose(angles.sum(axis=1), 360)
    np.testing.assert_allclose(angles.mean(), 120, atol=1.5)
    assert angles.stack().std() < 4


def test_known_unequal_angles_are_found_for_the_right_region():
    y, x = np.mgrid[-80:81, -80:81]
    turn = (np.degrees(np.arctan2(-y - 0.2, x - 0.3)) - 17) % 360
    labels = (1 + np.digitize(turn, [90, 90 + 150])).astype(np.int32)
    row = polygons.triple_points(labels, PHASES, radius_px=30).iloc[0]
    assert row[["region_a", "region_b", "region_c"]].tolist() == [1, 2, 3]
    np.testing.assert_allclose(row[["angle_a_deg", "angle_b_deg", "angle_c_deg"]].astype(float), [90, 150, 120], atol=2)
    assert np.hypot(row["y_px"] - 80, row["x_px"] - 80) < 1.5


def test_polygons_agree_with_the_vertices_of_the_voronoi_diagram():
    points = np.random.default_rng(5).random((60, 2)) * 400
    diagram = Voronoi(points)
    table = polygons.measure(cells(points, (400, 400)), PHASES).set_index("region")
    apart = cKDTree(diagram.vertices).query(diagram.vertices, k=2)[0][:, 1]
    compared = 0
    for grain, row in table[table["complete"]].iterrows():
        cell = diagram.regions[diagram.point_region[grain - 1]]
        corners = diagram.vertices[cell]
        y, x = corners.T
        sides = np.hypot(np.diff(y, append=y[0]), np.diff(x, append=x[0]))
        if -1 in cell or apart[cell].min() < 4:
            continue  # corners this close cannot be told apart on the pixel grid
        area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
        assert row["sides"] == len(corners) == row["neighbours"]
        assert row["polygon_area_px2"] == pytest.approx(area, abs=0.35 * sides.sum())
        assert row["polygon_perimeter_px"] == pytest.approx(sides.sum(), rel=0.02)
        compared += 1
    assert compared >= 10


def test_lines_between_grains_are_closed_first():
    labels = hexagons(30.7, (260, 260))
    edge = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
    labels[edge] = 0
    table = polygons.measure(labels, PHASES)
    assert (table["sides"][table["complete"]] == 6).mean() > 0.9
    assert not polygons.measure(labels, PHASES, gap_px=0)["complete"].any()


def test_close_junctions_merge_on_request():
    labels = np.ones((40, 40), np.int32)
    labels[:20, 20:], labels[20:, :21], labels[20:, 21:] = 2, 3, 4
    assert len(polygons.triple_points(labels, PHASES)) == 2
    assert len(polygons.triple_points(labels, PHASES, merge_px=2)) == 0  # four grains meet: no triple point


def test_a_grain_within_a_grain_has_no_corner():
    labels = np.ones((20, 20), np.int32)
    labels[5:9, 5:9] = 2
    table = polygons.measure(labels, PHASES).set_index("region")
    assert table.loc[2, "sides"] == 0 and table.loc[2, "neighbours"] == 1 and np.isnan(table.loc[2, "polygon_area_px2"])
    assert not table.loc[1, "complete"] and len(polygons.triple_points(labels, PHASES)) == 0


def test_no_grain_gives_no_row_and_a_volume_is_a_bad_item():
    assert len(polygons.measure(np.zeros((9, 9), np.int32), PHASES)) == 0
    with pytest.raises(BadItem, match="slice by slice"):
        polygons.measure(np.ones((3, 9, 9), np.int32), PHASES)


def test_every_column_has_a_meaning():
    labels = hexagons(12, (60, 60))
    assert {*polygons.measure(labels, PHASES), *polygons.triple_points(labels, PHASES)} <= set(MEANING)


def test_angles_sum_to_360_even_where_grains_are_as_small_as_the_pixels_allow():
    rng = np.random.default_rng(5)
    labels = cells(rng.random((4000, 2)) * 400, (400, 400))
    angles = polygons.triple_points(labels, PHASES, radius_px=4)[["angle_a_deg", "angle_b_deg", "angle_c_deg"]].dropna()
    assert len(angles) > 3000
    np.testing.assert_allclose(angles.sum(axis=1), 360)
    np.testing.assert_allclose(polygons._gaps(np.radians([[0.0, 120.0, 0.0]])).sum(), 360)
