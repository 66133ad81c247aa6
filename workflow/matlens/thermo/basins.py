"""Sample phase states at one temperature; find the minimum of each basin relative to a tangent plane.

A basin is the states of a phase in which the same constituent leads on every sublattice: gamma and gamma prime are two
basins of one model. No sample is fine enough to show that nothing lies below a plane; the best state of every basin is
the start of a search downhill, which is.
"""

import itertools
import warnings
from dataclasses import dataclass

import numpy as np

from matlens.thermo.system import PRESSURE, System

MOST_STATES = 800_000  # samples larger than that are not made: they would take more than 1 GiB
LEAST_DENSITY = 20  # a sample that is made, however large
MADE_UP = 1e9  # J/mol of the made-up states
GAS = 8.3145  # J/(mol K); it only scales the steps
STEPS = 60  # of a search
SETTLED = 0.01  # J/mol; a search that gains less has ended
HOPELESS = 1.0  # J/mol above the plane that a search is not expected to get below
LEAST_SITE = 1e-12
UNCHARGED = 1e-11  # e per formula unit, of a neutral state
TILTS, MOST_TILT = 90, 60.0  # steps of the search of a neutral state, and its bound
ALIKE = 0.01  # difference of site fractions up to which interchangeable sublattices are alike
ORDERS = 1000.0  # J/mol above the plane from which order within a basin may still reach below it
APART = 0.5  # logarithm by which sublattices that are alike are moved apart
KEPT = 4_000_000  # energies of samples that are kept
ROWS = 8_000_000  # numbers of a table of distances: alloys are taken in parts


@dataclass
class Sample:
    """States of all phases at one temperature: compositions (n, e), energies (n,) J/mol, site fractions by phase.

    The states of a phase lie side by side, and within it those of one basin: `basins` is (phase, first, end). The first
    `e` states are made up and stand for the bare elements.
    """

    x: np.ndarray
    energy: np.ndarray
    sites: dict[str, np.ndarray]
    basins: list[tuple[str, int, int]]

    def phase(self, at: int) -> str | None:
        """Return the phase of a state; None for the made-up ones."""
        return next((name for name, start, end in self.basins if start <= at < end), None)

    def state(self, phase: str, at) -> np.ndarray:
        """Return the site fractions of one or several states of a phase."""
        return self.sites[phase][at - next(start for name, start, _ in self.basins if name == phase)]


def sample(made: System, temperature: float, density: int) -> Sample | None:
    """Sample the states of all phases at a temperature (K); None if there would be too many.

    Alloys share samples: the states of a density are drawn once, their energies are kept for the last temperatures.
    """
    key = temperature, density
    if key not in made.samples:
        if _states(made, density) > MOST_STATES and density != LEAST_DENSITY:
            return None
        drawn = _drawn(made, density)
        if sum(len(one.energy) for one in made.samples.values()) + len(drawn.energy) > KEPT:
            made.samples.clear()
        made.samples[key] = Sample(drawn.x, _energies(made, drawn, temperature), drawn.sites, drawn.basins)
    return made.samples[key]


def _drawn(made: System, density: int) -> Sample:
    """Return the states of a density; caches the lowest density and the last other one."""
    if density not in made.drawn:
        for other in [one for one in made.drawn if one != min(made.drawn)]:
            del made.drawn[other]
        made.drawn[density] = _draw(made, density)
    return made.drawn[density]


def _energies(made: System, drawn: Sample, temperature: float) -> np.ndarray:
    """Compute the energies of drawn states at a temperature (K): (n,) J/mol of atoms."""
    found = np.full(len(drawn.energy), MADE_UP)
    at = len(made.elements)
    for phase, sites in drawn.sites.items():
        state = np.empty((len(sites), 3 + sites.shape[1]))
        state[:, :3], state[:, 3:] = (1.0, PRESSURE, temperature), sites
        energy = np.empty(len(sites))
        made.records[phase].prop_2d(energy, state, b"G")
        with np.errstate(invalid="ignore", divide="ignore"):
            energy /= sites @ made.moles[phase].sum(axis=0)
        found[at : at + len(sites)] = np.where(np.isfinite(energy), energy, MADE_UP)
        at += len(sites)
    return found


