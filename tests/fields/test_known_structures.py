"""Structures of known answers: a slit, a bar of two cells, coated inclusions, a checkerboard, slanted layers."""

import numpy as np
import pytest
from matlens.fields import conduction, elastic

YOUNGS, POISSON = 70.0, 0.3


def _stiffness(size: int, length: int) -> float:
    """Return C_yyyy of a square cell with a slit along x, one pixel high."""
    first, mu = (np.full((size, size), float(value)) for value in elastic.lame(YOUNGS, POISSON))
    at = (size - length) // 2
    for values in (first, mu):
        values[size // 2, at : at + length] = 0.0
    return elastic.solve(first, mu, np.diag([1.0, 0.0]), tol=1e-5, scheme="rotated").stress[0, 0].mean()


@pytest.mark.parametrize("part", [0.25, 0.375])
def test_a_slit_has_the_stress_intensity_of_a_row_of_slits(part):
    """K_I of the energy release rate, G = -dU/dL at a fixed mean strain; Westergaard: s sqrt(W tan(pi a / W))."""
    size = 128
    length = int(size * part)
    less, here, more = (_stiffness(size, length + change) for change in (-4, 0, 4))
    release = 0.5 * size**2 * (less - more) / 8
    found = np.sqrt(release * YOUNGS / (1 - POISSON**2))
    known = here * np.sqrt(size * np.tan(np.pi * length / 2 / size))
    assert found == pytest.approx(known, rel=0.05)


def test_a_bar_of_two_cells_has_the_displacement_of_the_resolved_bar():
    """Layers across the bar: the modulus of a stretch is the harmonic mean of lambda + 2 mu, and so is the bar's."""
    stretches = [np.tile([1.0, 1.0, 20.0, 1.0], 4), np.tile([1.0, 20.0, 20.0, 20.0], 4)]

    def modulus(youngs: np.ndarray) -> float:
        first, mu = elastic.lame(np.repeat(youngs[:, None], 4, axis=1), POISSON)
        return elastic.solve(first, mu, np.diag([1.0, 0.0]), tol=1e-10).stress[0, 0].mean()

    cells = [modulus(stretch[:4]) for stretch in stretches]
    column = (1 - POISSON) / ((1 + POISSON) * (1 - 2 * POISSON))
    assert cells == pytest.approx([column / (0.75 + 0.25 / 20), column / (0.25 + 0.75 / 20)], rel=1e-8)
    assert modulus(np.concatenate(stretches)) == pytest.approx(2 / sum(1 / cell for cell in cells), rel=1e-8)


def _radius(size: int, axes: int) -> np.ndarray:
    """Return the distance of every voxel from the centre, in widths of the cell."""
    place = np.stack(np.meshgrid(*[(np.arange(size) + 0.5) / size - 0.5] * axes, indexing="ij"))
    return np.sqrt((place**2).sum(axis=0))


@pytest.mark.parametrize("scheme", ["rotated", "fourier"])
@pytest.mark.parametrize(("size", "axes", "bound"), [(128, 2, 0.003), (32, 3, 0.006)])
def test_a_coated_inclusion_does_not_disturb_its_matrix(scheme, size, axes, bound):
    """Z. Hashin, S. Shtrikman, J. Appl. Phys. 33 (1962) 3125: a core of 10 in a shell of 1, in the matrix of both."""
    part = 0.5**axes
    matrix = 1.0 + part / (1 / 9 + (1 - part) / axes)
    away = _radius(size, axes)
    k = np.where(away < 0.2, 10.0, np.where(away < 0.4, 1.0, matrix))
    found = conduction.solve(k, np.eye(axes)[-1], tol=1e-5, scheme=scheme)
    assert found.stress[-1].mean() == pytest.approx(matrix, rel=bound)
    assert found.strain[-1][away > 0.45].mean() == pytest.approx(1.0, abs=bound)


@pytest.mark.parametrize("scheme", ["rotated", "fourier"])
def test_a_checkerboard_conducts_by_the_geometric_mean(scheme):
    """J. B. Keller, J. Math. Phys. 5 (1964) 548; A. M. Dykhne, Sov. Phys. JETP 32 (1971) 63."""
    y, x = np.mgrid[:64, :64] // 32
    found = conduction.solve(np.where(x == y, 1.0, 4.0), np.array([0.0, 1.0]), tol=1e-6, scheme=scheme)
    assert found.stress[1].mean() == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("scheme", ["rotated", "fourier"])
def test_slanted_layers_conduct_by_both_means_of_their_phases(scheme):
    """Layers at 45 degrees: the arithmetic mean along them, the harmonic mean across."""
    y, x = np.mgrid[:32, :32]
    found = conduction.effective(np.where((x + y) // 16 % 2, 10.0, 1.0), tol=1e-8, scheme=scheme)
    along, across = 5.5, 20 / 11
    expected = (along + across) / 2 * np.eye(2) + (across - along) / 2 * (1 - np.eye(2))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("scheme", ["rotated", "fourier"])
def test_a_stiff_disc_under_shear_has_the_strain_of_eshelby(scheme):
    """J. D. Eshelby, Proc. R. Soc. A 241 (1957) 376: S_xyxy = (3 - 4 nu) / (8 (1 - nu)) of a cylinder."""
    inside = _radius(96, 2) * 96 < 8
    first, mu = elastic.lame(np.where(inside, 10.0, 1.0), 0.3)
    strain = elastic.solve(first, mu, 0.01 * (1 - np.eye(2)), tol=1e-6, scheme=scheme).strain[0, 1]
    far = strain[~inside].mean()
    assert strain[inside].mean() == pytest.approx(far / (1 + 2 * (3 - 1.2) / (8 * 0.7) * 9), rel=0.025)
