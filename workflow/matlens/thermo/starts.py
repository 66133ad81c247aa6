"""Initial composition sets of an equilibrium: the lower hull of a sample, and states added to it."""

import numpy as np

from matlens.thermo import basins
from matlens.thermo.system import PRESSURE, System

NEAR = -1000.0  # J/mol below which a phase that is not there is not tried at the start
SUM = 1e-6  # fraction of a phase that is taken in
REACH = 1e-6  # mole fraction by which a composition may lie outside all mixtures of states


def composition_set(made: System, phase: str, sites: np.ndarray, amount: float, temperature: float):
    """Convert a state of a phase to a composition set of pycalphad, with its amount."""
    from pycalphad.core.composition_set import CompositionSet

    record = made.records[phase]
    found = CompositionSet(record)
    found.update(np.ascontiguousarray(sites[: record.phase_dof]), amount, np.array([1.0, PRESSURE, temperature]))
    return found


def begin(made: System, given: basins.Sample, x: np.ndarray, temperature: float, bare: bool = False) -> list:
    """Begin from the lower hull of a sample and, unless `bare`, the phases that are almost stable on it.

    Near an invariant, the minimiser may drop the wrong one of all these phases.
    """
    from pycalphad.core.hyperplane import hyperplane

    count = len(made.elements)
    potentials, amounts, at = np.zeros(count), np.zeros(count + 1), np.zeros(count + 1, np.int32)
    fixed, none = np.vstack([np.eye(count)[:-1], np.ones(count)]), np.zeros(0, np.uintp)
    hyperplane(given.x, given.energy, potentials, none, fixed, np.append(x[:-1], 1.0), amounts, at)
    there = [(given.phase(k), k, max(amount, 1e-6)) for k, amount in zip(at[:count], amounts[:count], strict=True)]
    sets = [
        composition_set(made, phase, given.state(phase, k), amount, temperature) for phase, k, amount in there if phase
    ]
    gaps, named = given.x @ potentials - given.energy, {phase for phase, *_ in there}
    best: dict[str, int] = {}
    for phase, start, end in given.basins:
        top = start + int(np.argmax(gaps[start:end]))
        if phase not in named and gaps[top] >= max(NEAR, gaps[best[phase]] if phase in best else NEAR):
            best[phase] = top
    if not bare:
        sets += [composition_set(made, phase, given.state(phase, k), 0.0, temperature) for phase, k in best.items()]
    total = sum(one.NP for one in sets)
    for one in sets:
        one.NP /= total or 1.0
    return sets


def with_state(sets: list, new, x: np.ndarray) -> list:
    """Add a state; if there are then more states than elements, another leaves: a pivot of a linear programme.

    pycalphad does not converge from more states than elements.
    """
    if len(sets) < len(x):
        return [*sets, new]
    for leaving in range(len(sets)):
        kept = [*sets[:leaving], *sets[leaving + 1 :], new]
        amounts = np.linalg.lstsq(np.array([np.asarray(one.X) for one in kept]).T, x, rcond=None)[0]
        if amounts.min() > -SUM:  # the one basis that holds the new state and makes the alloy has the lower energy
            for one, amount in zip(kept, amounts, strict=True):
                one.NP = max(float(amount), SUM)
            return kept
    return [*sets, new]


def outside(made: System, given: basins.Sample, x: np.ndarray) -> str:
    """Return a message if no mixture of sampled states has the composition of an alloy (e,), else ""."""
    from scipy.optimize import linprog

    real, count = given.x[given.energy < basins.MADE_UP], len(x)
    mixed = np.hstack([real.T, np.eye(count), -np.eye(count)])
    cost = np.append(np.zeros(len(real)), np.ones(2 * count))
    missed = linprog(cost, A_eq=mixed, b_eq=x, bounds=(0, None))
    if not missed.success or missed.fun < REACH:
        return ""
    low, high = real.min(axis=0), real.max(axis=0)
    far = [at for at in range(count) if not low[at] - REACH < x[at] < high[at] + REACH]
    names = [symbol.capitalize() for symbol in made.elements]
    said = ", ".join(f"{x[at]:.4g} of {names[at]} (they reach from {low[at]:.4g} to {high[at]:.4g})" for at in far)
    return (
        f"no mixture of its {len(made.phases)} phases with an energy has {said or 'its composition'}: add the phases "
        "that do, or leave out the alloy"
    )
