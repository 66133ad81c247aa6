"""J2 plasticity against closed forms of homogeneous bodies, and against its own derivative."""

import numpy as np
import pytest
from matlens.fields import elastic, plastic, quality
from matlens.fields.grid import Grid
from matlens.job.batch import BadItem
from scipy import ndimage

YOUNG, POISSON, LIMIT, HARD = 200.0, 0.3, 0.4, 20.0


def material(labels, limits, hardening=HARD):
    first, mu = elastic.lame(np.full(labels.shape, YOUNG), POISSON)
    return plastic.Material(first, mu, np.asarray(limits, float)[labels], np.full(labels.shape, hardening))


def test_pure_shear_follows_the_bilinear_curve():
    """tau = tau_y + G H / (3 G + H) (gamma - gamma_y), with tau_y = limit / sqrt 3."""
    body = material(np.zeros((4, 4), int), [LIMIT])
    mean = np.zeros((3, 3))
    mean[1, 2] = mean[2, 1] = 0.004
    shear = YOUNG / 2 / (1 + POISSON)
    yields = LIMIT / np.sqrt(3) / shear
    for step, (_, stress, state) in enumerate(plastic.solve(body, mean, 8), 1):
        gamma = 2 * 0.004 * step / 8
        expected = shear * gamma
        if gamma > yields:
            expected = LIMIT / np.sqrt(3) + shear * HARD / (3 * shear + HARD) * (gamma - yields)
        assert stress[1, 2].mean() == pytest.approx(expected, rel=1e-9)
        assert np.ptp(state.accumulated) == 0


def test_without_yielding_the_field_is_elastic():
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(16, 16)), 2, mode="wrap") > 0
    first, mu = elastic.lame(np.array([1.0, 10.0])[field.astype(int)], 0.3)
    endless = np.full(first.shape, np.inf)
    mean = np.zeros((3, 3))
    mean[1, 1] = 1.0
    found = plastic.solve(plastic.Material(first, mu, endless, np.ones(first.shape)), mean, 1, tol=1e-8)[-1]
    expected = elastic.solve(first, mu, np.diag([1.0, 0.0]), tol=1e-9)
    np.testing.assert_allclose(found[1][1:, 1:], expected.stress, atol=1e-5)


def test_the_tangent_is_the_derivative_of_the_stress():
    rng = np.random.default_rng(2)
    body = material(np.zeros((3, 3), int), [LIMIT])
    strain = rng.normal(size=(3, 3, 3, 3)) * 0.01
    strain = strain + strain.swapaxes(0, 1)
    state = plastic.State(np.zeros_like(strain), np.full((3, 3), 0.001))
    stress, _, parts = plastic.radial_return(strain, state, body)
    change = rng.normal(size=strain.shape) * 1e-8
    change = change + change.swapaxes(0, 1)
    moved, _, _ = plastic.radial_return(strain + change, state, body)
    np.testing.assert_allclose(
        moved - stress, plastic.tangent(change, body, parts), atol=1e-5 * abs(moved - stress).max()
    )


def test_a_hard_particle_in_a_soft_matrix_is_in_equilibrium_and_keeps_the_yield_limit():
    y, x = np.mgrid[:24, :24] - 11.5
    labels = (y**2 + x**2 < 49).astype(int)
    body = material(labels, [LIMIT, 1e6])
    mean = np.zeros((3, 3))
    mean[1, 1], mean[2, 2] = 0.004, -0.004
    strain, stress, state = plastic.solve(body, mean, 4, tol=1e-6)[-1]
    grid = Grid(labels.shape, None, "rotated")
    assert quality.equilibrium(stress[1:, 1:], grid) < 1e-4
    assert abs(quality.hill_mandel(stress[1:, 1:], strain[1:, 1:], 2)) < 1e-4
    mises = np.sqrt(1.5 * (plastic.deviator(stress) ** 2).sum(axis=(0, 1)))
    limit = LIMIT + HARD * state.accumulated
    assert (mises[labels == 0] <= limit[labels == 0] * (1 + 1e-9)).all()
    assert state.accumulated[labels == 0].mean() > 0.003 and not state.accumulated[labels == 1].any()
    assert np.abs(np.trace(state.plastic)).max() < 1e-12  # plastic flow keeps the volume


def test_a_solver_that_is_stopped_later_is_nearer_to_the_field_of_one_load_step():
    y, x = np.mgrid[:24, :24] - 11.5
    body = material((y**2 + x**2 < 49).astype(int), [LIMIT, 1e6])
    mean = np.zeros((3, 3))
    mean[1, 1] = 0.006
    whole = plastic.solve(body, mean, 1, tol=1e-8)[-1]
    errors = [
        [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(cut, whole[:2], strict=True)]
        for cut in (plastic.stopped(body, mean, n, spacing=None, scheme="rotated") for n in (0, 5, 10, 40))
    ]
    assert (np.diff(errors, axis=0) < 0).all() and max(errors[-1]) < 1e-3 < min(errors[0])
    assert np.array_equal(
        plastic.stopped(body, mean, 0, spacing=None, scheme="rotated")[0][1, 1], np.full((24, 24), 0.006)
    )


@pytest.mark.parametrize(("hardening", "hinted"), [(0.0, True), (HARD, False)])
def test_a_load_step_that_does_not_converge_names_the_phase_without_hardening(hardening, hinted):
    labels = (np.indices((8, 8)).sum(axis=0) % 3 == 0).astype(int)
    with pytest.raises(BadItem, match=r"load step 1 of 2: .*; take more steps") as error:
        plastic.solve(material(labels, [LIMIT, np.inf], hardening), 0.05 * np.eye(3)[2] * np.eye(3), 2, iterations=1)
    assert ("or give hardening_gpa" in str(error.value)) is hinted
