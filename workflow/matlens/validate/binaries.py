"""Binary diagrams: sections at rising temperatures without holes, the invariants between them, and their regions."""

import difflib
import itertools
from dataclasses import dataclass

import numpy as np

from matlens.thermo import basins, equilibria
from matlens.thermo.equilibria import Equilibrium
from matlens.thermo.system import Part, System

NARROW = 1e-5  # mole fraction within which nothing more is sought between two phases
LOW = 0.01  # J/mol by which a state lies below a chord
EDGE = 1e-3  # mole fraction of the alloys nearest to the elements
WITHIN_K = 0.2  # to which the temperature of an invariant is known
CLOSEST_K = 0.01  # to which two sections come where more than one thing happens between them
APART = 2e-3  # mole fraction by which the three phases of an invariant differ at least
NEW = -1  # a tie that continues none
JUMP = 0.15  # mole fraction by which the ends of a tie may move from one section to the next
ALIKE = 0.05  # mole fraction below which two states of one phase that meet are a critical point, no invariant

Label = tuple[str, str]  # phase and structure


@dataclass
class Span:
    """A state along a section: its phase, and the first and last mole fraction of the second element it is seen at."""

    label: Label
    first: float
    last: float


@dataclass
class Section:
    """Stable phases at one temperature, by rising mole fraction of the second element."""

    temperature: float
    found: list[Equilibrium]
    ties: list[Equilibrium]
    spans: list[Span]

    def kinds(self) -> list[Label]:
        """List the phases along the section."""
        return [span.label for span in self.spans]


@dataclass
class Invariant:
    """Three phases in equilibrium at one temperature, K: labels and mole fractions of the second element."""

    temperature: float
    phases: list[tuple[Label, float]]


@dataclass
class Diagram:
    """Sections by rising temperature, invariants, and where regions of two phases close: by `id` of a tie, (K, x)."""

    sections: list[Section]
    invariants: list[Invariant]
    closed: dict[int, tuple[float, float]]


def section(made: System, temperature: float, points: int) -> Section:
    """Find all that is stable at one temperature: between alloys that differ in their phases, others are asked.

    `points` alloys are spread evenly, and one lies near each element. Two neighbours fit together where the last phase
    of one is the first of the next; elsewhere the middle of the gap is asked, until it is narrower than 0.00001. Where
    both are of one phase, a state of another phase below the chord between them is asked.
    """
    grid = np.concatenate([[EDGE], (np.arange(points) + 0.5) / points, [1 - EDGE]])
    asked, tried, found = list(grid), set(), []
    while asked:
        tried |= {round(x, 7) for x in asked}
        answers = equilibria.row(made, temperature, np.array([[1 - x, x] for x in asked]))
        found += [(x, _ordered(one)) for x, one in zip(asked, answers, strict=True) if isinstance(one, Equilibrium)]
        found.sort(key=lambda pair: pair[0])
        asked = [x for x in _holes(made, temperature, [one for _, one in found]) if round(x, 7) not in tried]
    kept = [one for _, one in found]
    ties = _ties(kept)
    return Section(temperature, kept, ties, _spans(kept, ties))


def _ordered(found: Equilibrium) -> Equilibrium:
    found.parts.sort(key=lambda part: part.x[1])
    return found


def _label(part) -> Label:
    return part.phase, part.structure


def _holes(made: System, temperature: float, found: list[Equilibrium]) -> list[float]:
    """List the alloys between neighbours whose phases do not meet, or between which another phase may lie."""
    given = basins.sample(made, temperature, equilibria.LADDER[0])
    asked = []
    for one, other in itertools.pairwise(found):
        last, first = one.parts[-1], other.parts[0]
        if first.x[1] - last.x[1] <= NARROW:
            continue
        if _label(last) != _label(first):
            asked.append(float(0.5 * (last.x[1] + first.x[1])))
        elif given is not None:
            asked += _hidden(given, last, float(one.potentials @ last.x), first, float(other.potentials @ first.x))
    return asked


def _hidden(given: basins.Sample, last: Part, low: float, first: Part, high: float) -> list[float]:
    """Find the sampled state of another phase that lies furthest below the chord between two states of one phase.

    A phase whose energy curve is above its chord nowhere hides nothing else: a compound that is stable between the two
    lies below it. `low` and `high`: energies of the two, J/mol of atoms.
    """
    x = given.x[:, 1]
    chord = low + (high - low) * (x - last.x[1]) / (first.x[1] - last.x[1])
    below = np.where((x > last.x[1] + NARROW) & (x < first.x[1] - NARROW), chord - given.energy, -np.inf)
    for phase, start, end in given.basins:
        if phase == last.phase:
            below[start:end] = -np.inf
    best = int(np.argmax(below))
    return [float(x[best])] if below[best] > LOW else []


def _ties(found: list[Equilibrium]) -> list[Equilibrium]:
    """Keep one of the equilibria that lie on the same tie line."""
    kept: list[Equilibrium] = []
    for one in found:
        if len(one.parts) != 2:
            continue
        before = kept[-1].parts if kept else []
        same = [_label(part) for part in before] == [_label(part) for part in one.parts]
        if not (same and all(abs(a.x[1] - b.x[1]) < 10 * NARROW for a, b in zip(before, one.parts, strict=True))):
            kept.append(one)
    return kept


