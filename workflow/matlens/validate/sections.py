"""Isothermal sections of three elements: every triangle of three phases, found along the edges of those known.

Beyond an edge of a triangle lies the region of its two phases, which ends at another triangle, at the side of the
section, or at a critical point. Walking through all of these regions finds the triangles that alloys of a grid miss.
"""

import itertools
from dataclasses import dataclass, field, replace

import numpy as np

from matlens.thermo import basins, equilibria
from matlens.thermo.equilibria import Equilibrium
from matlens.thermo.system import Part, System

FIRST, SHORTEST, LONGEST = 1e-4, 1e-6, 0.03  # steps of a walk, in mole fractions
SIDE = 1e-3  # mole fraction of the third element along a side of the section
SAME = 5e-3  # mole fraction by which the corners of one triangle may differ between two answers
JUMP = 0.1  # mole fraction by which the ends of a tie may move in one step
HEIGHT = 1e4  # J/mol that count as much as a mole fraction of 1, so that the hull is well shaped
STEPS = 300  # of one walk
PLANE = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])  # corners of the section


@dataclass
class Region:
    """A region of two phases: its ties in the order of a walk."""

    ties: list[Equilibrium] = field(default_factory=list)


@dataclass
class Section:
    """Results at one temperature: triangles, regions of two phases, and the equilibria of the grid."""

    made: System
    temperature: float
    triangles: list[Equilibrium] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    grid: list[Equilibrium] = field(default_factory=list)

    def ask(self, x: np.ndarray, guess: Equilibrium | None = None) -> Equilibrium | None:
        """Return the equilibrium of one alloy; None if there is no solution."""
        found = equilibria.row(self.made, self.temperature, x[None], [guess])[0]
        return found if isinstance(found, Equilibrium) else None

    def known(self, found: Equilibrium) -> int | None:
        """Find a triangle among those known, by its corners."""
        for at, one in enumerate(self.triangles):
            if _match(one.parts, found.parts, SAME) is not None:
                return at
        return None

    def add(self, found: Equilibrium) -> int:
        """Add a triangle, with the equilibrium at its centroid as its proof; returns its place."""
        at = self.known(found)
        if at is None:
            middle = self.ask(np.mean([part.x for part in found.parts], axis=0), found)
            self.triangles.append(middle if middle and len(middle.parts) == 3 else found)
            at = len(self.triangles) - 1
        return at


def section(made: System, temperature: float, alloys: np.ndarray, points: int) -> Section:
    """Find the triangles and regions of a section at a temperature, K, from alloys (n, 3), its sides, and a hull."""
    found = Section(made, temperature)
    answers = equilibria.row(made, temperature, np.vstack([alloys, _sides(points), _hull(made, temperature)]))
    good = [one for one in answers if isinstance(one, Equilibrium)]
    found.grid = [one for one in answers[: len(alloys)] if isinstance(one, Equilibrium)]
    for one in good:
        if len(one.parts) == 3:
            found.add(one)
    done: set[tuple[int, int]] = set()
    _walk_edges(found, done)
    for one in good:  # regions that reach no triangle, or whose triangles are not known yet
        if len(one.parts) == 2 and not _seen(found, one):
            _walk_both_ways(found, one, done)
            _walk_edges(found, done)
    return found


def _sides(points: int) -> np.ndarray:
    """Spread alloys along the three sides of a section, `4 points` along each."""
    along = (np.arange(4 * points) + 0.5) / (4 * points)
    side = np.column_stack([(1 - along) * (1 - SIDE), along * (1 - SIDE), np.full(len(along), SIDE)])
    return np.vstack([np.roll(side, shift, axis=1) for shift in range(3)])


def _hull(made: System, temperature: float) -> np.ndarray:
    """Return an alloy for every two or three phases that share a facet of the lower hull of a sample: (n, 3).

    It is the middle of the largest such facet. So no region is missed that is as large as the spacing of the sample.
    """
    from scipy.spatial import ConvexHull, QhullError

    given = basins.sample(made, temperature, equilibria.LADDER[0])
    real = np.flatnonzero(given.energy < basins.MADE_UP) if given is not None else np.zeros(0, int)
    if len(real) < 5:
        return np.zeros((0, 3))
    number = np.zeros(len(given.energy), int)
    for at, (phase, start, end) in enumerate(given.basins):
        number[start:end] = made.phases.index(phase) * len(given.basins) + at
    points = np.column_stack([given.x[real] @ PLANE, given.energy[real] / HEIGHT])
    try:
        hull = ConvexHull(points)
    except QhullError:  # all states in one plane
        return np.zeros((0, 3))
    best: dict[tuple, tuple[float, np.ndarray]] = {}
    for corners in hull.simplices[hull.equations[:, 2] < 0]:
        a, b, c = points[corners, :2]
        area = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
        kind = tuple(sorted(set(number[real[corners]])))
        if len(kind) > 1 and area > best.get(kind, (1e-9, None))[0]:
            best[kind] = area, given.x[real[corners]].mean(axis=0)
    found = np.array([x for _, x in best.values()]).reshape(-1, 3)
    return found[found.min(axis=1) > 0]


def _walk_edges(found: Section, done: set[tuple[int, int]]) -> None:
    """Walk away from every edge of every triangle that has not been walked, and from those that are found thereby."""
    while todo := [(t, e) for t in range(len(found.triangles)) for e in range(3) if (t, e) not in done]:
        triangle, edge = todo[0]
        done.add((triangle, edge))
        parts = found.triangles[triangle].parts
        ends = [part for at, part in enumerate(parts) if at != edge]
        away = _normal(ends)
        if away @ (_flat(parts[edge].x) - _flat(ends[0].x)) > 0:
            away = -away
        begin = _edge(found.triangles[triangle], edge)
        ties, reached = _walk(found, begin, away, FIRST)
        if ties:
            found.regions.append(Region([begin, *ties, *_arrive(found, ties[-1], reached, done)]))
        elif reached is not None:
            found.add(reached)


