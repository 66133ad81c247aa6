"""The equation of state of a crystal: what energies at several volumes say of its volume and stiffness."""

from typing import NamedTuple

import numpy as np

from matlens.job.batch import BadItem
from matlens.validate import ACCEPTED, REJECTED

GPA = 160.2176634  # one eV per cubic angstrom, in GPa
POWER = -2.0 / 3.0


class Fit(NamedTuple):
    """A fitted equation of state, each value with its standard error (nan where as many points as parameters).

    `volume` in A^3, `energy` in eV, `bulk_modulus` in GPa, its `derivative` by pressure; `rms` of the residuals in eV;
    `inside` tells whether the minimum lies between the smallest and the largest volume.
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


def scales(points: int, strain: float) -> np.ndarray:
    """Give the linear scales of the cells of an equation of state: volumes evenly spaced, ends at 1 -+ `strain`."""
    return np.linspace((1 - strain) ** 3, (1 + strain) ** 3, points) ** (1 / 3)


def _minimum(c: np.ndarray) -> tuple[float, float, float, float]:
    """Give volume, energy, bulk modulus (eV/A^3) and its derivative at the minimum of a cubic in V^(-2/3).

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


def birch_murnaghan(volume, energy) -> Fit:
    """Fit the equation of state of third order to energies (n,) eV at volumes (n,) A^3, n of four or more.

    It is a cubic in V^(-2/3), so that least squares have one answer and need no start. Errors are propagated from the
    scatter of the residuals. Without a minimum among the fitted volumes or beyond, all values are nan.
    Source: F. Birch, Phys. Rev. 71 (1947) 809.
    """
    volume, energy = np.asarray(volume, float), np.asarray(energy, float)
    if len(volume) < 4 or len(np.unique(volume)) != len(volume):
        raise BadItem(f"an equation of state needs four different volumes or more, not {len(np.unique(volume))}")
    if not (np.isfinite(energy).all() and (volume > 0).all()):
        raise BadItem("an energy or volume of the equation of state is no number")
    centre = float(np.mean(volume))  # conditions the powers; B and B' do not notice
    matrix = np.vander((volume / centre) ** POWER, 4, increasing=True)
    shift = energy.mean()
    c, *_ = np.linalg.lstsq(matrix, energy - shift, rcond=None)
    residual = energy - shift - matrix @ c
    free = len(volume) - 4
    scatter = residual @ residual / free if free else np.nan
    found = np.array(_minimum(c))
    errors = np.full(4, np.nan)
    if np.isfinite(found).all() and free:
        spread = np.linalg.inv(matrix.T @ matrix) * scatter
        steps = 1e-6 * np.maximum(np.abs(c), 1e-6)
        slopes = np.array(
            [
                (np.array(_minimum(c + e)) - np.array(_minimum(c - e))) / (2 * h)
                for e, h in zip(np.diag(steps), steps, strict=True)
            ]
        )
        errors = np.sqrt(np.maximum(np.einsum("ik,ij,jk->k", slopes, spread, slopes), 0.0))
    unit = np.array([centre, 1.0, GPA / centre, 1.0])
    found, errors = found * unit, errors * unit
    found[1] += shift
    inside = bool(volume.min() < found[0] < volume.max())
    return Fit(*map(float, found), *map(float, errors), float(np.sqrt(np.mean(residual**2))), inside)


def values(fit: Fit, atoms: int, cells: int = 0) -> dict[str, tuple]:
    """Name what a fit says per atom: {quantity: (value, unit, uncertainty)}.

    `cells`: how many of the fitted cells make a cubic conventional one; 0 where the crystal is not cubic.
    """

    def pair(value, unit, error):
        return (value, unit, error if np.isfinite(error) else None)

    made = {
        "energy_ev_per_atom": pair(fit.energy / atoms, "eV/atom", fit.energy_error / atoms),
        "volume_a3_per_atom": pair(fit.volume / atoms, "A^3/atom", fit.volume_error / atoms),
        "bulk_modulus_gpa": pair(fit.bulk_modulus, "GPa", fit.bulk_modulus_error),
        "bulk_modulus_derivative": pair(fit.derivative, "1", fit.derivative_error),
    }
    if cells:
        side = (fit.volume * cells) ** (1 / 3)
        made["lattice_constant_a"] = pair(side, "A", side / 3 * fit.volume_error / fit.volume)
    return {name: value for name, value in made.items() if np.isfinite(value[0])}


def problems(fit: Fit, atoms: int, fit_mev_per_atom: float) -> list[str]:
    """Say what speaks against an equation of state."""
    found = []
    if not np.isfinite(fit.bulk_modulus):
        return ["the energies have no minimum: they rise or fall over all volumes; begin from another volume"]
    if fit.bulk_modulus <= 0:
        found.append(
            f"the bulk modulus is {fit.bulk_modulus:.0f} GPa, below 0: the cut-off is too low, or states are mixed"
        )
    if not fit.inside:
        found.append(
            f"the minimum, {fit.volume:.2f} A^3, lies outside the volumes that were computed; begin from nearer to it"
        )
    if 1000 * fit.rms / atoms > fit_mev_per_atom:
        found.append(
            f"the energies scatter {1000 * fit.rms / atoms:.2f} meV/atom about the fit, over {fit_mev_per_atom:g}: "
            "states are mixed, or the energies are not converged"
        )
    return found


class Run(NamedTuple):
    """What one volume gave: A^3, eV, the largest force in eV/A, stress (3, 3) in GPa, moment in Bohr magnetons."""

    volume: float
    energy: float
    force: float
    stress: object = None
    moment: float = float("nan")


def conclude(
    manifest: dict,
    said: list[str],
    runs: dict[str, Run],
    force_ev_a: float,
    stress_gpa: float,
    fit_mev: float,
    note: str = "",
) -> dict:
    """Judge an equation of state: status, reason and values, from the runs of its volumes and what speaks against them.

    `manifest` says structure, scales, cubic_cells and settings. Force and stress count at the volume nearest to the
    minimum: elsewhere they need not vanish, but there they do where places and shape of the cell are those of
    equilibrium.
    """
    whole = len(runs) == len(manifest["scales"]) and np.isfinite([run.energy for run in runs.values()]).all()
    if not whole:
        return {"status": REJECTED, "reason": "; ".join(said) or "an energy is missing", "values": {}}
    volume = np.array([run.volume for run in runs.values()])
    atoms = len(manifest["structure"]["species"])
    fit = birch_murnaghan(volume, [run.energy for run in runs.values()])
    said = said + problems(fit, atoms, fit_mev)
    place = int(np.argmin(np.abs(volume - fit.volume))) if np.isfinite(fit.volume) else 0
    name, run = list(runs.items())[place]
    if not run.force <= force_ev_a:
        said.append(
            f"{name}: the largest force is {run.force:.3f} eV/A, more than {force_ev_a:g}: its atoms are not relaxed"
        )
    if run.stress is None:
        said.append(f"{name}: its stress is missing")
    else:
        stress = np.asarray(run.stress, float)
        uneven = np.abs(stress - np.eye(3) * np.trace(stress) / 3).max()
        if not uneven <= stress_gpa:
            said.append(
                f"{name}: the stress is uneven by {uneven:.2f} GPa, more than {stress_gpa:g}: its cell is not relaxed"
            )
    made = values(fit, atoms, manifest["cubic_cells"])
    if manifest["settings"].get("spin") and np.isfinite(run.moment):
        made["magnetisation_mu_b_per_atom"] = (run.moment / atoms, "mu_B/atom", None)
    return {"status": REJECTED if said else ACCEPTED, "reason": "; ".join(said) or note, "values": made}
