"""A slit of known stress intensity, and a bar whose stretches are cells of their own."""

import numpy as np
import pytest
from matlens.fields import elastic

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
