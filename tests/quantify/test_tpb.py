"""Triple-phase boundaries of lines that are known."""

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.quantify import tpb


def test_one_straight_line():
    labels = np.zeros((9, 11, 13), np.uint8)
    labels[:, 5:, :] = 1
    labels[:, 5:, 6:] = 2
    row = tpb.measure(labels).iloc[0]
    assert row["triple_line_density_per_px2"] == pytest.approx(1 / (10 * 12))
    assert row["triple_line_smooth_per_px2"] == pytest.approx(2 / 3 / (10 * 12))


def test_two_phases_have_none_and_the_numbers_of_the_phases_do_not_matter():
    labels = np.random.default_rng(0).integers(0, 2, (8, 8, 8)).astype(np.uint8)
    assert tpb.measure(labels).iloc[0, 0] == 0
    three = np.random.default_rng(0).integers(0, 3, (8, 8, 8)).astype(np.uint8)
    assert tpb.measure(three).iloc[0, 0] == tpb.measure(three * np.uint8(100)).iloc[0, 0] > 1


def test_independent_voxels_meet_as_often_as_probability_says():
    """Of four independent voxels of three equal phases, 36 of 81 draws show all three."""
    labels = np.random.default_rng(1).integers(0, 3, (60, 60, 60)).astype(np.uint8)
    assert tpb.measure(labels).iloc[0, 0] == pytest.approx(3 * 36 / 81, rel=0.01)
    section = np.random.default_rng(1).integers(0, 3, (500, 500)).astype(np.uint8)
    assert tpb.measure(section).iloc[0, 1] == pytest.approx(2 * 36 / 81, rel=0.01)


def test_lines_in_every_direction_are_two_thirds_of_their_staircases():
    side, ratios = 31, []
    grid = np.stack(np.mgrid[:side, :side, :side], axis=-1) - (side - 1) / 2 + 0.013
    for k in range(60):  # a Fibonacci lattice of directions
        c = (k + 0.5) / 60
        phi = k * np.pi * (3 - np.sqrt(5))
        line = np.array([np.cos(phi) * np.sqrt(1 - c * c), np.sin(phi) * np.sqrt(1 - c * c), c])
        u = np.cross(line, [0.3, 0.5, 0.8])
        u /= np.linalg.norm(u)
        angle = np.arctan2(grid @ np.cross(line, u), grid @ u)
        labels = ((angle + np.pi) // (2 * np.pi / 3 + 1e-9)).astype(np.uint8)
        length = (side - 1) / np.abs(line).max()
        ratios.append(tpb.measure(labels).iloc[0, 1] * (side - 1) ** 2 * side / length)
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


def test_region_maps_are_refused_with_a_reason():
    with pytest.raises(BadItem, match="phase map"):
        tpb.measure(np.ones((3, 3, 3), np.int32))


def test_what_is_not_labelled_is_no_phase():
    labels = np.zeros((6, 6), np.uint8)
    labels[:, 3:], labels[3:, 3:] = 1, 255
    assert tpb.measure(labels)["triple_line_smooth_per_px2"].item() == 0