def _walk_both_ways(found: Section, tie: Equilibrium, done: set[tuple[int, int]]) -> None:
    """Walk to both ends of a region from a tie amid it, and keep the whole as one region."""
    halves = []
    for sign in (-1.0, 1.0):
        ties, triangle = _walk(found, tie, sign * _normal(tie.parts), LONGEST)
        halves.append([*ties, *_arrive(found, [tie, *ties][-1], triangle, done)])
    found.regions.append(Region([*reversed(halves[0]), tie, *halves[1]]))


def _edge(triangle: Equilibrium, opposite: int) -> Equilibrium:
    """Return the tie along an edge of a triangle, half of each phase."""
    ends = [replace(part, fraction=0.5) for at, part in enumerate(triangle.parts) if at != opposite]
    return replace(triangle, parts=ends)


def _arrive(
    found: Section, last: Equilibrium, triangle: Equilibrium | None, done: set[tuple[int, int]]
) -> list[Equilibrium]:
    """Keep the triangle at the end of a walk, and return the tie along the edge that it came in by; [] if none.

    `last`: the last tie of the walk. That edge need not be walked again.
    """
    if triangle is None:
        return []
    at = found.add(triangle)
    gaps: dict[int, tuple[float, Equilibrium]] = {}
    for edge in range(3):
        tie = _edge(found.triangles[at], edge)
        kept = _match(last.parts, tie.parts, JUMP)
        if kept is not None:
            tie.parts[:] = [tie.parts[one] for one in kept]
            gaps[edge] = _gap(last, tie), tie
    if not gaps:
        return []
    nearest = min(gaps, key=lambda edge: gaps[edge][0])
    done.add((at, nearest))
    return [gaps[nearest][1]]


def _gap(tie: Equilibrium, other: Equilibrium) -> float:
    """Return the largest mole fraction by which the ends of two ties differ, in the order of their parts."""
    return max(float(np.abs(a.x - b.x).max()) for a, b in zip(tie.parts, other.parts, strict=True))


def _walk(
    found: Section, begin: Equilibrium, away: np.ndarray, step: float
) -> tuple[list[Equilibrium], Equilibrium | None]:
    """Walk through a region of two phases from a tie: its ties in order, and the triangle at its end, if there is one.

    A step that lands in other phases is halved; one that lands beyond the section ends the walk.
    """
    ties, tie, direction = [], begin, away
    for _ in range(STEPS):
        middle = _flat(np.mean([part.x for part in tie.parts], axis=0))
        x = _composition(middle + step * direction)
        if x.min() < 0.1 * SIDE:
            if step <= FIRST:
                break
            step *= 0.5
            continue
        answer = found.ask(x)
        kept = _match(tie.parts, answer.parts, JUMP) if answer and len(answer.parts) >= 2 else None
        if kept is None:
            step *= 0.3
            if step < SHORTEST:
                break
            continue
        if len(answer.parts) == 3:
            return ties, answer
        answer.parts[:] = [answer.parts[at] for at in kept]  # each end keeps its place along the walk
        turned = _normal(answer.parts)
        direction = turned if turned @ direction > 0 else -turned
        ties.append(answer)
        tie, step = answer, min(LONGEST, 2 * step)
    return ties, None


def _seen(found: Section, tie: Equilibrium) -> bool:
    """Return whether a tie lies in a region that was walked: between two of its neighbouring ties, or next to one."""
    for region in found.regions:
        if any(_match(one.parts, tie.parts, 2 * LONGEST) is not None for one in region.ties):
            return True
        if any(_between(one, other, tie) for one, other in itertools.pairwise(region.ties)):
            return True
    return False


def _between(one: Equilibrium, other: Equilibrium, tie: Equilibrium) -> bool:
    """Return whether a tie lies between two neighbouring ties of a region, whose ends may be far apart."""
    kept = _match(one.parts, tie.parts, 2 * JUMP)
    if kept is None:
        return False
    first, last = (np.concatenate([part.x for part in tied.parts]) for tied in (one, other))
    asked, along = np.concatenate([tie.parts[at].x for at in kept]), last - first
    share = np.clip((asked - first) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    return bool(np.abs(asked - first - share * along).max() < LONGEST)


def _label(part: Part) -> tuple[str, str]:
    return part.phase, part.structure


def _match(parts: list[Part], others: list[Part], within: float) -> list[int] | None:
    """Find for every state its counterpart among others, of one phase and within some mole fraction; None for none."""
    taken: list[int] = []
    for part in parts:
        gaps = {
            at: float(np.abs(other.x - part.x).max())
            for at, other in enumerate(others)
            if at not in taken and _label(other) == _label(part)
        }
        nearest = min(gaps, key=gaps.get, default=None)
        if nearest is None or gaps[nearest] > within:
            return None
        taken.append(nearest)
    return taken


def _flat(x: np.ndarray) -> np.ndarray:
    """Place a composition (3,) in the plane of the section (2,)."""
    return x @ PLANE


def _composition(point: np.ndarray) -> np.ndarray:
    """Return the composition (3,) at a point of the plane."""
    third = point[1] / PLANE[2, 1]
    second = point[0] - 0.5 * third
    return np.array([1 - second - third, second, third])


def _normal(parts: list[Part]) -> np.ndarray:
    """Return a direction of unit length across a tie."""
    along = _flat(parts[1].x) - _flat(parts[0].x)
    return np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-12)
