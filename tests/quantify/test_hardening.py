"""The dispersed barrier model: the formula by hand, its errors, and what cancels in it."""

import numpy as np
import pytest
from matlens.quantify import hardening

GIVEN = {"taylor": 3.06, "alpha": 0.4, "shear_modulus_gpa": 82.0, "burgers_nm": 0.248}


def discs(count, radius, size=400, seed=0):
    """Draw discs in a grid: a region map."""
    labels, side = np.zeros((size, size), np.int32), int(np.ceil(np.sqrt(count)))
    y, x = np.mgrid[:size, :size]
    step = size / side
    for number in range(count):
        cy, cx = (number // side + 0.5) * step, (number % side + 0.5) * step
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = number + 1
    return labels


def test_the_formula_is_exact():
    # 3.06 x 0.4 x 82 GPa x 0.248 nm x sqrt(2e21 / m3 x 20 nm) = 3.06 x 0.4 x 82e3 x 0.248e-9 x sqrt(4e13) MPa
    by_hand = 3.06 * 0.4 * 82e3 * 0.248e-9 * 4e13**0.5
    assert hardening.dispersed_barrier(2e21, 20.0, **GIVEN) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand == pytest.approx(157.4, abs=0.1)


def test_twice_as_many_of_half_the_size_harden_alike_and_the_table_shows_both():
    assert hardening.dispersed_barrier(4e21, 10.0, **GIVEN) == hardening.dispersed_barrier(2e21, 20.0, **GIVEN)
    one, other = (
        hardening.measure(discs(n, r), ["m", "loop"], 0.0005, thickness_nm=100.0).iloc[0]
        for n, r in ((25, 16), (49, 8))
    )
    assert other["density_per_m3"] / one["density_per_m3"] == pytest.approx(49 / 25)
    assert other["mean_diameter_px"] / one["mean_diameter_px"] == pytest.approx(0.5, rel=0.03)
    assert other["hardening_mpa"] / one["hardening_mpa"] == pytest.approx(1, abs=0.03)


def test_a_table_has_the_density_of_the_foil():
    row = hardening.measure(discs(25, 10), ["m", "loop"], 0.0005, thickness_nm=100.0, thickness_error_nm=10.0).iloc[0]
    density = 25 / (0.2e-6**2 * 100e-9)
    assert row["density_per_m3"] == pytest.approx(density)
    expected = hardening.dispersed_barrier(density, row["mean_diameter_px"] * 0.5, **GIVEN)
    assert row["hardening_mpa"] == pytest.approx(expected, rel=1e-9)
    # a tenth of the thickness is a twentieth of the hardening; 25 obstacles have an error of a fifth, half of it here
    assert row["hardening_error_mpa"] / expected == pytest.approx(0.5 * np.hypot(0.2, 0.1), rel=1e-3)
    # what the published errors explain: half of sqrt(7.3^2 + 12.7^2) % of 157 MPa
    assert 0.5 * np.hypot(0.073, 0.127) * 157 == pytest.approx(11.5, abs=0.05)


def test_what_the_border_cuts_counts_by_half_and_not_in_the_size():
    labels = discs(25, 10)
    labels[:10, 40:60] = 99
    row = hardening.measure(labels, ["m", "loop"], 0.0005, thickness_nm=100.0).iloc[0]
    assert row["density_per_m3"] * (0.2e-6**2 * 100e-9) == pytest.approx(25.5)
    assert row["mean_diameter_px"] == pytest.approx(20.0, rel=0.03)


def test_without_scale_or_obstacles():
    row = hardening.measure(discs(4, 10), ["m", "loop"], None, thickness_nm=100.0).iloc[0]
    assert np.isnan(row["density_per_m3"]) and np.isnan(row["hardening_mpa"]) and row["mean_diameter_px"] > 19
    row = hardening.measure(np.zeros((50, 50), np.uint8), ["m", "loop"], 0.001, thickness_nm=100.0).iloc[0]
    assert row["density_per_m3"] == 0 and row["hardening_mpa"] == 0 and np.isnan(row["mean_diameter_px"])
