"""Solvers against exact solutions, published finite-element volumes and bounds."""

import numpy as np
import pytest
from matlens.fields import bounds, conduction, elastic, hexahedra, quality
from matlens.fields.grid import Grid
from matlens.job.batch import BadItem
from scipy import ndimage

SCHEMES = ["fourier", "rotated"]


def blobs(shape, seed=0, fraction=0.5, size=2.0):
    """Draw a periodic two-phase texture."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), size, mode="wrap")
    return (field > np.quantile(field, 1 - fraction)).astype(int)


def laminate(contrast, across=(8,)):
    labels = np.zeros((14, *across), int)
    labels[9:] = 1
    return elastic.lame(np.array([1.0, contrast])[labels], np.array([0.3, 0.2])[labels])


@pytest.mark.parametrize("scheme", [*SCHEMES, "hexahedra"])
@pytest.mark.parametrize("across", [(8,), (5, 6)])
@pytest.mark.parametrize("contrast", [10.0, 1000.0])
def test_laminates_are_exact(scheme, across, contrast):
    """Backus averages of an isotropic stack along axis 0 (J. Geophys. Res. 67 (1962) 4427)."""
    first, mu = laminate(contrast, across)
    axes, wave = first.ndim, first + 2 * mu
    expected = {
        (0, 0): 1 / np.mean(1 / wave),
        (0, 1): np.mean(first / wave) / np.mean(1 / wave),
        (1, 1): np.mean(wave - first**2 / wave) + np.mean(first / wave) ** 2 / np.mean(1 / wave),
    }
    shear = 2 / np.mean(1 / mu)  # of a plane that holds axis 0, in Mandel notation
    for (i, j), value in expected.items():
        mean = np.zeros((axes, axes))
        mean[i, i] = 1.0
        options = {"tol": 1e-12} if scheme == "hexahedra" else {"tol": 1e-12, "scheme": scheme}
        solve = hexahedra.solve if scheme == "hexahedra" else elastic.solve
        assert solve(first, mu, mean, **options).stress[j, j].mean() == pytest.approx(value, rel=1e-10)
    mean = np.zeros((axes, axes))
    mean[0, 1] = mean[1, 0] = 0.5
    assert solve(first, mu, mean, **options).stress[0, 1].mean() == pytest.approx(shear / 2, rel=1e-10)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_conduction_of_a_laminate_is_exact(scheme):
    conductivity = np.ones((14, 7, 6))
    conductivity[9:] = 500.0
    found = conduction.effective(conductivity, scheme=scheme, tol=1e-12)
    across, along = 1 / np.mean(1 / conductivity), conductivity.mean()
    np.testing.assert_allclose(found, np.diag([across, along, along]), rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("solver", [elastic, hexahedra])
def test_a_homogeneous_body_has_a_uniform_field(solver):
    first, mu = elastic.lame(np.full((6, 7), 2.0), 0.3)
    found = solver.solve(first, mu, np.array([[1.0, 0.2], [0.2, 0.0]]))
    assert found.iterations == 0 and np.ptp(found.stress, axis=(2, 3)).max() == 0
    assert not solver.solve(first, mu, np.zeros((2, 2))).stress.any()


def test_a_start_that_is_the_answer_takes_no_iteration():
    first, mu = elastic.lame(np.array([1.0, 20.0])[blobs((24, 24))], 0.3)
    mean = np.diag([1.0, 0.0])
    whole = elastic.solve(first, mu, mean, tol=1e-8)
    again = elastic.solve(first, mu, mean, tol=1e-7, start=whole.strain)
    assert whole.iterations > 5 and again.iterations == 0
    np.testing.assert_allclose(again.stress, whole.stress, atol=1e-6)


@pytest.mark.parametrize(
    ("item", "bound"), [(3, 1e-3), (5, 1e-3), (6, 1e-3), (8, 1e-3), (9, 1e-3), (0, 1.5e-2), (7, 1.5e-2)]
)
def test_hexahedra_reproduce_published_finite_element_volumes(data, item, bound):
    """One hard voxel in 21^3; item 1, with its voxel on an edge of the box, contradicts periodicity and is left out."""
    volumes = np.load(data("micrographs/strain3d_contrast/contrast10.npz"))
    first, mu = elastic.lame(np.array([1.0, 10.0])[volumes["microstructure"][item]], 0.3)
    found = hexahedra.solve(first, mu, np.diag([1.0, 0.0, 0.0])).strain[0, 0]
    strain = volumes["strain"][item]
    assert np.linalg.norm(found - strain) / np.linalg.norm(strain - 1.0) < bound


@pytest.mark.parametrize("seed", range(6))
def test_bounds_are_never_violated(seed):
    rng = np.random.default_rng(seed)
    labels = blobs((20, 20), seed, rng.uniform(0.2, 0.8), 1.5)
    young, poisson = np.array([1.0, rng.uniform(2, 80)]), np.array([0.3, 0.2])
    share = np.bincount(labels.ravel(), minlength=2) / labels.size
    first, mu = elastic.lame(young[labels], poisson[labels])
    stiffness = elastic.stiffness(first, mu, tol=1e-8)
    local = np.array([_mandel(*pair) for pair in zip(first.ravel(), mu.ravel(), strict=True)])
    upper, lower = local.mean(axis=0), np.linalg.inv(np.linalg.inv(local).mean(axis=0))
    assert np.linalg.eigvalsh(upper - stiffness).min() > -1e-6 and np.linalg.eigvalsh(stiffness - lower).min() > -1e-6
    np.testing.assert_allclose(stiffness, stiffness.T, atol=1e-5 * abs(stiffness).max())
    k = conduction.effective(young[labels], tol=1e-8)
    reuss, voigt = bounds.voigt_reuss(young, share)
    assert np.all((np.linalg.eigvalsh(k) > reuss - 1e-9) & (np.linalg.eigvalsh(k) < voigt + 1e-9))


def _mandel(first, mu):
    matrix = np.diag([2 * mu] * 3)
    matrix[:2, :2] += first
    return matrix


def test_hashin_shtrikman_lies_within_voigt_and_reuss_and_meets_known_limits():
    share = np.array([0.7, 0.3])
    for axes in (2, 3):
        low, high = bounds.hashin_shtrikman_conductivity([1.0, 10.0], share, axes)
        reuss, voigt = bounds.voigt_reuss([1.0, 10.0], share)
        assert reuss < low < high < voigt
        found = bounds.hashin_shtrikman([2.0, 20.0], [1.0, 8.0], share, axes)
        for name, values in (("bulk", [2.0, 20.0]), ("shear", [1.0, 8.0])):
            reuss, voigt = bounds.voigt_reuss(values, share)
            assert reuss < found[name][0] < found[name][1] < voigt
    assert bounds.hashin_shtrikman_conductivity([0.0, 1.0], share, 3) == pytest.approx((0.0, 2 * 0.3 / 2.7))  # Maxwell
    assert bounds.voigt_reuss([0.0, 1.0], share) == pytest.approx((0.0, 0.3))


def test_swapped_axes_swap_the_tensor_and_a_moved_cell_moves_the_field():
    labels = blobs((18, 24), 3)
    first, mu = elastic.lame(np.array([1.0, 30.0])[labels], 0.3)
    found = elastic.solve(first, mu, np.diag([1.0, 0.0]), tol=1e-9)
    turned = elastic.solve(first.T, mu.T, np.diag([0.0, 1.0]), tol=1e-9)
    np.testing.assert_allclose(turned.stress[1, 1], found.stress[0, 0].T, atol=1e-6)
    moved = elastic.solve(np.roll(first, (5, 7), (0, 1)), np.roll(mu, (5, 7), (0, 1)), np.diag([1.0, 0.0]), tol=1e-9)
    np.testing.assert_allclose(moved.stress, np.roll(found.stress, (5, 7), (2, 3)), atol=1e-6)


def test_voxels_that_are_not_cubes():
    """A grid stretched along axis 0 has the field of the same geometry on cubes."""
    labels = blobs((12, 12), 1, size=3.0)
    fine = np.repeat(labels, 2, axis=0)
    first, mu = elastic.lame(np.array([1.0, 5.0])[fine], 0.3)
    cubes = elastic.solve(first, mu, np.diag([1.0, 0.0]))
    first, mu = elastic.lame(np.array([1.0, 5.0])[labels], 0.3)
    flat = elastic.solve(first, mu, np.diag([1.0, 0.0]), spacing=(2.0, 1.0))
    assert flat.stress[0, 0].mean() == pytest.approx(cubes.stress[0, 0].mean(), rel=0.03)
    other = elastic.solve(first, mu, np.diag([1.0, 0.0]))
    assert abs(other.stress[0, 0].mean() - cubes.stress[0, 0].mean()) > abs(
        flat.stress[0, 0].mean() - cubes.stress[0, 0].mean()
    )


def test_an_eigenstrain_in_a_laminate_stresses_its_plane_alone():
    """Layers that want to grow by e along axis 1 and may not: stress along 1, none across (plane strain)."""
    first, mu = elastic.lame(np.full((10, 6), 3.0), 0.25)
    free = np.zeros((2, 2, 10, 6))
    free[1, 1, 5:] = 0.01
    found = elastic.solve(first, mu, np.zeros((2, 2)), eigenstrain=free, tol=1e-10)
    modulus = (first + 2 * mu)[0, 0]
    plane = (modulus - first[0, 0] ** 2 / modulus) * 0.01
    np.testing.assert_allclose(
        found.stress[1, 1, :5].mean(), (first[0, 0] / modulus) * found.stress[0, 0].mean(), atol=1e-9
    )
    assert found.stress[1, 1, 5:].mean() - found.stress[1, 1, :5].mean() == pytest.approx(-plane, rel=1e-6)


def test_what_has_not_converged_is_no_field():
    first, mu = elastic.lame(np.array([1.0, 1000.0])[blobs((32, 32))], 0.3)
    with pytest.raises(BadItem, match="not converged: equilibrium residual"):
        elastic.solve(first, mu, np.diag([1.0, 0.0]), iterations=3)
    assert elastic.solve(first, mu, np.diag([1.0, 0.0]), cut=3).iterations == 3


@pytest.mark.parametrize("contrast", [1e3, 1e6])
def test_a_field_between_rigid_bodies_is_as_exact_as_one_between_soft_ones(contrast):
    """The residual is relative to the stress of the answer; that of the start is larger, as bodies are stiff."""
    k = np.array([1.0, contrast])[blobs((16, 16), fraction=0.3)]
    first, mu = elastic.lame(k, 0.3)
    for solver in (elastic, hexahedra):
        rough, exact = (solver.solve(first, mu, np.diag([0.0, 1.0]), tol=tol).stress for tol in (1e-5, 1e-8))
        assert quality.norms(rough, exact)["rel_l2"] < 1e-4
    rough, exact = (conduction.solve(k, np.array([0.0, 1.0]), tol=tol).stress for tol in (1e-5, 1e-8))
    assert quality.norms(rough, exact)["rel_l2"] < 1e-4


def test_a_contrast_that_rounding_drowns_has_not_converged_and_a_cell_that_comes_apart_has_no_stress():
    layers = np.repeat([1.0, 1e6, 1e-6], 4)[:, None] * np.ones((12, 2))
    with pytest.raises(BadItem, match="not converged"):
        conduction.solve(layers, np.array([1.0, 0.0]), tol=1e-5, iterations=200)
    first, mu = elastic.lame(layers * (layers > 1e-3) / 1e3, 0.3)
    assert np.abs(elastic.solve(first, mu, np.diag([1.0, 0.0])).stress[0, 0]).max() < 1e-8


def test_a_field_that_is_no_number_has_not_converged():
    first, mu = elastic.lame(np.array([1.0, np.inf])[blobs((16, 16))], 0.3)
    with pytest.raises(BadItem, match="not converged: equilibrium residual nan"), np.errstate(invalid="ignore"):
        elastic.solve(first, mu, np.diag([1.0, 0.0]), iterations=20)


def test_residuals_of_a_uniform_stress_and_of_a_stopped_solver():
    """Uniform stress: equilibrium, no compatibility. Stopped solver: the other way round. The solution has both."""
    first, mu = elastic.lame(np.array([1.0, 10.0])[blobs((32, 32))], 0.3)
    grid, mean = Grid(first.shape, None, "rotated"), np.diag([1.0, 0.0])
    whole = elastic.solve(first, mu, mean, tol=1e-8)
    assert quality.equilibrium(whole.stress, grid) < 1e-7 and quality.compatibility(whole.strain, grid) < 1e-8
    assert abs(quality.hill_mandel(whole.stress, whole.strain, 2)) < 1e-8
    uniform = np.broadcast_to(whole.stress.mean(axis=(2, 3), keepdims=True), whole.stress.shape)
    assert quality.equilibrium(uniform, grid) < 1e-12
    assert quality.compatibility(quality.compliance(uniform, first, mu), grid) > 0.5
    cut = elastic.solve(first, mu, mean, cut=2)
    assert quality.compatibility(cut.strain, grid) < 1e-8 < 1e-3 < quality.equilibrium(cut.stress, grid)
    errors = [quality.norms(elastic.solve(first, mu, mean, cut=n).stress, whole.stress)["rel_l2"] for n in (1, 2, 4, 8)]
    assert sorted(errors, reverse=True) == errors


def test_rounding_is_no_fluctuation():
    """Errors and residuals relative to a fluctuation, of a uniform field whose values differ in their last digit."""
    field = np.full((3, 3, 5, 6, 7), 0.01)
    noise = 1e-17 * np.random.default_rng(0).normal(size=field.shape)
    assert quality.compatibility(field + noise, Grid((5, 6, 7), None, "rotated")) == 0.0
    assert np.isnan(quality.norms(field, field + noise)["rel_l2_fluctuation"])
    assert np.isnan(quality.interval(noise, field, field + noise, 3)["interval_half_width"])


def test_norms_see_a_wrong_scale_and_a_phase():
    truth = np.random.default_rng(0).normal(size=(2, 2, 16, 16)) + 3.0
    assert quality.norms(2 * truth, truth)["rel_l2"] == pytest.approx(1.0)
    assert quality.norms(2 * truth, truth)["peak_error"] == pytest.approx(1.0)
    mask = np.zeros((16, 16), bool)
    mask[:8] = True
    wrong = truth.copy()
    wrong[:, :, 8:] += 5.0
    assert quality.norms(wrong, truth, mask)["rel_l2"] == 0.0 < quality.norms(wrong, truth, ~mask)["rel_l2"]


def test_compliance_inverts_hooke():
    rng = np.random.default_rng(1)
    for axes in (2, 3):
        strain = rng.normal(size=(axes, axes, 4))
        strain = strain + strain.swapaxes(0, 1)
        first, mu = elastic.lame(rng.uniform(1, 9, 4), rng.uniform(0.1, 0.4, 4))
        np.testing.assert_allclose(quality.compliance(elastic.hooke(strain, first, mu), first, mu), strain, atol=1e-12)


def test_a_mirrored_cell_has_the_tortuosity_factor_between_two_faces():
    """Both are by one solver; D_eff of the field, by another discretisation, is near. An absent phase is none."""
    from matlens.fields import effective, problem
    from matlens.image import tortuosity

    rng = np.random.default_rng(3)
    labels = (ndimage.gaussian_filter(rng.normal(size=(48, 48)), 4) < 0.03).astype(np.uint8)
    values = {"solid": 0.0, "pore": 2e-9, "gas": 1e-5}
    properties = {name: {"diffusivity_m2_per_s": value} for name, value in values.items()}
    settings = {"quantity": "diffusion", "plane": "strain", "boundary": "mirrored", "properties": properties}
    item = problem.make(labels, "yx", list(values), None, settings | {"loading": {"x": 1.0}})
    rows = effective.effective_rows(item, ["x", "y"], "rotated", tol=1e-4, iterations=2000)
    found = {row["row"]: row["value"] for row in rows if row["row"].startswith("tortuosity")}
    beside = tortuosity.measure(labels, ["solid", "pore"], phase=1).set_index("direction")["tortuosity_factor"]
    for name in "xy":  # empty where the phase does not span
        assert found.get(f"tortuosity_{name}", np.nan) == pytest.approx(beside[name], rel=1e-9, nan_ok=True)
    own = next(row["value"] for row in rows if row["row"] == row["column"] == "x") / 2e-9
    assert labels.mean() / own == pytest.approx(beside["x"], rel=0.08)  # necks of a few pixels
