"""Phase equilibria of alloys by pycalphad, each proved against every basin of every phase.

Minimisers of many phases now and then fail, or end in a local minimum without a word. So an answer counts only when it
is converged, keeps mass, and no state of any phase lies below the plane of its chemical potentials (the test of M. L.
Michelsen, Fluid Phase Equilib. 9 (1982) 1). A state below the plane is taken in and the answer is sought again, which
lowers its energy; where that fails, samples of other densities follow (the ladder), each begun afresh.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from matlens.job.batch import BadItem
from matlens.thermo import basins, potentials, starts
from matlens.thermo.system import Part, System, describe

LADDER = (60, 150, 500, 20, 2000)  # densities of the samples, in turn (pycalphad's `pdens`)
SECOND = (150, 500)  # those of a second opinion
BELOW = 0.05  # J/mol by which a state may lie below the plane: what rounding amounts to
FEW = 4  # elements of which samples are fine
WINDOW = {
    True: 3000.0,
    False: 12000.0,
}  # J/mol above the plane up to which basins are searched: of few elements, of many
CLOSE = 1e-4  # mole fraction by which two states of a phase must differ to be two
NEWTON, STILL, VANISHED = 12, 1e-10, 1e-8  # most full steps; what counts as no motion; as no phase
REFUTED = 8  # times that an answer may be refuted and sought again before it is begun afresh
SUM = 1e-6  # by which phase fractions may miss 1, and their sum the alloy
BENT = 0.05  # J/mol by which the energy may fail to be concave in temperature


@dataclass
class Equilibrium:
    """Stable state: one `Part` per state of a phase; energy and chemical potentials (e,) in J/mol of atoms."""

    temperature: float
    energy: float
    potentials: np.ndarray
    parts: list[Part]
    below: float  # J/mol by which the lowest state of all phases lies below the plane; about 0
    density: int  # of the sample that it was begun from
    attempts: int  # solutions that it took


@dataclass
class Case:
    """State of the search of one alloy: its composition sets, and the attempts so far."""

    x: np.ndarray
    guess: Equilibrium | None
    rung: int = 0
    bare: bool = False  # whether it is begun from the lower hull alone, without phases that are almost stable
    empty: float = potentials.EMPTY
    doubted: bool = False  # whether an answer was refuted
    attempts: int = 0
    refuted: int = 0
    sets: list = field(default_factory=list)
    potentials: np.ndarray | None = None
    answer: Equilibrium | None = None


def _solve(made: System, sets: list, x: np.ndarray, near: bool) -> np.ndarray | None:
    """Minimise the energy from some sets of composition, in place; returns the potentials, None if it fails.

    `near`: the sets are almost right, so that full steps of Newton's method are tried before pycalphad's careful ones.
    """
    from pycalphad.core.minimizer import SystemSpecification

    if not sets:
        return None
    count, none = len(made.elements), np.zeros(0, np.int32)
    conditions = SystemSpecification(
        3, count, 1.0, np.zeros(count), np.ascontiguousarray(np.eye(count)[:-1]), np.ascontiguousarray(x[:-1]),
        np.arange(count, dtype=np.int32), none, none, np.arange(3, dtype=np.int32), none,
    )  # fmt: skip
    try:
        if near:
            kept = [(one.phase_record.phase_name, np.array(one.dof), float(one.NP)) for one in sets]
            found = _newton(conditions, sets)
            if found is not None:
                return found
            for one, (_, dof, amount) in zip(sets, kept, strict=True):
                one.update(dof[3:], amount, dof[:3])
        state = conditions.get_new_state(sets)
        converged = conditions.run_loop(state, 1000)
    except Exception:  # LAPACK and pycalphad give up in ways of their own: the next rung begins afresh
        return None
    gone = [at for at, one in enumerate(sets) if one.NP <= 0.0]
    for at in reversed(gone):
        del sets[at]
    if not converged and gone:
        return _solve(made, sets, x, False)  # a phase that vanishes at a compound stops the minimiser before its end
    potentials = np.array(state.chemical_potentials)
    return potentials if converged and sets and np.isfinite(potentials).all() else None


def _newton(conditions, sets: list) -> np.ndarray | None:
    """Iterate full Newton steps to convergence; None if a phase would vanish or steps run out."""
    from pycalphad.core.minimizer import advance_state, solve_state

    state, last = conditions.get_new_state(sets), None
    for _ in range(NEWTON):
        step = solve_state(conditions, state)
        amounts = [one.NP for one in sets]
        now = np.concatenate([*(np.asarray(one.dof) for one in sets), amounts])
        if min(amounts) < VANISHED or not np.isfinite(now).all():
            return None
        if last is not None and np.abs(now - last).max() < STILL:
            return np.array(state.chemical_potentials)
        last = now
        advance_state(conditions, state, step, 1.0)
    return None


def _sound(sets: list, x: np.ndarray) -> bool:
    """Check whether the fractions sum to 1, and the parts to the alloy."""
    amounts = np.array([one.NP for one in sets])
    whole = amounts @ np.array([np.asarray(one.X) for one in sets])
    return bool(np.isfinite(whole).all() and abs(amounts.sum() - 1) < SUM and np.abs(whole - x).max() < SUM)


def _afresh(case: Case) -> None:
    """Discard the current solution and continue with the hull of the sample alone, then with the next density."""
    if case.guess is not None:
        case.guess = None  # its own first sample comes next
    else:
        case.rung, case.bare = case.rung + case.bare, not case.bare
    case.sets, case.potentials, case.refuted = [], None, 0


def _advance(made: System, case: Case, temperature: float, densities) -> None:
    """Advance a case to the next solution to test, with as many sample densities as that takes."""
    while case.rung < len(densities):
        if not case.sets:
            given = basins.sample(made, temperature, densities[case.rung])
            if given is None:
                case.rung += 1
                continue
            if case.guess is not None:
                parts = case.guess.parts
                first = ((part, max(part.fraction, 1e-6)) for part in parts)
                case.sets = [starts.composition_set(made, p.phase, p.sites, n, temperature) for p, n in first]
            else:
                case.sets = starts.begin(made, given, case.x, temperature, case.bare)
        case.attempts += 1
        near = (case.guess is not None or case.bare) and not case.refuted
        case.potentials = _solve(made, case.sets, case.x, near)
        if case.potentials is not None and _sound(case.sets, case.x):
            return
        _afresh(case)


def _elsewhere(
    made: System, given: basins.Sample, case: Case, found: basins.Lowest, temperature: float, window: float
) -> basins.Lowest:
    """Choose other potentials for a refuted case if its phases leave some free; returns the states below those."""

    def test(plane: np.ndarray) -> basins.Lowest:
        return basins.lowest(made, given, temperature, plane[None], window)[0]

    case.potentials, found = potentials.settle(made, given, case.sets, case.potentials, found, BELOW, test, case.empty)
    return found


def _refute(made: System, case: Case, lowest: basins.Lowest, temperature: float) -> None:
    """Add a state below the plane to a case, unless present."""
    new = starts.composition_set(made, lowest.phase, lowest.sites, 1e-6, temperature)
    alike = any(
        one.phase_record.phase_name == lowest.phase and np.abs(np.asarray(one.X) - np.asarray(new.X)).max() <= CLOSE
        for one in case.sets
    )
    case.refuted, case.doubted = case.refuted + 1, True
    if alike or case.refuted > REFUTED:
        _afresh(case)
    else:
        case.sets = starts.with_state(case.sets, new, case.x)


def row(made: System, temperature: float, alloys: np.ndarray, guesses=None, densities=LADDER):
    """Return equilibria of alloys (n, e) at a temperature (K) and 101325 Pa, in the order of the elements.

    `guesses`: for every alloy its answer at a temperature nearby, or None; tried first, and tested as any other.
    Returns a list of Equilibrium, or BadItem where no sample brought an answer that stands. An alloy's answer does not
    depend on the alloys beside it: they only share samples, and are tested together.
    """
    cases = [Case(x, guess) for x, guess in zip(alloys, guesses or [None] * len(alloys), strict=True)]
    window = WINDOW[len(made.elements) <= FEW]
    while open_cases := [one for one in cases if one.answer is None and _goes_on(one, len(densities))]:
        for case in open_cases:
            _advance(made, case, temperature, densities)
        tested = [one for one in open_cases if one.rung < len(densities)]
        for density in sorted({densities[case.rung] for case in tested}):
            own = [case for case in tested if densities[case.rung] == density]
            given = basins.sample(made, temperature, density)
            planes = np.array([case.potentials for case in own])
            for case, found in zip(own, basins.lowest(made, given, temperature, planes, window), strict=True):
                if found.below > BELOW:
                    found = _elsewhere(made, given, case, found, temperature, window)
                if found.below > BELOW:
                    _refute(made, case, found, temperature)
                else:
                    case.answer = _answer(made, case, found.below, temperature, density)
    return [one.answer or _unsolved(made, temperature, one, densities) for one in cases]


def _goes_on(case: Case, rungs: int) -> bool:
    """Return whether a case has samples left; after the last, traces fix no potentials, and it is begun once more."""
    if case.rung >= rungs and case.doubted and case.empty < potentials.TRACES:
        case.rung, case.empty, case.sets = 0, potentials.TRACES, []
    return case.rung < rungs


def _unsolved(made: System, temperature: float, case: Case, densities) -> BadItem:
    given = basins.sample(made, temperature, min(densities))
    lacks = starts.outside(made, given, case.x) if given else ""
    if lacks:
        return BadItem(f"no equilibrium at {temperature:g} K in {made.name}: {lacks}")
    return BadItem(
        f"no equilibrium at {temperature:g} K in {made.name} after {case.attempts} attempts with samples of densities "
        f"{', '.join(map(str, densities))}: leave out phases that do not matter, or take another temperature"
    )


def equilibrium(made: System, temperature: float, x: np.ndarray, guess=None, densities=LADDER) -> Equilibrium:
    """Return the equilibrium of one alloy (e,) at a temperature (K). Raises BadItem if no answer is proved."""
    found = row(made, temperature, np.asarray(x, float)[None], [guess], densities)[0]
    if isinstance(found, BadItem):
        raise found
    return found


def _answer(made: System, case: Case, below: float, temperature: float, density: int) -> Equilibrium:
    parts = []
    for one in case.sets:
        phase, sites = one.phase_record.phase_name, np.array(one.dof)[3:]
        structure, ordered = describe(made.lattices[phase], phase, sites)
        parts.append(Part(phase, structure, ordered, float(one.NP), np.array(one.X), sites))
    energy = float(sum(one.NP * one.energy for one in case.sets))
    return Equilibrium(temperature, energy, case.potentials, merged(parts), below, density, case.attempts)


def merged(parts: list[Part]) -> list[Part]:
    """Merge equal states of one phase, and sort all: by phase, the larger part first."""
    kept: list[Part] = []
    for part in parts:
        same = (p for p in kept if p.phase == part.phase and p.ordered == part.ordered)
        twin = next((p for p in same if np.abs(p.x - part.x).max() < CLOSE), None)
        if twin is None:
            kept.append(part)
        else:
            twin.fraction += part.fraction
    return sorted(kept, key=lambda part: (part.phase, -part.fraction))


def fractions(found: Equilibrium) -> dict[str, float]:
    """Sum the fractions (of all atoms) by structure."""
    total: dict[str, float] = {}
    for part in found.parts:
        total[part.structure] = total.get(part.structure, 0.0) + part.fraction
    return total


def sweep(made: System, temperatures: list[float], alloys: np.ndarray, second_opinion: bool = False) -> list[list]:
    """Return the equilibria of every alloy (n, e) at rising temperatures; BadItem in place of a failed one.

    Every alloy begins from its own answer at the temperature before. With a `second_opinion` every answer is sought
    once more from a sample of another density; without one, only answers that do not fit those beside them. The lower
    energy wins.
    """
    last: list[Equilibrium | None] = [None] * len(alloys)
    columns = []
    for temperature in sorted(temperatures):
        found = row(made, temperature, alloys, last)
        if second_opinion:
            found = [_lower(one, again) for one, again in zip(found, row(made, temperature, alloys, densities=SECOND))]  # noqa: B905
        last = [one if isinstance(one, Equilibrium) else None for one in found]
        columns.append(found)
    lines = [list(line) for line in zip(*columns, strict=True)] if columns else [[] for _ in alloys]
    for line, x in zip(lines, alloys, strict=True):
        good = [at for at, one in enumerate(line) if isinstance(one, Equilibrium)]
        for at in (good[kink] for kink in kinked([line[at] for at in good])):
            again = row(made, line[at].temperature, x[None], densities=SECOND)[0]
            line[at] = _lower(line[at], again)
    return lines


def _lower(first, second):
    """Keep the solution of lower energy; any solution is better than none."""
    answers = [one for one in (first, second) if isinstance(one, Equilibrium)]
    return min(answers, key=lambda one: one.energy) if answers else first


def kinked(line: list[Equilibrium]) -> list[int]:
    """List the temperatures whose equilibrium does not fit the neighbouring temperatures.

    The energy of what is stable is concave in temperature, since its heat capacity is positive: an answer that is only
    metastable lies too high, and lifts the chord that ends in it above the answer between.
    """
    if len(line) < 3:
        return []
    t, g = (np.array([getattr(one, name) for one in line]) for name in ("temperature", "energy"))
    chord = g[:-2] + (g[2:] - g[:-2]) * (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
    return sorted({int(k) for at in np.flatnonzero(g[1:-1] - chord < -BENT) for k in (at, at + 2)})


def highest(
    made: System,
    x: np.ndarray,
    there: Callable[[Equilibrium], bool],
    low: Equilibrium,
    high: Equilibrium,
    within: float,
) -> float:
    """Bisect for the temperature (K) at which `there` turns from true (at `low`) to false (at `high`), to `within`
    K.
    """
    while high.temperature - low.temperature > within:
        middle = equilibrium(made, 0.5 * (low.temperature + high.temperature), x, low)
        low, high = (middle, high) if there(middle) else (low, middle)
    return 0.5 * (low.temperature + high.temperature)
