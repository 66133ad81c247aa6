"""Specific surface of shapes whose boundary is known."""

import numpy as np
import pandas as pd
import pytest
from matlens.quantify import surface

PHASES = ["void", "solid"]


@pytest.mark.parametrize("phase", [0, 1])
def test_a_sphere(phase):
    radius, side = 25.2, 64
    z, y, x = np.mgrid[:side, :side, :side] - (side / 2 - 0.31)
    labels = (z**2 + y**2 + x**2 <= radius**2).astype(np.uint8)
    row = surface.measure(labels, PHASES, phase=phase).iloc[0]
    # pairs of neighbours span (side - 1) of every axis: a shape inside has 4 pi R^2 in a little less than side^3
    exact = 4 * np.pi * radius**2 / side**3
    assert row["specific_surface_per_px"] == pytest.approx(exact * (side / (side - 1)) ** 1.5, rel=0.02)
    assert row["specific_surface_s2_per_px"] == pytest.approx(exact * side / (side - 1), rel=0.02)


def test_a_disc():
    radius, side = 60.3, 200
    y, x = np.mgrid[:side, :side] - (side / 2 - 0.31)
    labels = (y**2 + x**2 <= radius**2).astype(np.uint8)
    row = surface.measure(labels, PHASES).iloc[0]
    exact = 2 * np.pi * radius / side**2
    assert row["specific_surface_per_px"] == pytest.approx(exact, rel=0.015)
    assert row["specific_surface_s2_per_px"] == pytest.approx(exact, rel=0.015)


def test_a_plane_at_any_angle():
    """Crofton with 4 directions is within 5.5 % of the length of a straight edge, the axes alone within 27 %."""
    y, x = np.mgrid[:300, :300] - 149.5
    found = []
    for angle in np.deg2rad(np.arange(2, 92, 5)):
        inside = (y**2 + x**2 <= 140**2) & (np.cos(angle) * x + np.sin(angle) * y > 0.2)
        whole = y**2 + x**2 <= 140**2
        change = [surface.measure(m.astype(np.uint8), PHASES).iloc[0, 1] * 300**2 for m in (inside, whole)]
        found.append((change[0] - change[1] / 2) / 280)
    assert np.abs(np.array(found) - 1).max() < 0.06
    assert np.mean(found) == pytest.approx(1, abs=0.01)


def test_boolean_spheres():
    """Overlapping spheres: S/V = intensity 4 pi R^2 void, void = exp(-intensity 4/3 pi R^3): -3 void ln(void) / R."""
    rng, side, radius = np.random.default_rng(6), 140, 15.0
    intensity = np.log(2) / (4 / 3 * np.pi * radius**3)
    near = np.arange(-17, 18)
    labels = np.zeros((side,) * 3, np.uint8)
    for centre in rng.uniform(0, side, (rng.poisson(intensity * side**3), 3)):
        at = [int(c) + near for c in centre]
        square = [(a - c) ** 2 for a, c in zip(at, centre, strict=True)]
        inside = square[0][:, None, None] + square[1][:, None] + square[2] <= radius**2
        labels[np.ix_(*[a % side for a in at])] |= inside.astype(np.uint8)
    void = 1 - labels.mean()
    exact = -3 * void * np.log(void) / radius
    row = surface.measure(labels, PHASES).iloc[0]
    assert row["specific_surface_per_px"] == pytest.approx(exact, rel=0.05)
    assert row["specific_surface_s2_per_px"] == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_weights_are_the_parts_of_the_sphere_nearest_to_each_neighbour(ndim):
    ways = np.array(surface.neighbours(ndim), float)
    assert len(ways) == {2: 4, 3: 13}[ndim]
    steps = np.abs(ways).sum(axis=1).astype(int)
    points = np.random.default_rng(0).normal(size=(200_000, ndim))
    nearest = np.abs(points @ (ways / np.linalg.norm(ways, axis=1, keepdims=True)).T).argmax(axis=1)
    share = np.bincount(nearest, minlength=len(ways)) / len(points)
    for step, weight in surface.WEIGHT[ndim].items():
        assert share[steps == step].mean() == pytest.approx(weight, abs=1.5e-3)
    assert sum(surface.WEIGHT[ndim][step] for step in steps) == pytest.approx(1, abs=1e-5)


def test_flat_images_have_no_boundary():
    row = surface.measure(np.ones((1, 7), np.uint8), PHASES).iloc[0]
    assert row["specific_surface_per_px"] == 0


@pytest.mark.parametrize("kind", [np.uint8, np.int32])
@pytest.mark.parametrize("phase", [0, 1])
def test_what_is_not_labelled_is_no_phase_and_bounds_none(kind, phase):
    """Layers 10 pixels thick have an interface every 10 pixels, also where some of the image was not labelled."""
    nothing = 255 if kind == np.uint8 else -1
    labels = np.broadcast_to((np.arange(240) // 10 % 2)[:, None], (240, 120)).astype(kind)
    labels[:, 60:] = nothing
    whole = surface.measure(labels[:, :60].copy(), PHASES, phase=phase)
    found = surface.measure(labels, PHASES, phase=phase)
    assert whole["specific_surface_s2_per_px"][0] == pytest.approx(np.pi / 2 * 0.5 * 23 / 239)
    pd.testing.assert_frame_equal(found, whole)


def test_a_phase_amid_what_is_not_labelled_has_no_interface():
    labels = np.full((40, 40), 255, np.uint8)
    labels[10:30, 10:30] = 1
    assert surface.measure(labels, PHASES).iloc[0, 1:4].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_boundary_of_any_one_direction_is_within_the_error_that_is_stated(ndim):
    """The crossings of a plane per length along a direction are its surface times the cosine of their angle."""
    part = surface.weights((1.0,) * ndim)
    normal = np.random.default_rng(0).standard_normal((20_000, ndim))
    normal = np.concatenate([np.eye(ndim), normal / np.linalg.norm(normal, axis=1, keepdims=True)])
    ways = np.array([np.array(step) / np.linalg.norm(step) for step in part])
    found = surface.FACTOR[ndim] * np.abs(normal @ ways.T) @ np.array(list(part.values()))
    assert found.min() == pytest.approx(found[0]) and 100 * (1 - found[0]) == pytest.approx(surface.LOW[ndim], abs=0.4)
    assert found.max() < 1.03 and found[ndim:].mean() == pytest.approx(1, abs=2e-3)
