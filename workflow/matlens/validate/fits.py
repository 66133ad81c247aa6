"""Birch-Murnaghan equation of state, fitted to energies alone or to energies and pressures together."""

from typing import NamedTuple

import numpy as np

from matlens.job.batch import BadItem

GPA = 160.2176634  # one eV per cubic angstrom, in GPa
POWER = -2.0 / 3.0
PARAMETERS = 4  # of the third order


class Fit(NamedTuple):
    """A fitted equation of state, each value with its standard error (nan if as many points as parameters).

    volume: A^3; energy: eV; bulk_modulus: GPa; derivative: by pressure. rms: of the energy residuals, eV.
    inside: whether the minimum lies between the smallest and the largest volume.
    offset: pressure of the stresses minus that of the energies at the mean volume, GPa (nan without pressures).
    energy_errors, pressure_errors: deleted residuals (n,), in eV and GPa: value minus its prediction by all other data.
    """

    volume: float
    energy: float
    bulk_modulus: float
    derivative: float
    volume_error: float
    energy_error: float
    bulk_modulus_error: float
    derivative_error: float
    rms: float
    inside: bool
    offset: float = np.nan
    energy_errors: np.ndarray = np.zeros(0)
    pressure_errors: np.ndarray = np.zeros(0)


def scales(points: int, strain: float) -> np.ndarray:
    """Return the linear scales of the cells (points,): volumes evenly spaced, ends at 1 -+ `strain`."""
    return np.linspace((1 - strain) ** 3, (1 + strain) ** 3, points) ** (1 / 3)


def _minimum(c: np.ndarray) -> tuple[float, float, float, float]:
    """Return volume, energy, bulk modulus (eV/A^3) and its derivative at the minimum of a cubic in V^(-2/3).

    With x = V^(-2/3), E' = dE/dx = 0 there, and B = V d2E/dV2, B' = -dB/dV V / B follow by the chain rule.
    """
    if not np.isfinite(c).all():
        return (np.nan,) * 4
    roots = np.roots([3 * c[3], 2 * c[2], c[1]])
    roots = np.real(roots[np.isreal(roots) & (np.real(roots) > 0)])
    curved = [x for x in roots if 2 * c[2] + 6 * c[3] * x > 0]
    if not curved:
        return (np.nan,) * 4
    x = curved[0]
    volume = x ** (1 / POWER)
    second, third = 2 * c[2] + 6 * c[3] * x, 6 * c[3]
    d2 = 4 / 9 * second * x**5  # d2E/dV2, as dx/dV = -2/3 x^(5/2) and dE/dx = 0
    d3 = -(20 / 9) * x**6.5 * second - 8 / 27 * x**7.5 * third
    return volume, float(np.polyval(c[::-1], x)), volume * d2, -1 - volume * d3 / d2


def _checked(volume, energy, pressure) -> list[np.ndarray]:
    """Return volumes, energies and pressures as arrays; raises BadItem if an equation of state cannot be fitted."""
    volume, energy = np.asarray(volume, float), np.asarray(energy, float)
    pressure = np.full(len(volume), np.nan) if pressure is None else np.asarray(pressure, float)
    different = len(np.unique(volume))
    if different != len(volume):
        raise BadItem(f"two of the {len(volume)} volumes are equal ({different} different ones): outputs are mixed up")
    if different < PARAMETERS:
        raise BadItem(f"an equation of state needs {PARAMETERS} different volumes or more, not {different}")
    if not (np.isfinite(energy).all() and np.isfinite(volume).all() and (volume > 0).all()):
        raise BadItem("an energy or volume of the equation of state is not a number")
    return [volume, energy, pressure]


