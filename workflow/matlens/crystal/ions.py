"""Relax the atoms of crystals at fixed cells, many crystals at once, by any potential."""

from collections.abc import Callable

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem

STIFF_EV_A2 = 30.0  # curvature that a relaxation begins with
STEP_A = 0.1  # longest displacement of one atom in one step


def relax_positions(
    states: Callable, crystals: list[Crystal], force_ev_a: float, steps: int = 100
) -> tuple[list[Crystal], np.ndarray]:
    """Relax atoms until no force is larger than `force_ev_a`; returns crystals and stresses (n, 3, 3) GPa.

    states(crystals): energies, stresses and forces, as in `matlens.crystal.potentials.Potential`. Raises BadItem if one
    has not converged after `steps`. By the quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno on forces
    (J. Nocedal, S. Wright, Numerical Optimization (2006), section 6.1).
    """
    made, stress = list(crystals), np.zeros((len(crystals), 3, 3))
    inverse = [np.eye(3 * len(one.species)) / STIFF_EV_A2 for one in made]
    before: list = [None] * len(made)
    open_ = list(range(len(made)))
    for _ in range(steps + 1):
        _, stresses, forces = states([made[k] for k in open_])
        left = []
        for k, tensor, force in zip(open_, stresses, forces, strict=True):
            stress[k] = tensor
            if np.linalg.norm(force, axis=1).max(initial=0.0) <= force_ev_a:
                continue
            gradient = -(force - force.mean(axis=0)).ravel()
            if before[k] is not None:
                inverse[k] = _updated(inverse[k], before[k][0], gradient - before[k][1])
            move = -(inverse[k] @ gradient)
            move *= min(1.0, STEP_A / np.linalg.norm(move.reshape(-1, 3), axis=1).max())
            before[k] = move, gradient
            frac = made[k].frac + np.linalg.solve(made[k].cell.T, move.reshape(-1, 3).T).T
            made[k] = Crystal(made[k].cell, made[k].species, frac)
            left.append(k)
        open_ = left
        if not open_:
            return made, stress
    raise BadItem(
        f"its atoms have not relaxed to {force_ev_a:g} eV/A after {steps} steps; begin from a better structure"
    )


def _updated(inverse: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return the inverse curvature after a step, unchanged if the curvature along it is not positive."""
    along = move @ change
    if along <= 1e-10:
        return inverse
    left = np.eye(len(move)) - np.outer(move, change) / along
    return left @ inverse @ left.T + np.outer(move, move) / along