def _states(made: System, density: int) -> int:
    """Estimate how many states pycalphad samples: on lines between end members, and between them."""
    total = 0
    for lattices in made.lattices.values():
        ends = int(np.prod([len(names) for _, names in lattices]))
        free = sum(len(names) - 1 for _, names in lattices)
        total += density * (min(ends * (ends - 1) // 2, 500) + 10 * free)
    return total


def _draw(made: System, density: int) -> Sample:
    """Draw states of all phases as pycalphad does, which knows no temperature; their energies are not computed."""
    from pycalphad import calculate

    count = len(made.elements)
    compositions, sites, found, at = [np.eye(count)], {}, [], count
    for phase in made.phases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grid = calculate(
                made.database, [*made.elements, "VA"], [phase], model=made.models, phase_records=made.records,
                output="GM", to_xarray=False, pdens=density, T=1000.0, P=PRESSURE, N=1.0,
            )  # fmt: skip
        x, y = (np.asarray(values)[0, 0, 0] for values in (grid.X, grid.Y))
        y = y[:, : made.moles[phase].shape[1]]
        order, bounds = _basins(made.lattices[phase], y)
        compositions.append(x[order])
        sites[phase] = np.ascontiguousarray(y[order])
        found += [(phase, at + a, at + b) for a, b in bounds]
        at += len(order)
    return Sample(np.concatenate(compositions), np.full(at, MADE_UP), sites, found)


def _basins(lattices, sites: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Sort states by the leading constituent of each sublattice: their order, and the bounds of each basin."""
    code, at = np.zeros(len(sites), int), 0
    for _, names in lattices:
        code, at = code * len(names) + sites[:, at : at + len(names)].argmax(axis=1), at + len(names)
    order = np.argsort(code, kind="stable")
    bounds = [0, *(np.flatnonzero(np.diff(code[order])) + 1).tolist(), len(code)]
    return order, [(a, b) for a, b in itertools.pairwise(bounds) if b > a]


@dataclass
class Lowest:
    """The state that lies furthest below a plane: by how much (J/mol of atoms), its phase and site fractions."""

    below: float
    phase: str
    sites: np.ndarray


def lowest(made: System, given: Sample, temperature: float, potentials: np.ndarray, window: float) -> list[Lowest]:
    """Find for every plane of chemical potentials (k, e) the state that lies furthest below it, over all basins.

    Every basin whose best sampled state lies at most `window` J/mol above the plane is searched downhill.
    """
    starts: dict[str, list[tuple[int, int, float]]] = {phase: [] for phase in made.phases}  # plane, state, gap
    size = max(1, ROWS // len(given.energy))
    for first in range(0, len(potentials), size):
        gaps = potentials[first : first + size] @ given.x.T - given.energy
        for phase, start, end in given.basins:
            part = gaps[:, start:end]
            best = part.argmax(axis=1)
            gap = part[np.arange(len(part)), best]
            starts[phase] += [(first + k, start + best[k], gap[k]) for k in np.flatnonzero(gap > -window)]
    found = [Lowest(-np.inf, "", np.zeros(0))] * len(potentials)
    for phase, own in starts.items():
        if own:
            planes, states, below = (np.array(part) for part in zip(*own, strict=True))
            sites = given.state(phase, states)
            if len(sites[0]) > len(made.lattices[phase]):  # else a phase of one state, which is the one in the sample
                below, sites = downhill(made, phase, temperature, potentials[planes], sites)
                below, sites = _ordered(made, phase, temperature, potentials[planes], below, sites)
            for plane, gap, y in zip(planes, below, sites, strict=True):
                if gap > found[plane].below:
                    found[plane] = Lowest(float(gap), phase, y)
    return found


def _ordered(
    made: System, phase: str, temperature: float, potentials: np.ndarray, below: np.ndarray, sites: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Search once more where interchangeable sublattices are alike: the better of both searches, as of `downhill`.

    The slope of the energy is the same on such sublattices, so that a search never leaves this plane, though its lowest
    state may be a saddle: weak order, with one constituent leading on all of them, lies beside it in the same basin.
    """
    lattices = made.lattices[phase]
    edges = np.cumsum([0, *(len(names) for _, names in lattices)])
    pairs = [(a, b) for a, b in itertools.combinations(range(len(lattices)), 2)
             if lattices[a] == lattices[b] and len(lattices[a][1]) > 1]  # fmt: skip
    if not pairs:
        return below, sites
    gaps = [np.abs(sites[:, edges[a] : edges[a + 1]] - sites[:, edges[b] : edges[b + 1]]).max(axis=1) for a, b in pairs]
    alike = np.flatnonzero((np.min(gaps, axis=0) < ALIKE) & (below > -ORDERS))
    if len(alike):
        tilt = np.concatenate([
            (1 - 2 * at / (len(lattices) - 1)) * np.cos(1 + 2.0 * np.arange(len(names)))
            for at, (_, names) in enumerate(lattices)
        ])  # fmt: skip  # no symmetry is left
        apart = sites[alike] * np.exp(APART * tilt)
        again, states = downhill(made, phase, temperature, potentials[alike], apart)
        better = again > below[alike]
        below, sites = below.copy(), sites.copy()
        below[alike[better]], sites[alike[better]] = again[better], states[better]
    return below, sites


def _normalise(y: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Scale site fractions (k, d) to sum 1 on every sublattice; `edges`: bounds of the sublattices."""
    y = np.maximum(y, LEAST_SITE)
    return y / _sums(y, edges)


def _sums(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sum values (k, d) over each sublattice, and repeat the sum for all of its constituents (k, d)."""
    return np.repeat(np.add.reduceat(values, edges[:-1], axis=1), edges[1:] - edges[:-1], axis=1)


def _balanced(y: np.ndarray, edges: np.ndarray, ratio: np.ndarray, charges: np.ndarray | None) -> np.ndarray:
    """Scale site fractions (k, d) to sum 1 on every sublattice, and to no charge.

    `charges`: of the constituents (d,), None without ions. The neutral state nearest in entropy has y exp(-z c), c
    the charge; the charge falls with z, which steps of Newton and of bisection find in turn.
    """
    y = _normalise(y, edges)
    if charges is None:
        return y
    low, high, z = np.full(len(y), -MOST_TILT), np.full(len(y), MOST_TILT), np.zeros(len(y))
    for turn in range(TILTS):
        tilted = _normalise(y * np.exp(-z[:, None] * charges), edges)
        parts = [(tilted[:, a:b], charges[a:b], ratio[a]) for a, b in itertools.pairwise(edges)]
        means = [part @ charge for part, charge, _ in parts]
        net = sum(mean * times for mean, (_, _, times) in zip(means, parts, strict=True))
        slope = sum(((p @ c**2) - m**2) * t for m, (p, c, t) in zip(means, parts, strict=True))
        if np.abs(net).max() < UNCHARGED:
            break
        low, high = np.where(net > 0, z, low), np.where(net < 0, z, high)
        newton = z + net / np.maximum(slope, LEAST_SITE)
        z = np.where((turn % 2 == 0) & (newton > low) & (newton < high), newton, (low + high) / 2)
    return tilted


def downhill(
    made: System, phase: str, temperature: float, potentials: np.ndarray, sites: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lower states of a phase towards their planes: returns how far they end below them (k,), J/mol, and the states.

    `potentials`: (k, e), `sites`: (k, d). The distance is D = (G - mu M) / sum(M) of a formula unit. Each step sets y'
    ~ y exp(-s (dD/dy) sum(M) / (a R T)) on a sublattice of a sites, which for s = 1 is the successive substitution of
    M. L. Michelsen, Fluid Phase Equilib. 9 (1982) 1; s is halved where D would rise. Phases with ions stay neutral.
    """
    record, moles = made.records[phase], made.moles[phase]
    ratio = np.concatenate([np.full(len(names), a) for a, names in made.lattices[phase]])
    edges = np.cumsum([0, *(len(names) for _, names in made.lattices[phase])])
    scale = 1.0 / (ratio * GAS * temperature)
    weight = potentials @ moles  # (k, d): what a site fraction is worth
    amount = moles.sum(axis=0)  # (d,)

    def values(y, worth):
        state = np.empty((len(y), 3 + y.shape[1]))
        state[:, :3], state[:, 3:] = (1.0, PRESSURE, temperature), y
        energy = np.empty(len(y))
        record.prop_2d(energy, state, b"G")
        total = y @ amount
        with np.errstate(invalid="ignore", divide="ignore"):
            return (energy - (y * worth).sum(axis=1)) / total, state, total

    charges = made.charges.get(phase)
    y = _balanced(np.array(sites, float), edges, ratio, charges)
    distance, state, total = values(y, weight)
    step, before = np.ones(len(y)), np.zeros(len(y))
    active = np.flatnonzero(np.isfinite(distance))
    for _ in range(STEPS):
        if not len(active):
            break
        slope = np.empty((len(active), state.shape[1]))
        for row, at in enumerate(active):
            record.formulagrad(slope[row], state[at])
        push = slope[:, 3:] - weight[active] - distance[active, None] * amount
        push -= _sums(y[active] * push, edges)  # what moves all of a sublattice moves nothing
        move = np.clip(push * scale * step[active, None], -20.0, 20.0)
        trial = _balanced(y[active] * np.exp(-move), edges, ratio, charges)
        moved, at_state, at_total = values(trial, weight[active])
        better = moved < distance[active]
        gain = distance[active] - moved
        chosen = active[better]
        y[chosen], distance[chosen], state[chosen], total[chosen] = (
            trial[better], moved[better], at_state[better], at_total[better],
        )  # fmt: skip
        step[active] = np.where(better, np.minimum(1.0, step[active] * 1.5), step[active] * 0.4)
        # Gains fall like a geometric series: where even twice its sum does not reach the plane, nothing lies below it.
        rate = np.clip(gain / np.where(before[active] > 0, before[active], np.inf), 0.0, 0.95)
        hopeless = (distance[active] - 2 * gain * rate / (1 - rate) > HOPELESS) & better & (before[active] > 0)
        before[active] = np.where(better, gain, before[active])
        active = active[((~better & (step[active] > 0.01)) | (better & (gain > SETTLED))) & ~hopeless]
    return np.where(np.isfinite(distance), -distance, -np.inf), y
