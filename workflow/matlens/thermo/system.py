"""Prepare phases of a thermodynamic database for equilibria; classify states of a phase."""

import itertools
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from matlens.job.batch import BadItem
from matlens.registry import suggest
from matlens.thermo import database as tdb
from matlens.thermo import end_members, interactions

PRESSURE = 101325.0
LEAST = 1e-9  # mole fraction below which an element is not there
ROUNDED = 1e-3  # by which mole fractions may miss 1
# What a phase is, by its name in the databases: the structure when disordered, and when ordered.
STRUCTURES = {
    **dict.fromkeys(("FCC_A1", "FCC_L12", "L12_FCC", "FCC_L10", "FCC_4SL", "FCC4"), ("fcc_a1", "l1_2")),
    **dict.fromkeys(("GAMMA_PRIME", "L12"), ("l1_2", "l1_2")),
    **dict.fromkeys(("BCC_A2", "BCC_B2", "B2_BCC", "B2", "BCC_2SL"), ("bcc_a2", "b2")),
    "NIAL": ("b2", "b2"),
    **dict.fromkeys(("SIGMA", "SIGMA_SGTE", "NEWSIGMA", "SIGMA_D8B"), ("sigma", "sigma")),
    **dict.fromkeys(("MU_PHASE", "MU_PHASE_I", "MU_D85"), ("mu", "mu")),
    **dict.fromkeys(("LAVES", "LAVES_PHASE", "LAV_C14"), ("laves", "laves")),
    **dict.fromkeys(("LAVES_C14", "LAVES_C15", "LAVES_C36"), ("laves", "laves")),
    **dict.fromkeys(("C14_LAVES", "C15_LAVES", "C36_LAVES"), ("laves", "laves")),
    "CHI_A12": ("chi", "chi"),
    **dict.fromkeys(("DIAMOND_A4", "SI_DIAMOND_A4", "DIAMOND"), ("diamond_a4", "diamond_a4")),
    **dict.fromkeys(("CEMENTITE", "CEMENTITE_D011"), ("cementite", "cementite")),
    **dict.fromkeys(("M7C3", "M7C3_D101"), ("m7c3", "m7c3")),
    **dict.fromkeys(("MG2SI", "MG2SI_B"), ("mg2si", "mg2si")),
    **dict.fromkeys(("THETA_AL2CU", "ALCU_THETA", "AL2CU_C16"), ("al2cu", "al2cu")),
    **dict.fromkeys(("BETA_AL3MG2", "ALMG_BETA"), ("al3mg2", "al3mg2")),
    **dict.fromkeys(("G_AL12MG17", "AL12MG17", "ALMG_GAMMA"), ("al12mg17", "al12mg17")),
}
# The brittle phases by the beginning of other names: HIGH_SIGMA, LC14_ZN2MG, CHI_RENB, but not CUMGSI_SIGMA.
BEGINNINGS = (
    (re.compile(r"(?:HIGH_|LOW_|H_|DIS_|D8B_)?SIGMA"), "sigma"),
    (re.compile(r"LAVES|L?C(?:14|15|36)(?!\d)"), "laves"),
    (re.compile(r"CHI(?:_|$)"), "chi"),
    (re.compile(r"(?:D85_)?MU(?:_|$)"), "mu"),
)
FOUR = ("FCC_4SL", "FCC4")  # phases of four sublattices, which hold L1_0 beside L1_2
CLOSE_PACKED = ("sigma", "mu", "laves", "chi", "p_phase", "r_phase")  # the brittle "TCP" phases
ALWAYS_ORDERED = ("l1_2", "b2")
INTERSTITIAL = ("C", "N", "B", "H", "O")
FILLED = 0.5  # part of the interstitial sites from which a cubic phase is a carbide or nitride
ROUNDED_K = 1.0  # by which a temperature may exceed a limit: 298 for 298.15
NOT_FORMED = "these elements do not form it"
NO_ENERGY = "no parameter gives it an energy"
NEUTRAL = 1e-9  # e per formula unit
ORDERED = 0.01  # difference of site fractions from which sublattices differ
GAPS_MOST = 0.05  # share of end members without an energy in a stable state, from which its energy is not known


