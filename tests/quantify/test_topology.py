"""The network of grains: hexagons, Poisson-Voronoi cells, and what Delaunay's triangulation says of the same points."""

import itertools

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.quantify import topology
from scipy.spatial import Delaunay, cKDTree

PHASES = ["boundary", "grain"]


def cells(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    pixels = np.stack(np.mgrid[: shape[0], : shape[1]], -1).reshape(-1, 2)
    return (cKDTree(points).query(pixels)[1] + 1).reshape(shape).astype(np.int32)


def hexagons(side: float, size: int) -> np.ndarray:
    rows, cols = np.mgrid[-1 : size / side, -1 : size / side]
    points = np.stack([(rows * side * 1.5 + 7.3).ravel(), ((cols + rows % 2 / 2) * side * np.sqrt(3)).ravel()], 1)
    return cells(points, (size, size))


def test_hexagons_have_six_sides_no_variance_and_equal_angles():
    row = topology.measure(hexagons(20.7, 400), PHASES).iloc[0]
    assert row["mean_sides"] == pytest.approx(6) and row["sides_variance"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(row["aboav_a"]) and np.isnan(row["lewis_slope"])
    assert row["mean_area_px2"] == pytest.approx(1.5 * np.sqrt(3) * 20.7**2, rel=0.02)
    assert row["triple_angle_std_deg"] < 6


def test_poisson_voronoi_cells_have_six_sides_and_a_variance_of_1_78():
    points = np.random.default_rng(3).uniform(-60, 1060, (3136, 2))
    row = topology.measure(cells(points, (1000, 1000)), PHASES).iloc[0]
    assert row["mean_sides"] == pytest.approx(6, abs=0.06)
    assert row["sides_variance"] == pytest.approx(1.78, abs=0.15)  # K. A. Brakke 1986: 1.7808
    assert row["mean_area_diameter_px"] == pytest.approx(np.sqrt(4 * 400 / np.pi), rel=0.03)


def test_the_laws_agree_with_those_of_the_triangulation_of_the_same_points():
    points = np.random.default_rng(4).uniform(-60, 1060, (1764, 2))
    labels = cells(points, (1000, 1000))
    row = topology.measure(labels, PHASES).iloc[0]
    start, near = Delaunay(points).vertex_neighbor_vertices
    sides = np.diff(start)
    inside = ((points > 80) & (points < 920)).all(1)
    area = np.bincount(labels.ravel(), minlength=len(points) + 1)[1:]
    around = np.array([sides[near[a:b]].sum() for a, b in itertools.pairwise(start)])
    assert row["aboav_a"] == pytest.approx(6 - np.polyfit(sides[inside], around[inside], 1)[0], abs=0.15)
    slope = np.polyfit(sides[inside], area[inside] / area[inside].mean(), 1)[0]
    assert row["lewis_slope"] == pytest.approx(slope, abs=0.02)


def test_lines_and_unlabelled_margins_leave_the_network_as_it_is():
    points = np.random.default_rng(5).uniform(0, 500, (300, 2))
    labels = cells(points, (500, 500))
    whole = topology.measure(labels[40:460, 40:460], PHASES).iloc[0]
    margin = np.full_like(labels, -1)
    margin[40:460, 40:460] = labels[40:460, 40:460]
    framed = topology.measure(margin, PHASES).iloc[0]
    for name in ("grains_in_area", "mean_sides", "sides_variance", "aboav_a"):
        assert framed[name] == pytest.approx(whole[name], rel=0.01), name
    lines = labels.copy()
    lines[:-1][labels[:-1] != labels[1:]] = 0
    lines[:, :-1][labels[:, :-1] != labels[:, 1:]] = 0
    drawn, filled = (topology.measure(part, PHASES).iloc[0] for part in (lines, labels))
    assert drawn["mean_area_diameter_px"] == pytest.approx(filled["mean_area_diameter_px"], rel=0.01)
    assert drawn["mean_sides"] == pytest.approx(filled["mean_sides"], abs=0.1)


def test_without_grains_there_are_no_moments_and_a_volume_is_a_bad_item():
    row = topology.measure(np.zeros((20, 20), np.int32), PHASES).iloc[0]
    assert row["grains_in_area"] == 0 and np.isnan(row["mean_sides"]) and np.isnan(row["aboav_a"])
    with pytest.raises(BadItem, match="slice by slice"):
        topology.measure(np.ones((3, 9, 9), np.int32), PHASES)


def test_every_column_has_a_meaning():
    assert set(topology.measure(hexagons(12, 80), PHASES)) <= set(MEANING)


def test_the_boundary_of_a_phase_map_parts_grains():
    labels = hexagons(20.7, 400)
    lines = np.zeros(labels.shape, bool)
    lines[:-1] |= labels[:-1] != labels[1:]
    lines[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    row = topology.measure(lines.astype(np.uint8), ["grain", "line"], boundary="line").iloc[0]
    assert row["mean_sides"] == pytest.approx(6, abs=0.05)
    assert row["mean_area_px2"] == pytest.approx(
        1.5 * np.sqrt(3) * 20.7**2, rel=0.05
    )  # rows of the lattice lie along the border