def _rows(x: np.ndarray, volume: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the design matrices of energies (n, 5) and of pressures in eV/A^3 (k, 5); the last column is the offset.

    Volumes in units of their mean. P = -dE/dV, with dx/dV = -2/3 x / V. An incomplete basis adds a pressure that goes
    as 1 / V at a fixed cut-off. Source: G. P. Francis, M. C. Payne, J. Phys.: Condens. Matter 2 (1990) 4395.
    """
    energies = np.column_stack([np.vander(x, PARAMETERS, increasing=True), np.zeros(len(x))])
    slope = -POWER * x / volume
    pressures = np.column_stack([np.zeros_like(x), slope, 2 * x * slope, 3 * x**2 * slope, 1 / volume])
    return energies, pressures[known]


def birch_murnaghan(volume, energy, pressure=None) -> Fit:
    """Fit the third-order equation of state to energies (n,) eV at volumes (n,) A^3, n of four or more.

    pressure: (n,) GPa from the stress tensors, nan if unknown. With four or more known, energies and pressures are
    fitted together, and so is the pressure that a finite basis adds.
    The law is a cubic in V^(-2/3), so that weighted least squares have one solution without a starting value. One unit
    of weight is 1 eV in energy and 1 eV per half range of the volumes in pressure. Standard errors are propagated from
    the residuals. Without a minimum all values are nan.
    Source: F. Birch, Phys. Rev. 71 (1947) 809; leverage: R. D. Cook, Technometrics 19 (1977) 15.
    """
    volume, energy, pressure = _checked(volume, energy, pressure)
    centre = float(np.mean(volume))  # conditions the powers; B and B' do not notice
    v = volume / centre
    known = np.isfinite(pressure)
    known &= known.sum() >= PARAMETERS
    of_energy, of_pressure = _rows(v**POWER, v, known)
    half = np.ptp(v) / 2  # makes a pressure an energy
    shift = energy.mean()
    matrix = np.vstack([of_energy, half * of_pressure])[:, : PARAMETERS + int(known.any())]
    target = np.concatenate([energy - shift, half * pressure[known] * centre / GPA])
    c, *_ = np.linalg.lstsq(matrix, target, rcond=None)
    residual = target - matrix @ c
    errors = _errors(matrix, residual, c)
    unit = np.array([centre, 1.0, GPA / centre, 1.0])
    values = np.array(_minimum(c[:PARAMETERS])) * unit
    values[1] += shift
    deleted = _deleted(matrix, residual)
    inside = bool(volume.min() < values[0] < volume.max())
    pressures = np.full(len(v), np.nan)
    pressures[known] = deleted[len(v) :] / half * GPA / centre
    offset = float(c[PARAMETERS] * GPA / centre) if known.any() else np.nan
    rms = float(np.sqrt(np.mean(residual[: len(v)] ** 2)))
    return Fit(*map(float, values), *map(float, errors * unit), rms, inside, offset, deleted[: len(v)], pressures)


def _deleted(matrix: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Return each datum minus its prediction by the fit of all others (n,): e / (1 - leverage); nan at leverage 1."""
    basis, _ = np.linalg.qr(matrix)
    free = 1.0 - (basis**2).sum(axis=1)
    return np.where(free > 1e-6, residual / np.maximum(free, 1e-6), np.nan)


def _errors(matrix: np.ndarray, residual: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return the standard errors of volume, energy, modulus and derivative (4,) in the units of `_minimum`."""
    free = len(residual) - matrix.shape[1]
    if not free or not np.isfinite(_minimum(c[:PARAMETERS])).all():
        return np.full(4, np.nan)
    spread = np.linalg.inv(matrix.T @ matrix) * (residual @ residual / free)
    steps = 1e-6 * np.maximum(np.abs(c[:PARAMETERS]), 1e-6)
    ends = zip(np.diag(steps), steps, strict=True)
    slopes = np.array(
        [(np.array(_minimum(c[:PARAMETERS] + e)) - np.array(_minimum(c[:PARAMETERS] - e))) / (2 * h) for e, h in ends]
    )
    spread = spread[:PARAMETERS, :PARAMETERS]
    return np.sqrt(np.maximum(np.einsum("ik,ij,jk->k", slopes, spread, slopes), 0.0))
