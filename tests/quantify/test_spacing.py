"""Pixels that are not square: measures take the true lengths along each axis."""

import numpy as np
import pytest
from matlens.image import chords, cluster, lineal_path, tortuosity, two_point
from matlens.quantify import grain_size, stereology, surface, tpb
from scipy import ndimage
from scipy.spatial import cKDTree

PHASES = ["void", "solid"]


def blobs(shape, wide=3.0, part=0.45, seed=0):
    """Draw smooth random blobs."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), wide, mode="wrap")
    return (noise < np.quantile(noise, part)).astype(np.uint8)


@pytest.mark.parametrize("measure", [two_point, cluster, lineal_path])
def test_curves_run_over_true_lengths(measure):
    labels = blobs((40, 60))
    plain = measure.measure(labels, PHASES, max_lag_px=30)
    found = measure.measure(labels, PHASES, (2.5, 1.0), max_lag_px=30)
    for frame, step in ((plain, 1), (found, 2.5)):
        rows = frame[frame["direction"] == "y"]
        assert np.allclose(rows["lag_px"], np.arange(len(rows)) * step) and rows["lag_px"].max() <= 30
    y, old = (frame[frame["direction"] == "y"].iloc[:, -1].to_numpy() for frame in (found, plain))
    np.testing.assert_allclose(y, old[: len(y)])


def test_the_radial_curve_is_that_of_the_same_structure_in_square_pixels():
    labels = blobs((300, 300), 6.0)
    whole = two_point.correlation(labels > 0, 40, False, True)["radial"]
    thin = two_point.correlation(labels[::3] > 0, 40, False, True, None, (3.0, 1.0))["radial"]
    plain = two_point.correlation(labels[::3] > 0, 40, False, True)["radial"]
    assert np.abs(thin - whole[: len(thin)]).max() < 0.01
    assert np.abs(plain - whole[: len(plain)]).max() > 0.05


def test_chords_have_true_lengths():
    labels = blobs((50, 60))
    plain, found = (chords.measure(labels, PHASES, spacing).set_index("direction") for spacing in (None, (3.0, 1.0)))
    for name in ("chord_mean_px", "chord_std_px", "mean_intercept_px"):
        np.testing.assert_allclose(found[name], plain[name] * [3, 1])
    long = chords.distribution(labels, PHASES, spacing=(3.0, 1.0))
    assert set(long.loc[long["direction"] == "y", "chord_length_px"] % 3) == {0.0}


def test_a_sphere_in_flat_voxels_has_its_surface():
    radius = 20.3
    z, y, x = np.mgrid[:18, :54, :54]
    inside = ((z - 8.6) * 3.0) ** 2 + (y - 26.4) ** 2 + (x - 26.7) ** 2 <= radius**2
    row = surface.measure(inside.astype(np.uint8), PHASES, (3.0, 1.0, 1.0)).iloc[0]
    assert row["specific_surface_per_px"] * inside.size * 3 == pytest.approx(4 * np.pi * radius**2, rel=0.08)
    y, x = np.mgrid[:60, :120]
    disc = ((y - 29.6) * 2.0) ** 2 + (x - 59.7) ** 2 <= 40.3**2
    row = surface.measure(disc.astype(np.uint8), PHASES, (2.0, 1.0)).iloc[0]
    assert row["specific_surface_per_px"] * disc.size * 2 == pytest.approx(2 * np.pi * 40.3, rel=0.03)


@pytest.mark.parametrize("spacing", [(2.0, 1.0), (5.0, 1.0, 1.0), (1.5, 0.5, 1.0)])
def test_weights_of_directions_are_a_partition(spacing):
    parts = surface.weights(spacing)
    assert sum(parts.values()) == pytest.approx(1) and min(parts.values()) > 0
    equal = surface.weights((1.0,) * len(spacing))
    near = surface.weights(tuple(1 + 1e-9 * k for k in range(len(spacing))))
    assert [near[step] for step in equal] == pytest.approx(list(equal.values()), abs=1e-4)


def test_triple_lines_have_true_lengths():
    labels = np.zeros((9, 11, 13), np.uint8)
    labels[:, 5:, :], labels[:, 5:, 6:] = 1, 2
    along_z = tpb.measure(labels, (4.0, 1.0, 1.0)).iloc[0, 0]
    assert along_z == pytest.approx(1 / (10 * 12))
    assert tpb.measure(labels, (1.0, 4.0, 1.0)).iloc[0, 0] == pytest.approx(1 / (4 * 10 * 12))


def test_ways_and_diffusion_follow_the_spacing():
    labels = blobs((24, 40), 3.0, 0.7)
    fine = np.repeat(labels, 4, axis=0)
    flat, square = tortuosity.measure(labels, PHASES, (4.0, 1.0)), tortuosity.measure(fine, PHASES)
    np.testing.assert_allclose(flat["tortuosity_factor"], square["tortuosity_factor"], rtol=0.06)
    np.testing.assert_allclose(flat["tortuosity"], square["tortuosity"], rtol=0.06)
    wrong = tortuosity.measure(labels, PHASES)["tortuosity_factor"]
    assert abs(wrong[0] / square["tortuosity_factor"][0] - 1) > 0.1
    open_space = tortuosity.measure(np.ones((7, 8, 9), np.uint8), PHASES, (5.0, 1.0, 2.0))
    np.testing.assert_allclose(open_space["effective_diffusivity"], 1, rtol=1e-6)
    np.testing.assert_allclose(open_space["tortuosity"], 1, rtol=1e-9)


@pytest.mark.parametrize("axis", [0, 1])
def test_grains_in_flat_pixels_have_their_size(axis):
    points = np.random.default_rng(3).random((700, 2)) * 640 - 20
    grid = np.stack(np.mgrid[:600, :600], -1).reshape(-1, 2)
    labels = (cKDTree(points).query(grid)[1] + 1).reshape(600, 600).astype(np.int32)
    cut = [slice(None), slice(None)]
    cut[axis] = slice(None, None, 2)
    spacing, unit = ((2.0, 1.0), 1.0) if axis == 0 else ((0.5, 1.0), 2.0)
    whole = grain_size.measure(labels, PHASES, 1.0)
    thin = grain_size.measure(labels[tuple(cut)], PHASES, unit, spacing)
    for name, power in (("mean_lineal_intercept_px", 1), ("grains_per_px2", -2)):
        np.testing.assert_allclose(thin[name] * unit**power, whole[name], rtol=0.04)
    np.testing.assert_allclose(thin["g_number"], whole["g_number"], atol=0.12)


def test_sections_in_flat_pixels_have_their_diameter():
    y, x = np.mgrid[:60, :120]
    labels = (((y % 20 - 9.7) * 2) ** 2 + (x % 40 - 19.6) ** 2 <= 12.2**2).astype(np.uint8)
    table = stereology.measure(labels, PHASES, (2.0, 1.0))
    assert table["diameter_to_px"].max() == pytest.approx(24.4, rel=0.02)
    square = stereology.measure(np.repeat(labels, 2, axis=0), PHASES, border="exclude")
    flat = stereology.measure(labels, PHASES, (2.0, 1.0), border="exclude")
    np.testing.assert_allclose(flat["sections_per_px2"], square["sections_per_px2"])
    np.testing.assert_allclose(flat["spheres_per_px3"], square["spheres_per_px3"])
