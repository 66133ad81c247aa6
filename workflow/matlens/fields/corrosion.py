"""Rate of a crack by slip and dissolution: the film on a metal breaks as it creeps, and the bare metal dissolves.

The film breaks whenever the strain has grown by the strain at which it fractures, every t_f = film_strain / strain
rate. Then the current density is i_a for t_0, and i_a (t / t_0)^-m until the next break. By Faraday's law the mean rate
is M / (z rho F) i_a [(t_0 / t_f)^m - m t_0 / t_f] / (1 - m), and M / (z rho F) i_a if t_f <= t_0. The strain rate is a
power of the stress. Sources: P. L. Andresen, F. P. Ford, Mater. Sci. Eng. A 103 (1988) 167; F. P. Ford, Corrosion 52
(1996) 375.
"""

import numpy as np

FARADAY = 96485.33212  # C/mol
NORMAL_90 = 1.6448536269514722  # half the width of the 90 % interval of a normal distribution, in standard deviations


def slip_dissolution(
    stress_gpa: np.ndarray,
    *,
    creep_rate_per_s: float,
    creep_stress_gpa: float,
    creep_exponent: float,
    film_strain: float = 0.001,
    bare_current_a_per_m2: float = 1000.0,
    bare_time_s: float = 0.1,
    repassivation: float = 0.5,
    molar_mass_g_per_mol: float = 55.8,
    density_g_per_cm3: float = 7.9,
    charge: float = 2.67,
) -> np.ndarray:
    """Return the mean rate of a crack under a stress, m/s; 0 without tension.

    The strain rate is `creep_rate_per_s` at `creep_stress_gpa`, and grows with the power `creep_exponent` of the
    stress. `repassivation` is m, `bare_time_s` t_0, `bare_current_a_per_m2` i_a.
    """
    strain_rate = creep_rate_per_s * (np.maximum(stress_gpa, 0.0) / creep_stress_gpa) ** creep_exponent
    part = np.minimum(bare_time_s * strain_rate / film_strain, 1.0)  # t_0 / t_f
    current = bare_current_a_per_m2 * (part**repassivation - repassivation * part) / (1.0 - repassivation)
    metres = molar_mass_g_per_mol * 1e-3 / (charge * density_g_per_cm3 * 1e3 * FARADAY)  # per A/m2 and s
    return metres * current


def rate_row(stress_gpa: float, stress_error: float, law: dict) -> dict[str, float]:
    """Return the rate at a stress, and the limits of its 90 % interval: the rates at those of the stress.

    `stress_error`: relative standard deviation of the stress. The rate only grows with the stress, so that no power is
    linearised.
    """
    low, high = (stress_gpa * (1 + sign * NORMAL_90 * stress_error) for sign in (-1, 1))
    names = ("rate_m_per_s", "rate_low_m_per_s", "rate_high_m_per_s")
    return {name: float(slip_dissolution(at, **law)) for name, at in zip(names, (stress_gpa, low, high), strict=True)}
