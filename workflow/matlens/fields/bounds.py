"""Bounds of effective properties of two or more isotropic phases, from their fractions alone."""

import numpy as np


def voigt_reuss(values: np.ndarray, fractions: np.ndarray) -> tuple[float, float]:
    """Return the lower (Reuss) and upper (Voigt) bound of a modulus or conductivity; Reuss is 0 if a phase has 0."""
    values, fractions = np.asarray(values, float), np.asarray(fractions, float)
    low = 0.0 if (values[fractions > 0] == 0).any() else 1.0 / (fractions / np.where(values > 0, values, 1.0)).sum()
    return float(low), float((fractions * values).sum())


def _shifted(values: np.ndarray, fractions: np.ndarray, star: float) -> float:
    """Return the harmonic mean of values + star, less star."""
    return float(1.0 / (fractions / (values + star)).sum() - star) if star > 0 or (values > 0).all() else 0.0


def hashin_shtrikman_conductivity(values, fractions, axes: int) -> tuple[float, float]:
    """Return the bounds of an isotropic conductivity in 2 or 3 dimensions (Hashin, Shtrikman, J. Appl. Phys. 33
    (1962) 3125)."""
    values, fractions = np.asarray(values, float), np.asarray(fractions, float)
    return tuple(_shifted(values, fractions, (axes - 1) * pick(values)) for pick in (np.min, np.max))


def hashin_shtrikman(bulk, shear, fractions, axes: int) -> dict[str, tuple[float, float]]:
    """Return the bounds of the isotropic bulk and shear modulus.

    In two dimensions both are those of the plane: bulk is lambda + mu (plane strain).
    Sources: Z. Hashin, S. Shtrikman, J. Mech. Phys. Solids 11 (1963) 127; Z. Hashin, J. Mech. Phys. Solids 13 (1965)
    119.
    """
    bulk, shear, fractions = (np.asarray(x, float) for x in (bulk, shear, fractions))
    made = {"bulk": [], "shear": []}
    for pick in (np.min, np.max):
        k, g = pick(bulk), pick(shear)
        if axes == 3:
            star_k, star_g = 4 / 3 * g, g * (9 * k + 8 * g) / (6 * (k + 2 * g)) if k + 2 * g > 0 else 0.0
        else:
            star_k, star_g = g, k * g / (k + 2 * g) if k + 2 * g > 0 else 0.0
        made["bulk"].append(_shifted(bulk, fractions, star_k))
        made["shear"].append(_shifted(shear, fractions, star_g))
    return {name: tuple(pair) for name, pair in made.items()}
