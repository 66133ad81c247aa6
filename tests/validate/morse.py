"""A pair potential with exact energies, forces and stresses, through the interface of universal potentials."""

import itertools

import numpy as np
from matlens.crystal.ions import relax_positions
from matlens.crystal.potentials import Potential
from matlens.crystal.structures import Crystal
from matlens.validate import fits

DEPTH_EV, STEEP_PER_A, NEAREST_A, CUTOFF_A = 0.4, 2.2, 2.6, 9.5


def pair(r):
    """Return the Morse potential and its first and second derivatives, eV and angstrom."""
    e = np.exp(-STEEP_PER_A * (r - NEAREST_A))
    return (
        DEPTH_EV * (e * e - 2 * e),
        2 * STEEP_PER_A * DEPTH_EV * (e - e * e),
        2 * STEEP_PER_A**2 * DEPTH_EV * (2 * e * e - e),
    )


def vectors(crystal: Crystal):
    """Return (i, j, r_j - r_i) of all pairs within the cut-off, both ways."""
    height = 1 / np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)
    reach = [range(-n, n + 1) for n in np.ceil(CUTOFF_A / height).astype(int)]
    shift = np.array(list(itertools.product(*reach))) @ crystal.cell
    places = crystal.frac @ crystal.cell
    apart = places[None, :, None] - places[:, None, None] + shift
    far = np.linalg.norm(apart, axis=3)
    i, j, k = np.nonzero((far > 1e-6) & (far < CUTOFF_A))
    return i, j, apart[i, j, k]


def state(crystal: Crystal):
    """Return energy (eV per atom), stress (GPa, positive if compressed) and forces (eV per angstrom)."""
    i, _, r = vectors(crystal)
    far = np.linalg.norm(r, axis=1)
    energy, slope, _ = pair(far)
    pull = (slope / far)[:, None] * r
    forces = np.zeros((len(crystal.species), 3))
    np.add.at(forces, i, pull)
    stress = np.einsum("ni,nj->ij", pull, r) / 2 / abs(np.linalg.det(crystal.cell))
    return energy.sum() / 2 / len(crystal.species), -stress * fits.GPA, forces


def states(crystals):
    made = [state(one) for one in crystals]
    return np.array([e for e, _, _ in made]), np.array([s for _, s, _ in made]), [f for _, _, f in made]


def relax(crystal: Crystal, steps: int = 200, force_ev_a: float = 0.05):
    """Relax atoms and cell: the cell by Newton steps on its stress with a constant stiffness."""
    for number in range(1, steps + 1):  # noqa: B007
        crystal = relax_positions(states, [crystal], force_ev_a / 100)[0][0]
        stress = state(crystal)[1]
        if np.abs(stress).max() < 1e-4:
            break
        crystal = Crystal(crystal.cell @ (np.eye(3) + stress / 2000), crystal.species, crystal.frac)
    return crystal, state(crystal)[0], number


MORSE = Potential("Morse", lambda c: state(c)[0], lambda cs: states(cs)[0], states, relax)
