"""Chord lengths against bars of known width and stereology."""

import numpy as np
import pytest
from matlens.image import chords

PHASES = ["void", "solid"]


def test_bars_of_known_width():
    labels = np.zeros((8, 50), np.uint8)
    labels[:, 0:6] = labels[:, 10:14] = labels[:, 20:29] = 1  # the first is cut by the border
    frame = chords.measure(labels, PHASES).set_index("direction")
    assert frame.loc["x", ["chords", "chords_cut"]].tolist() == [16, 8]
    assert frame.loc["x", "chord_mean_px"] == 6.5
    assert frame.loc["x", "chord_std_px"] == 2.5
    assert frame.loc["x", "mean_intercept_px"] == (6 + 4 + 9) / 2.5
    assert frame.loc["y", ["chords", "chords_cut"]].tolist() == [0, 19]
    assert frame.loc["y", ["chord_mean_px", "mean_intercept_px"]].isna().all()
    counted = chords.distribution(labels, PHASES)
    counted = counted[counted["chords"] > 0]
    assert counted["chord_length_px"].tolist() == [4, 9]
    assert counted["chord_probability"].tolist() == [0.5, 0.5]


def test_the_mean_intercept_of_a_sphere_is_4_v_over_s():
    radius, side = 20.3, 50
    z, y, x = np.mgrid[:side, :side, :side] - (side / 2 - 0.37)
    labels = (z**2 + y**2 + x**2 <= radius**2).astype(np.uint8)
    frame = chords.measure(labels, PHASES)
    np.testing.assert_allclose(frame["mean_intercept_px"], 4 / 3 * radius, rtol=0.01)
    assert frame["direction"].tolist() == ["z", "y", "x"]


def test_independent_pixels_have_geometric_chords():
    labels = (np.random.default_rng(1).random((900, 900)) < 0.5).astype(np.uint8)
    frame = chords.measure(labels, PHASES)
    np.testing.assert_allclose(frame["mean_intercept_px"], 2.0, rtol=0.01)
    counted = chords.distribution(labels, PHASES)
    first = counted[(counted["direction"] == "x") & (counted["chord_length_px"] <= 5)]
    np.testing.assert_allclose(first["chord_probability"], 0.5 ** np.arange(1, 6), atol=4e-3)


@pytest.mark.parametrize("value", [0, 1])
def test_no_phase_and_nothing_but_the_phase(value):
    labels = np.full((5, 6), value, np.uint8)
    frame = chords.measure(labels, PHASES)
    assert frame["chords"].tolist() == [0, 0]
    assert frame["mean_intercept_px"].isna().all()
    assert len(chords.distribution(labels, PHASES)) == 0


def test_runs_are_found_at_both_ends_of_lines():
    labels = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 1]], np.uint8)
    frame = chords.measure(labels, PHASES).set_index("direction")
    assert frame.loc["x", ["chords", "chords_cut"]].tolist() == [0, 4]
    assert frame.loc["y", ["chords", "chords_cut"]].tolist() == [0, 3]
    assert frame.loc["x", "mean_intercept_px"] == 5 / 2
