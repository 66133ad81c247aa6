"""Chemical potentials of alloys that do not fix them: at stoichiometric compounds, or between them.

The phases that are there then fix fewer potentials than there are elements. Any set of them proves an answer, as long
as no state of any phase lies below its plane; the one that a minimiser happens to end with need not.
"""

import itertools
from collections.abc import Callable

import numpy as np

from matlens.thermo.basins import Lowest, Sample
from matlens.thermo.system import System

EMPTY = 1e-10  # site fraction below which a constituent fixes no potential: it only bounds one
TRACES = 1e-6  # the same where nothing else was found: an alloy that misses a compound by 1e-9, as 0.333333333
RANK = 1e-9  # part of the largest singular value that counts as 0
CUTS = 12  # most planes that are tried
FARTHEST = 1e6  # J/mol by which potentials are moved at most
SLACK = 0.02  # J/mol by which a sampled state may lie below a plane


def free(made: System, sets: list, empty: float = EMPTY) -> np.ndarray:
    """Span the potentials that some sets of composition leave free: rows of unit length (r, e), often none.

    empty: site fraction up to which a constituent fixes none.
    """
    fixed = []
    for one in sets:
        phase, sites = one.phase_record.phase_name, np.asarray(one.dof)[3:]
        moles = made.moles[phase]
        fixed.append(moles @ sites)
        fixed += list((moles @ _moves(made, phase, sites, empty)).T)
    rows = np.array(fixed)
    _, size, span = np.linalg.svd(rows)
    return span[int((size > RANK * size[0]).sum()) :]


def _moves(made: System, phase: str, sites: np.ndarray, empty: float = EMPTY) -> np.ndarray:
    """Span the changes of site fractions (d, m) that keep sublattice sums, and the charge with ions."""
    there = np.flatnonzero(sites > empty)
    rows = [np.repeat(np.eye(len(made.lattices[phase]))[k], [len(n) for _, n in made.lattices[phase]])
            for k in range(len(made.lattices[phase]))]  # fmt: skip
    if phase in made.charges:
        ratio = np.concatenate([np.full(len(names), a) for a, names in made.lattices[phase]])
        rows.append(ratio * made.charges[phase])
    _, size, span = np.linalg.svd(np.array(rows)[:, there])
    kept = span[int((size > RANK * size[0]).sum()) :]
    moves = np.zeros((len(sites), len(kept)))
    moves[there] = kept.T
    return moves


def settle(
    made: System,
    given: Sample,
    sets: list,
    potentials: np.ndarray,
    found: Lowest,
    below: float,
    test: Callable,
    empty: float = EMPTY,
) -> tuple[np.ndarray, Lowest]:
    """Look for potentials that no state refutes, among those that the sets of composition leave free.

    `found` is the state below the plane of `potentials`, `test` finds that of others. Each state found below a plane
    bounds the next choice, as a cutting plane of a linear programme. Returns the last potentials and what `test` found:
    it lies further than `below` J/mol under the plane where every choice is refuted.
    """
    span = free(made, sets, empty)
    if not len(span):
        return potentials, found
    compositions = np.array([np.asarray(one.X) for one in sets])
    gaps = np.array([one.energy for one in sets]) - compositions @ potentials
    start = potentials + np.linalg.lstsq(compositions, gaps, rcond=None)[0]  # on the plane of all that is there
    real = slice(len(made.elements), None)  # the first states are made up
    x, energy = given.x[real], given.energy[real]
    for _ in range(CUTS):
        x = np.vstack([x, _composition(made, found)])
        energy = np.append(energy, x[-1] @ potentials - found.below)
        middle = _middle(x @ span.T, energy - x @ start + SLACK)
        if middle is None:
            break
        potentials = start + middle @ span
        found = test(potentials)
        if found.below <= below:
            break
    return potentials, found


def _composition(made: System, state: Lowest) -> np.ndarray:
    amounts = made.moles[state.phase] @ state.sites[: made.moles[state.phase].shape[1]]
    return amounts / amounts.sum()


def _middle(slopes: np.ndarray, limits: np.ndarray) -> np.ndarray | None:
    """Find a point amid all z with slopes z <= limits: the mean of the ends along every axis; None if there is none."""
    from scipy.optimize import linprog

    ends = []
    for axis, sign in itertools.product(np.eye(slopes.shape[1]), (1.0, -1.0)):
        done = linprog(sign * axis, A_ub=slopes, b_ub=limits, bounds=(-FARTHEST, FARTHEST))
        if not done.success:
            return None
        ends.append(done.x)
    return np.mean(ends, axis=0)