def _spans(found: list[Equilibrium], ties: list[Equilibrium]) -> list[Span]:
    """List the phases along a section, each with the known part of its range."""
    spans: list[Span] = []
    kept = {id(tie) for tie in ties}
    for one in found:
        if len(one.parts) > 1 and id(one) not in kept:
            continue  # another alloy of the same tie
        for at, part in enumerate(one.parts):
            x = float(part.x[1])
            if at == 0 and spans and spans[-1].label == _label(part):
                spans[-1].last = max(spans[-1].last, x)
            else:
                spans.append(Span(_label(part), x, x))
    if spans:
        spans[0].first, spans[-1].last = 0.0, 1.0
    return spans


def diagram(made: System, temperatures: list[float], points: int) -> Diagram:
    """Find the sections at temperatures, further ones where neighbours differ in their phases, and what lies between.

    An invariant, and the temperature at which a compound melts or a gap closes, is bracketed to 0.2 K.
    """
    asked = [section(made, temperature, points) for temperature in sorted(temperatures)]
    found = Diagram(asked[:1], [], {})
    for low, high in itertools.pairwise(asked):
        _between(made, low, high, points, found)
        found.sections.append(high)
    return found


def _between(made: System, low: Section, high: Section, points: int, found: Diagram) -> None:
    """Bisect between two sections that differ in their phases; adds the sections between, and what happens there."""
    if low.kinds() == high.kinds():
        return
    apart = high.temperature - low.temperature
    if apart <= WITHIN_K:
        met = _met(low, high)
        closed = {} if met else _closed(low, high) | _closed(high, low)
        if met or closed or apart <= CLOSEST_K:
            found.invariants += met
            found.closed |= closed
            return
    middle = section(made, 0.5 * (low.temperature + high.temperature), points)
    _between(made, low, middle, points, found)
    found.sections.append(middle)
    _between(made, middle, high, points, found)


def _closed(one: Section, other: Section) -> dict[int, tuple[float, float]]:
    """Find the regions of a section that are narrow and not in its neighbour: there a gap closes, or a compound melts.

    Returns for the `id` of each of their ties where the region ends: temperature, K, and mole fraction.
    """
    lost = [number == NEW for number in _followed(other.ties, one.ties)]
    found = {}
    temperature = 0.5 * (one.temperature + other.temperature)
    for gone, group in itertools.groupby(range(len(one.ties)), key=lambda at: lost[at]):
        ties = [one.ties[at] for at in group] if gone else []
        if ties and ties[-1].parts[1].x[1] - ties[0].parts[0].x[1] < 2 * ALIKE:
            x = float(0.5 * (ties[-1].parts[1].x[1] + ties[0].parts[0].x[1]))
            # Near an element, the outer of the two phases ends at the element itself.
            x = 0.0 if x < ALIKE and ties[0] is one.ties[0] else x
            x = 1.0 if x > 1 - ALIKE and ties[-1] is one.ties[-1] else x
            found |= {id(tie): (temperature, x) for tie in ties}
    return found


def _met(low: Section, high: Section) -> list[Invariant]:
    """Find the three phases that meet between two sections: one of them lies between two others in one section alone.

    None where two phases meet (a compound melts, a gap closes), or more than one thing happens.
    """
    without, other = (low, high) if len(low.spans) < len(high.spans) else (high, low)
    places = [
        at for at in range(1, len(other.spans) - 1) if other.kinds()[:at] + other.kinds()[at + 1 :] == without.kinds()
    ]
    if not places:
        return []

    def misfit(at: int) -> float:
        rest = other.spans[:at] + other.spans[at + 1 :]
        return sum(abs(a.first - b.first) + abs(a.last - b.last) for a, b in zip(rest, without.spans, strict=True))

    at = min(places, key=misfit)  # of neighbouring states of one phase, the one that the other section lacks
    left, right, middle = without.spans[at - 1], without.spans[at], other.spans[at]
    phases = [
        (left.label, left.last), (middle.label, 0.5 * (middle.first + middle.last)), (right.label, right.first),
    ]  # fmt: skip
    gaps = [(a[0] == b[0], b[1] - a[1]) for a, b in itertools.pairwise(phases)]
    if all(gap > (ALIKE if same else APART) for same, gap in gaps):
        return [Invariant(0.5 * (low.temperature + high.temperature), phases)]
    return []


def regions(sections: list[Section]) -> list[list[int]]:
    """Number the two-phase regions: for every section the region of each of its ties.

    Ties of neighbouring sections are of one region where both have the same phases, in the same order, and their ends
    lie near each other.
    """
    numbered: list[list[int]] = []
    count, before = 0, []
    for one in sections:
        own = []
        for at in _followed(before, one.ties):
            own.append(count if at == NEW else numbered[-1][at])
            count += at == NEW
        numbered.append(own)
        before = one.ties
    return numbered


def _followed(before: list[Equilibrium], ties: list[Equilibrium]) -> list[int]:
    """Find the tie of a neighbouring section that each tie continues; -1 if there is none."""
    kinds = [[tuple(_label(part) for part in tie.parts) for tie in one] for one in (before, ties)]
    found = [NEW] * len(ties)
    for block in difflib.SequenceMatcher(None, *kinds, autojunk=False).get_matching_blocks():
        for a, b in zip(range(block.a, block.a + block.size), range(block.b, block.b + block.size), strict=True):
            pairs = zip(before[a].parts, ties[b].parts, strict=True)
            if all(abs(one.x[1] - other.x[1]) < JUMP for one, other in pairs):
                found[b] = a
    return found
