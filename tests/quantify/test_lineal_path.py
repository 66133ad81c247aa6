"""Lineal path against analytic curves."""

import numpy as np
from matlens.image import lineal_path

PHASES = ["void", "solid"]


def curve(frame, direction):
    return frame.loc[frame["direction"] == direction, "lineal_path_probability"].to_numpy()


def test_stripes():
    labels = np.zeros((10, 40), np.uint8)
    labels[:, 5:12] = 1
    frame = lineal_path.measure(labels, PHASES)
    lag = np.arange(40)
    np.testing.assert_allclose(curve(frame, "x"), np.maximum(0, 7 - lag) / (40 - lag))
    np.testing.assert_allclose(curve(frame, "y"), 7 / 40)


def test_a_full_image_is_1_at_every_lag_and_an_empty_one_0():
    labels = np.ones((6, 7, 8), np.uint8)
    assert (lineal_path.measure(labels, PHASES)["lineal_path_probability"] == 1).all()
    assert (lineal_path.measure(labels, PHASES, phase=0)["lineal_path_probability"] == 0).all()


def test_independent_pixels_are_powers_of_the_fraction():
    labels = (np.random.default_rng(2).random((700, 700)) < 0.6).astype(np.uint8)
    frame = lineal_path.measure(labels, PHASES, max_lag_px=8)
    for direction in "xy":
        np.testing.assert_allclose(curve(frame, direction), 0.6 ** np.arange(1, 10), atol=3e-3)


def test_boolean_discs_follow_lu_and_torquato():
    """Void among overlapping discs: L(r) = exp(-intensity * (pi R^2 + 2 R r))."""
    rng, side, radius = np.random.default_rng(4), 1200, 10.0
    intensity = np.log(2) / (np.pi * radius**2)
    y, x = np.mgrid[-12:13, -12:13]
    labels = np.zeros((side, side), np.uint8)
    for cy, cx in rng.uniform(0, side, (rng.poisson(intensity * side**2), 2)):
        rows, cols = int(cy) + y[:, 0], int(cx) + x[0]
        inside = (rows[:, None] - cy) ** 2 + (cols[None] - cx) ** 2 <= radius**2
        labels[np.ix_(rows % side, cols % side)] |= inside.astype(np.uint8)
    frame = lineal_path.measure(labels, PHASES, phase=0, max_lag_px=60)
    exact = np.exp(-intensity * (np.pi * radius**2 + 2 * radius * np.arange(61)))
    for direction in "xy":
        assert np.abs(curve(frame, direction) - exact).max() < 0.015