@dataclass
class System:
    """Phases of some elements in a database, prepared once for any number of equilibria.

    `left_out` says of phases that were asked for and cannot be used why that is, `doubts` what is doubtful in the
    parameters of the others. `lattices` gives for every phase its
    sublattices as (ratio, constituents); `moles` what a formula unit holds: elements by site fractions (e, d).
    `charges`: that of every constituent, in e (d,), for phases with ions. `gaps`: what has no energy, by phase, and
    `lines` where the constituents of phases stand in the file.
    """

    name: str
    database: object
    elements: list[str]  # symbols in capitals, sorted
    phases: list[str]
    models: dict
    records: object
    lattices: dict[str, list[tuple[float, list[str]]]]
    moles: dict[str, np.ndarray]
    charges: dict[str, np.ndarray]
    left_out: dict[str, str]
    doubts: list[str] = field(default_factory=list)
    limits: list[tuple[float, str]] = field(default_factory=list)  # of T, K: lowest and highest, each with its command
    samples: dict = field(default_factory=dict)  # the last ones, by temperature and density
    drawn: dict = field(default_factory=dict)  # their states, by density
    gaps: dict[str, end_members.Gaps] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    mixed: dict[str, set[frozenset]] = field(default_factory=dict)  # pairs with an interaction, by phase


@dataclass
class Part:
    """One stable phase: its fraction of all atoms, its composition (e,) and its site fractions."""

    phase: str
    structure: str
    ordered: bool
    fraction: float
    x: np.ndarray
    sites: np.ndarray


