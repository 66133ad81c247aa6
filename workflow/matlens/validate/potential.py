"""Judge crystals by a universal potential, the cheapest engine: relaxation and equation of state."""

import numpy as np

from matlens import registry
from matlens.crystal import POTENTIALS
from matlens.crystal.ions import relax_positions
from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.validate import ACCEPTED, REJECTED, cells, elastic, eos, fits

RELAXED_EV_A = 0.005  # largest force and stress of the cell that elastic constants begin from
TRIES = 3  # that a range of volumes is moved towards its minimum


def validate(
    candidate: dict,
    crystal: Crystal,
    potential: str,
    *,
    relax: bool = True,
    steps: int = 200,
    force_ev_a: float = 0.05,
    points: int = 7,
    strain: float = 0.03,
    fit_mev_per_atom: float = 1.0,
    elastic_strains: list | None = None,
) -> dict:
    """Relax a crystal by a universal potential, by its name, and fit its equation of state.

    The fit keeps the shape of the cell and the fractional coordinates. elastic_strains: magnitudes; None: no elastic
    constants.
    """
    model, far = registry.load(POTENTIALS, potential), ""
    if relax:
        before, crystal = crystal, model.relax(crystal, steps, force_ev_a)[0]
        far = cells.left(cells.described(before), crystal.cell, crystal.species, crystal.frac)
    small, cubic, _ = cells.primitive(crystal)
    atoms, centre = len(small.species), 1.0
    for _ in range(TRIES):
        made = [cells.scaled(small, centre * scale) for scale in fits.scales(points, strain)]
        volumes = np.array([abs(np.linalg.det(one.cell)) for one in made])
        energies, stresses, _ = model.states(made)
        fit = fits.birch_murnaghan(volumes, energies * atoms, np.trace(stresses, axis1=1, axis2=2) / 3)
        if fit.inside or not np.isfinite(fit.volume):
            break
        centre *= float(np.clip((fit.volume / np.mean(volumes)) ** (1 / 3), 1 - 2 * strain, 1 + 2 * strain))
    if not np.isfinite(fit.energy) and not np.isfinite(fit.bulk_modulus):
        raise BadItem("its energies have no minimum over volume: begin from a better structure")
    names = [f"{volume:.2f} A^3" for volume in volumes]
    said = eos.problems(fit, atoms, fit_mev_per_atom, names)
    at = cells.scaled(small, (fit.volume / abs(np.linalg.det(small.cell))) ** (1 / 3))
    force = float(np.linalg.norm(model.states([at])[2][0], axis=1).max(initial=0.0))
    if not force <= force_ev_a:
        said.append(f"the largest force is {force:.3f} eV/A, more than {force_ev_a:g}: its atoms are not relaxed")
    values, notes = eos.values(fit, atoms, cubic), [f"caution: {far}"] if far else []
    note = "; ".join([*notes, *eos.cautions(fit, volumes)])
    found = {"status": REJECTED if said else ACCEPTED, "reason": "; ".join(said) or note, "values": values}
    return _with_constants(found, at, model, elastic_strains, steps) if elastic_strains else found


def _with_constants(outcome: dict, at: Crystal, model, magnitudes: list, steps: int) -> dict:
    """Add elastic constants at the minimum of the equation of state; shape and atoms are relaxed further if free."""
    free = cells.free_parameters(at)
    if any(free.values()):
        at = cells.primitive(model.relax(at, steps, RELAXED_EV_A)[0])[0]
    planned = elastic.plan(at, magnitudes)
    made = [cells.crystal_of(one["structure"]) for one in planned.values()]
    _, stresses = relax_positions(model.states, made, elastic.FORCE_EV_A, steps)
    states = {name: elastic.State(stress, 0.0) for name, stress in zip(planned, stresses, strict=True)}
    kind = "reuss" if not any(free.values()) else "voigt" if not free["positions"] else ""
    return elastic.conclude(outcome, at, planned, states, kind)
