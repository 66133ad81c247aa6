"""Elastic constants of candidates: plan strained cells, and judge the constants that their stresses give."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from matlens.crystal import elasticity
from matlens.crystal.structures import Crystal
from matlens.validate import ACCEPTED, CONSTANTS, REJECTED, cells, fits

FORCE_EV_A = 0.003  # largest force on an atom of a strained cell: atoms that lag behind stiffen the crystal
ERROR = 0.02  # largest change of a constant by leaving out a magnitude, as a part of the largest constant
MISFIT = 0.02  # largest deviation of a stress from the symmetry of the crystal, in the same unit
UNEVEN = 0.02  # largest uneven stress without strain, as a part of the bulk modulus
PRESSURE_CAUTION, PRESSURE_MOST = 0.02, 0.1  # change of the constants by the pressure without strain, as a part
BULK_CAUTION, BULK_MOST = 0.05, 0.1  # difference from the equation of state, as a part
MOMENT = 0.05  # mu_B per atom by which the moments of strained cells may differ from their median
ENERGY = 0.1  # largest difference of a constant by energies, as a part of the largest constant
DERIVATIVE = 4.0  # of the bulk modulus by pressure, if no equation of state gives it
SAME = 2e-5  # largest difference of a returned cell from a strained one, as a part of its longest vector

AVERAGES = {
    "bulk_voigt": ("bulk_modulus_voigt_gpa", "GPa"),
    "bulk_reuss": ("bulk_modulus_reuss_gpa", "GPa"),
    "bulk": ("bulk_modulus_vrh_gpa", "GPa"),
    "shear_voigt": ("shear_modulus_voigt_gpa", "GPa"),
    "shear_reuss": ("shear_modulus_reuss_gpa", "GPa"),
    "shear": ("shear_modulus_vrh_gpa", "GPa"),
    "young": ("young_modulus_vrh_gpa", "GPa"),
    "poisson": ("poisson_ratio_vrh", "1"),
    "anisotropy": ("universal_anisotropy", "1"),
}


class State(NamedTuple):
    """Result of one strained cell.

    stress: (3, 3) GPa, positive if compressed; force: largest, eV/A; moment: total, mu_B, nan if unknown; energy: eV,
    nan if it is not to be compared with the stresses.
    """

    stress: np.ndarray
    force: float
    moment: float = float("nan")
    energy: float = float("nan")


def plan(small: Crystal, magnitudes: list[float] | None) -> dict[str, dict]:
    """Name the strained cells of a crystal: {name: {pattern, strain, structure, positions}}; {} without magnitudes.

    A strain whose sign a symmetry reverses is computed with one sign. positions: whether symmetry leaves atoms free.
    """
    if not magnitudes:
        return {}
    turned, rotations = elasticity.frame(small)
    made = {}
    for pattern in elasticity.patterns(rotations):
        signs = (1,) if elasticity.reversal(pattern, rotations) is not None else (1, -1)
        for magnitude in sorted(set(magnitudes)):
            for sign in signs:
                one = elasticity.strained(turned, elasticity.strain(pattern, sign * magnitude))
                made[f"e{len(made):02d}"] = {
                    "pattern": pattern, "strain": sign * magnitude, "structure": cells.described(one),
                    "positions": cells.free_parameters(one)["positions"] > 0,
                }  # fmt: skip
    return made


def misplaced(planned: Mapping, cell: np.ndarray) -> list[str]:
    """Return the reason if a returned cell (3, 3) has another strain than was asked for; [] if it has not."""
    want = np.array(planned["structure"]["cell_a"])
    same = np.abs(np.asarray(cell) - want).max() <= SAME * np.abs(want).max()
    return [] if same else ["wrong structure: its strain is another than was asked for"]


def _stresses(planned: Mapping[str, Mapping], states: Mapping[str, State], rotations: np.ndarray):
    """Return patterns, magnitudes and stresses (s, m, 2, 3, 3), positive in tension; reversed strains by symmetry."""
    chosen = list(dict.fromkeys(one["pattern"] for one in planned.values()))
    sizes = sorted({abs(one["strain"]) for one in planned.values()})
    found = {(one["pattern"], one["strain"]): -np.asarray(states[name].stress) for name, one in planned.items()}
    made = np.zeros((len(chosen), len(sizes), 2, 3, 3))
    for row, pattern in enumerate(chosen):
        turn = elasticity.reversal(pattern, rotations)
        for column, size in enumerate(sizes):
            plus = found[pattern, size]
            minus = found.get((pattern, -size))
            made[row, column] = plus, turn @ plus @ turn.T if minus is None else minus
    return chosen, sizes, made


def fit(crystal: Crystal, planned: Mapping[str, Mapping], states: Mapping[str, State]) -> elasticity.Fit:
    """Fit elastic constants to the stresses of all planned cells of a crystal."""
    _, rotations = elasticity.frame(crystal)
    return elasticity.fit(rotations, *_stresses(planned, states, rotations))


def _values(found: elasticity.Fit, rotations: np.ndarray) -> dict[str, tuple]:
    """Return constants that symmetry does not make zero, and averages if the crystal is stable."""
    spread = np.abs(found.parts - found.stiffness).max(axis=0)
    there = np.abs(elasticity.basis(rotations)).max(axis=0) > 1e-6
    made = {
        name: (float(found.stiffness[place]), "GPa", float(spread[place]))
        for name, place in CONSTANTS.items()
        if there[place]
    }
    least = elasticity.smallest_eigenvalue(found.stiffness)
    parts = [elasticity.smallest_eigenvalue(one) for one in found.parts]
    made["elastic_eigenvalue_gpa"] = (least, "GPa", float(np.abs(np.array(parts) - least).max()))
    if min(least, *parts) <= 0:
        return made
    mean = elasticity.averages(found.stiffness)
    apart = np.abs(np.array([elasticity.averages(one) for one in found.parts]) - np.array(mean)).max(axis=0)
    for name, value, error in zip(mean._fields, mean, apart, strict=True):
        quantity, unit = AVERAGES[name]
        made[quantity] = (value, unit, float(error))
    return made


def conclude(
    outcome: dict, crystal: Crystal, planned: Mapping[str, Mapping], states: Mapping[str, State], relaxed: str = ""
) -> dict:
    """Add elastic constants to the outcome of an equation of state, and judge them.

    crystal: the unstrained cell. relaxed: kind of the bulk modulus that the equation of state measures: "reuss" if the
    shape was relaxed or is fixed by symmetry, "voigt" if it was kept, "" if atoms were not relaxed.
    """
    if not planned or any(name not in states for name in planned):
        return outcome
    wrong = _unusable(states) + _moments(states, len(crystal.species))
    if wrong:
        return combined(outcome, {}, wrong, [])
    _, rotations = elasticity.frame(crystal)
    found = fit(crystal, planned, states)
    values = _values(found, rotations)
    said, notes = _converged(found) + _energies(found, planned, states, abs(np.linalg.det(crystal.cell))), []
    least, _, spread = values["elastic_eigenvalue_gpa"]
    if least <= spread:
        said.append(
            f"mechanically unstable: the smallest eigenvalue of its elastic constants is {least:.1f} GPa (uncertain by "
            f"{spread:.1f}); it would deform by itself"
        )
    more, cautions = _reference(
        found, outcome["values"], volume=abs(np.linalg.det(crystal.cell)) / len(crystal.species)
    )
    if relaxed and "bulk_modulus_vrh_gpa" in values:
        bad, caution = _bulk(found, values[f"bulk_modulus_{relaxed}_gpa"][0], outcome["values"])
        more, cautions = more + bad, cautions + caution
    return combined(outcome, values, said + more, notes + cautions)


def judge(outcome: dict, manifest: Mapping, states: Mapping[str, State]) -> dict:
    """Add the elastic constants of a hand-off to the outcome of its equation of state; see `conclude`."""
    if not manifest.get("strained"):
        return outcome
    free = manifest["free"]
    moves = manifest.get("moves") or {}
    left = [what for what, count in free.items() if count and not moves.get(what)]
    kind = "" if "positions" in left else "voigt" if left else "reuss"
    crystal = cells.crystal_of(manifest["structure"])
    return conclude(outcome, crystal, manifest["strained"], states, kind)


def _unusable(states: Mapping[str, State]) -> list[str]:
    """List strained cells whose stress is missing or whose atoms are not relaxed."""
    said = []
    for name, one in states.items():
        if one.stress is None or not np.isfinite(one.stress).all():
            said.append(f"{name}: its stress is missing")
        elif not one.force <= FORCE_EV_A:
            said.append(
                f"{name}: the largest force of the strained cell is {one.force:.4f} eV/A, more than {FORCE_EV_A:g}: "
                "its atoms are not relaxed"
            )
    return said


def _moments(states: Mapping[str, State], atoms: int) -> list[str]:
    """List strained cells whose magnetic moment is another than that of most: they are in another state."""
    size = np.array([abs(one.moment) for one in states.values()]) / atoms
    apart = np.abs(size - np.median(size)) > MOMENT  # nan compares as equal
    return [
        f"{name}: its magnetic moment is {own:.2f} mu_B/atom, that of most strained cells {np.median(size):.2f}: it is "
        "in another state"
        for name, own, other in zip(states, size, apart, strict=True)
        if other
    ]


def _converged(found: elasticity.Fit) -> list[str]:
    """List the reasons why constants are not converged in the strain or lack the symmetry of the crystal."""
    said, largest = [], np.abs(found.stiffness).max()
    apart = np.abs(found.parts - found.stiffness).max()
    if not apart <= ERROR * largest:
        said.append(
            f"an elastic constant changes by {apart:.1f} GPa if one magnitude of strain is left out, over "
            f"{ERROR * largest:.1f}: the stresses are noisy or not linear; change elastic_strains, or tighten the run"
        )
    if not found.misfit <= MISFIT * largest:
        said.append(
            f"stresses differ by {found.misfit:.1f} GPa per unit strain from the symmetry of the crystal, over "
            f"{MISFIT * largest:.1f}: the strained cells are in different states, or their k points too few"
        )
    return said


def _energies(found: elasticity.Fit, planned: Mapping, states: Mapping[str, State], volume: float) -> list[str]:
    """List constants that the energies of the strained cells contradict; two magnitudes or more are needed.

    E = E0 + V C e^2 / 2, averaged over both signs. A stress s without strain changes C by about s. A factor of two
    in a shear stress, a unit or another run are in all stresses alike, so that nothing else shows them.
    """
    said, rest = [], 2 * np.abs(found.stress).max()
    for pattern in dict.fromkeys(one["pattern"] for one in planned.values()):
        own = {name: abs(one["strain"]) for name, one in planned.items() if one["pattern"] == pattern}
        sizes = sorted(set(own.values()))
        mean = np.array([np.mean([states[name].energy for name in own if own[name] == size]) for size in sizes])
        if len(sizes) < 2 or not np.isfinite(mean).all():
            continue
        curvature = 2 * np.polyfit(np.square(sizes), mean, 1)[0] / volume * fits.GPA
        unit = 1.0 if pattern < 3 else 4.0  # of a shear, whose engineering strain is twice its tensor's
        by_energy, by_stress = curvature / unit, found.stiffness[pattern, pattern]
        if not abs(by_energy - by_stress) <= ENERGY * np.abs(found.stiffness).max() + rest:
            name = f"C{pattern + 1}{pattern + 1}"
            said.append(
                f"the energies of the strained cells give {name} = {by_energy:.1f} GPa, their stresses {by_stress:.1f} "
                "GPa: energies and stresses contradict each other"
            )
    return said


def _reference(found: elasticity.Fit, known: Mapping, volume: float) -> tuple[list[str], list[str]]:
    """Judge the stress of the unstrained cell: reasons and cautions."""
    pressure = -float(np.trace(found.stress)) / 3
    bulk = float(found.stiffness[:3, :3].sum()) / 9
    uneven = float(np.abs(found.stress + pressure * np.eye(3)).max())
    said, notes = [], []
    if uneven > UNEVEN * abs(bulk):
        said.append(
            f"the stress of the unstrained cell is uneven by {uneven:.2f} GPa: its shape is not relaxed; begin from a "
            "relaxed one"
        )
    slope = known.get("bulk_modulus_derivative", (DERIVATIVE,))[0]
    change = abs(slope * pressure / bulk)
    if change > PRESSURE_CAUTION:
        at = f"{volume:.2f} A^3/atom"
        best = known.get("volume_a3_per_atom")
        hint = f"the cell has {at}; begin from {best[0]:.2f}" if best else f"the cell has {at}; relax it before"
        text = (
            f"the unstrained cell is under a pressure of {pressure:.2f} GPa, which changes elastic constants by about "
            f"{100 * change:.0f} %: {hint}"
        )
        if change > PRESSURE_MOST:
            said.append(text)
        else:
            notes.append(f"caution: {text}")
    return said, notes


def _bulk(found: elasticity.Fit, bulk: float, known: Mapping) -> tuple[list[str], list[str]]:
    """Compare the bulk modulus of the constants with that of the equation of state at the same pressure."""
    if "bulk_modulus_gpa" not in known:
        return [], []
    pressure = -float(np.trace(found.stress)) / 3
    other = known["bulk_modulus_gpa"][0] + known.get("bulk_modulus_derivative", (DERIVATIVE,))[0] * pressure
    apart = abs(bulk / other - 1)
    if not apart > BULK_CAUTION:
        return [], []
    text = (
        f"the bulk modulus of the elastic constants is {bulk:.1f} GPa, that of the equation of state {other:.1f} GPa "
        "at the same pressure"
    )
    return ([text], []) if apart > BULK_MOST else ([], [f"caution: {text}"])


def combined(outcome: dict, values: Mapping, said: list[str], notes: list[str]) -> dict:
    """Add values, reasons to reject and cautions to an outcome."""
    before = [outcome["reason"]] if outcome["reason"] else []
    values = {**outcome["values"], **values}
    if outcome["status"] != ACCEPTED:
        return {**outcome, "values": values, "reason": "; ".join([*before, *said])}
    if said:
        return {"status": REJECTED, "reason": "; ".join(said), "values": values}
    return {"status": ACCEPTED, "reason": "; ".join([*before, *notes]), "values": values}