def system(name: str, elements: list[str], phases: list[str]) -> System:
    """Prepare phases of a database for some elements.

    `elements`: symbols ("Ni"). `phases`: names in the database, all of them meant: nothing is chosen by itself. A phase
    that these elements do not form, or that pycalphad cannot model, is left out with a reason. BadItem: the database
    lacks an element, or no phase is left. ValueError: an unknown phase, or an ordered phase beside its disordered one.
    """
    from pycalphad import Model
    from pycalphad import variables as v
    from pycalphad.codegen.phase_record_factory import PhaseRecordFactory

    wanted = tuple(sorted({symbol.upper() for symbol in elements}))
    database = tdb.load(name, wanted)
    check_phases(name, database, phases)
    all_phases = _with_disordered(database, phases)
    doubts = tdb.doubts(name, wanted, all_phases)
    gaps, whole = end_members.gaps(database, all_phases, wanted), database
    database = end_members.stripped(whole, gaps)
    unclear = tdb.unclear(name)
    components, models, lattices, moles, charges, left_out = [*wanted, "VA"], {}, {}, {}, {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for phase in sorted(set(phases)):
            if not _formed(database.phases[phase], set(components)):
                left_out[phase] = NO_ENERGY if _formed(whole.phases[phase], set(components)) else NOT_FORMED
                continue
            why = unclear.get(phase) or unclear.get(database.phases[phase].model_hints.get("disordered_phase"))
            if why:
                left_out[phase] = why
                continue
            try:
                model = Model(database, components, phase)
                parts = _lattices(model, list(wanted))
                ions = _charges(model)
                if not _neutral(parts[0], ions):
                    left_out[phase] = NOT_FORMED
                    continue
                models[phase], (lattices[phase], moles[phase]) = model, parts
                charges |= {phase: ions} if ions.any() else {}
            except Exception as error:  # pycalphad raises any type; the phase is left out and reported
                left_out[phase] = _because(error)
        state = {v.N: 1.0, v.P: PRESSURE, v.T: 1000.0}
        records = PhaseRecordFactory(database, components, state, models)
        for phase in list(models):
            fault = _fault(records, phase, moles[phase])
            if fault:
                left_out[phase] = fault
                del models[phase], lattices[phase], moles[phase]
    if not models:
        listed = ", ".join(phase if why == NOT_FORMED else f"{phase} ({why})" for phase, why in left_out.items())
        raise BadItem(f"database {name}: none of the phases {listed} is formed by {', '.join(elements)}")
    return System(
        name, database, list(wanted), list(models), models, records, lattices, moles, charges, left_out, doubts,
        limits=tdb.limits(name, wanted, all_phases), gaps=gaps, lines=tdb.lines_of_phases(name),
        mixed=interactions.pairs(database, models),
    )  # fmt: skip


def _because(error: Exception) -> str:
    return f"it cannot be evaluated ({' '.join(str(error).split())[:120]})"


def _fault(records, phase: str, moles: np.ndarray) -> str:
    """Return the reason why the energy of a phase cannot be computed, else ""."""
    states, energy = np.full((1, 3 + moles.shape[1]), 0.5), np.empty(1)
    states[0, :3] = 1.0, PRESSURE, 1000.0
    try:
        records[phase].prop_2d(energy, states, b"G")
    except Exception as error:  # see above: compiling a model fails in ways of its own
        return _because(error)
    return ""


def _formed(phase, components: set[str]) -> bool:
    """Check whether every sublattice of a phase has a constituent of these components."""
    return all(any(set(species.constituents) <= components for species in lattice) for lattice in phase.constituents)


def remarks(made: System, temperatures_k: Iterable[float] = ()) -> list[str]:
    """List warnings: doubtful parameters, temperatures out of their range, and phases that cannot be evaluated.

    A phase that the elements do not form is no remark.
    """
    lacks = [f"{phase} left out of {made.name}: {why}" for phase, why in made.left_out.items() if why != NOT_FORMED]
    said = [*made.doubts, *incomplete(made), *extrapolated(made, temperatures_k)]
    return [*lacks, *(f"{made.name}: {doubt}" for doubt in said)]


def incomplete(made: System, parts: Iterable[Part] | None = None) -> list[str]:
    """Name the end members without an energy of the phases in use, with their largest share in stable states."""
    used, said = _with_disordered(made.database, made.phases), []
    for phase in sorted(used & set(made.gaps)):
        own, line = made.gaps[phase], made.lines.get(phase)
        most = None if parts is None else max((_gap(made, one) for one in parts if one.phase == phase), default=0.0)
        said += [end_members.said_of_barren(phase, own, line), end_members.said_of_lost(phase, own, line, most)]
    return [one for one in [*said, *_ideal(made, parts or ())] if one]


def _ideal(made: System, parts: Iterable[Part]) -> list[str]:
    """Name the pairs of elements that mix in stable states of a phase without a parameter of their interaction."""
    lost: dict[str, set[frozenset]] = {}
    for part in parts:
        if part.fraction > 0 and part.structure != "gas":
            own = interactions.ideal(made.mixed[part.phase], made.lattices[part.phase], part.sites, {*made.elements})
            lost.setdefault(part.phase, set()).update(own)
    return [interactions.said_of_ideal(phase, own, made.lines.get(phase)) for phase, own in sorted(lost.items())]


def _gap(made: System, part: Part) -> float:
    own = made.gaps.get(part.phase)
    return end_members.share(own, made.lattices[part.phase], part.sites) if own else 0.0


def unknown_energy(made: System, parts: Iterable[Part]) -> str:
    """Return a message if a stable state rests on end members without an energy, else ""."""
    for part in parts:
        if part.fraction > 0 and _gap(made, part) > GAPS_MOST:
            lost = end_members.said_of_lost(part.phase, made.gaps[part.phase], made.lines.get(part.phase), None)
            return f"{100 * _gap(made, part):.0f} % of {part.phase} have no known energy: {lost}; complete the database"
    return ""


def extrapolated(made: System, temperatures_k: Iterable[float]) -> list[str]:
    """Name the temperatures, K, outside the range of a parameter or function, where pycalphad extrapolates it."""
    given, said = sorted({float(t) for t in temperatures_k}), []
    for (bound, which), side, word in zip(made.limits, (-1, 1), ("from", "up to"), strict=False):
        beyond = [t for t in given if side * (t - bound) > ROUNDED_K]
        if beyond:
            listed = f"{beyond[0]:g}" if len(beyond) == 1 else f"{beyond[0]:g} to {beyond[-1]:g}"
            said.append(f"parameters are extrapolated at {listed} K: {which} holds {word} {bound:g} K")
    return said


def _lattices(model, elements: list[str]) -> tuple[list[tuple[float, list[str]]], np.ndarray]:
    lattices, columns = [], []
    if any(not _is_number(ratio) for ratio in model.site_ratios):
        raise ValueError("its site ratios depend on its composition, as those of a two-sublattice ionic liquid do")
    for ratio, lattice in zip(model.site_ratios, model.constituents, strict=True):
        species = sorted(lattice)
        lattices.append((float(ratio), [one.name for one in species]))
        columns += [[float(ratio) * one.constituents.get(el, 0.0) for el in elements] for one in species]
    return lattices, np.array(columns).T


def _charges(model) -> np.ndarray:
    """Return the charge of every constituent of a phase, in e (d,)."""
    return np.array([float(one.charge) for lattice in model.constituents for one in sorted(lattice)])


def _neutral(lattices: list[tuple[float, list[str]]], charges: np.ndarray) -> bool:
    """Check whether a phase can be neutral: whether its end members have charges of both signs, or none."""
    least = most = at = 0
    for ratio, names in lattices:
        part = ratio * charges[at : at + len(names)]
        least, most, at = least + part.min(), most + part.max(), at + len(names)
    return least <= NEUTRAL and most >= -NEUTRAL


def _is_number(ratio) -> bool:
    try:
        return bool(np.isfinite(float(ratio)))
    except (TypeError, ValueError, RuntimeError):  # symengine raises RuntimeError for what has symbols
        return False


def check_phases(name: str, database, phases: list[str]) -> None:
    """Raise ValueError for phases that a database lacks, or pairs of which one contains the other."""
    for phase in phases:
        if phase not in database.phases:
            raise ValueError(f"phases: database {name} has no '{phase}'; {suggest(phase, database.phases)}")
        hints = database.phases[phase].model_hints
        ordered, disordered = hints.get("ordered_phase"), hints.get("disordered_phase")
        if ordered in phases and disordered in phases and ordered != disordered:
            raise ValueError(
                f"phases: in database {name} '{ordered}' holds '{disordered}' as its disordered state; name one of "
                f"them ('{ordered}', unless it is metastable)"
            )


def _with_disordered(database, phases: list[str]) -> set[str]:
    """Add the disordered states that phases hold: their parameters count, too."""
    hints = (database.phases[phase].model_hints.get("disordered_phase") for phase in phases)
    return {*phases, *(one for one in hints if one)}


def named(phase: str) -> tuple[str, str]:
    """Return the structures of a phase when disordered and when ordered, by its name in a database."""
    plain = next((one for begins, one in BEGINNINGS if begins.match(phase.upper())), phase.lower())
    return STRUCTURES.get(phase.upper(), (plain, plain))


def structures(phase: str) -> set[str]:
    """Name the structures that states of a phase may have, by its name in a database."""
    found = set(named(phase))
    if phase.upper() in FOUR:
        found |= {"l1_0"}
    return found | ({"mc"} if "fcc_a1" in found else set())


def describe(lattices: list[tuple[float, list[str]]], phase: str, sites: np.ndarray) -> tuple[str, bool]:
    """Return the structure of a state of a phase, and whether it is ordered.

    Where one model holds an ordered phase and its disordered state (gamma prime and gamma), the state is ordered when
    the site fractions of its sublattices differ, or their constituents do, as in (Al,Ni)(Ni,Va). A cubic solution whose
    interstitial sites are filled is a carbide: "mc".
    """
    filled, at = [], 0
    for _, names in lattices:
        filled.append(dict(zip(names, sites[at : at + len(names)].tolist(), strict=True)))
        at += len(names)
    disordered, order = named(phase)
    if disordered == order:
        return order, order in ALWAYS_ORDERED
    metals = [one for one in filled if set(one) - {"VA", *INTERSTITIAL}]
    unequal = any(set(one) != set(metals[0]) for one in metals[1:])
    spread = max((abs(one[s] - metals[0][s]) for one in metals[1:] for s in one if not unequal), default=0.0)
    if unequal or spread > ORDERED:
        return ("l1_0" if order == "l1_2" and not unequal and _in_pairs(metals) else order), True
    full = max((sum(y for s, y in one.items() if s in INTERSTITIAL) for one in filled if "VA" in one), default=0.0)
    return ("mc" if full > FILLED else disordered), False


def _in_pairs(metals: list[dict[str, float]]) -> bool:
    """Check whether four sublattices (site fractions by constituent) are alike two by two, as in L1_0."""
    if len(metals) != 4:
        return False
    ranked = sorted(tuple(one[s] for s in sorted(one)) for one in metals)
    apart = [max(abs(a - b) for a, b in zip(one, two, strict=True)) for one, two in itertools.pairwise(ranked)]
    return apart[0] <= ORDERED and apart[2] <= ORDERED < apart[1]


def checked(shares: Mapping[str, float]) -> dict[str, float]:
    """Return mole fractions by symbol scaled to 1, without zeros. Raises BadItem if they are no composition.

    A sum that misses 1 by at most 0.001 is taken for rounding.
    """
    wrong = [f"{symbol} {share:g}" for symbol, share in shares.items() if not np.isfinite(share) or share < 0]
    if wrong:
        raise BadItem(f"a mole fraction is negative or no number ({', '.join(wrong)}); correct its composition")
    total = sum(shares.values())
    if abs(total - 1) > ROUNDED:
        raise BadItem(f"its mole fractions sum to {total:.6g}, not to 1; correct its composition")
    return {symbol: share / total for symbol, share in shares.items() if share > LEAST}


def ordered_amounts(made: System, shares: Mapping[str, float]) -> np.ndarray:
    """Order mole fractions by symbol as the elements of a system (e,). Raises BadItem if they are no composition."""
    found = {symbol.upper(): share for symbol, share in checked(shares).items()}
    return np.array([found.get(symbol, 0.0) for symbol in made.elements])
