"""Judge an equation of state: do energies, stresses and moments of all volumes agree on one law and one state?"""

from typing import NamedTuple

import numpy as np

from matlens.validate import ACCEPTED, REJECTED
from matlens.validate.fits import Fit, birch_murnaghan

DERIVATIVE = (2.0, 8.0)  # B' of solids: 3 to 6 for most; beyond, the fit follows an error or two states
UNSURE = 0.05  # largest standard error of the bulk modulus, as a part of it
PRESSURE_PART, PRESSURE_GPA = 0.01, 0.1  # largest error of one pressure: a part of the bulk modulus, and the noise
OFFSET_CAUTION, OFFSET_MOST = 0.01, 0.15  # pressure of the basis, as a part of the bulk modulus
DRIFT, DRIFT_GPA = 0.01, 0.1  # change of the bulk modulus by a drift of the energies, and noise of the pressure
WIDE = 0.22  # range of the volumes, as a part of their mean, beyond which a third-order law may miss 1 meV/atom
EDGE = 0.1  # part of the range of volumes that the minimum keeps away from its ends
NO_MOMENT = 0.05  # mu_B per atom up to which a volume counts as not magnetic
SATURATION = 0.5  # by which an onset may seem to lie beyond the last volume without a moment, in steps of the volume
MOMENT_STEP, MOMENT_FACTOR = 0.2, 3.0  # mu_B per atom; how much larger than the others one step may be


class Run(NamedTuple):
    """Result at one volume.

    volume: A^3; energy: eV; force: largest, eV/A; stress: (3, 3) GPa, positive if compressed; moment: total, mu_B;
    absolute: integral of the absolute magnetisation, mu_B.
    """

    volume: float
    energy: float
    force: float
    stress: object = None
    moment: float = float("nan")
    absolute: float = float("nan")


def pressure(run: Run) -> float:
    """Return the pressure of a run from the trace of its stress, GPa; nan if it has none."""
    return np.nan if run.stress is None else float(np.trace(np.asarray(run.stress, float)) / 3)


def uneven(run: Run) -> float:
    """Return the largest difference of the stress from a pressure, GPa."""
    stress = np.asarray(run.stress, float)
    return float(np.abs(stress - np.eye(3) * np.trace(stress) / 3).max())


def values(fit: Fit, atoms: int, cells: int = 0) -> dict[str, tuple]:
    """Return the values of a fit per atom: {quantity: (value, unit, uncertainty)}.

    cells: how many of the fitted cells make a cubic conventional one; 0 if the crystal is not cubic.
    """

    def pair(value, unit, error):
        return (value, unit, error if np.isfinite(error) else None)

    made = {
        "energy_ev_per_atom": pair(fit.energy / atoms, "eV/atom", fit.energy_error / atoms),
        "volume_a3_per_atom": pair(fit.volume / atoms, "A^3/atom", fit.volume_error / atoms),
        "bulk_modulus_gpa": pair(fit.bulk_modulus, "GPa", fit.bulk_modulus_error),
        "bulk_modulus_derivative": pair(fit.derivative, "1", fit.derivative_error),
    }
    if cells:
        side = (fit.volume * cells) ** (1 / 3)
        made["lattice_constant_a"] = pair(side, "A", side / 3 * fit.volume_error / fit.volume)
    return {name: value for name, value in made.items() if np.isfinite(value[0])}


def problems(fit: Fit, atoms: int, fit_mev_per_atom: float, names: list[str] | None = None) -> list[str]:
    """List the reasons to reject a fit: [] if there is none. names: of the volumes, in their order."""
    if not np.isfinite(fit.bulk_modulus):
        return ["the energies have no minimum: they rise or fall over all volumes; begin from another volume"]
    said = []
    if fit.bulk_modulus <= 0:
        said.append(f"the bulk modulus is {fit.bulk_modulus:.0f} GPa, below 0: raise the cut-off, or states are mixed")
    if not fit.inside:
        said.append(f"the minimum, {fit.volume:.2f} A^3, lies outside the computed volumes; begin from nearer to it")
    low, high = DERIVATIVE
    if not low <= fit.derivative <= high:
        said.append(
            f"the pressure derivative of the bulk modulus is {fit.derivative:.1f}, outside {low:g} to {high:g}: an "
            "energy is wrong, states are mixed, or the potential is not valid over these volumes"
        )
    if fit.bulk_modulus_error > UNSURE * abs(fit.bulk_modulus):
        part = 100 * fit.bulk_modulus_error / abs(fit.bulk_modulus)
        said.append(f"the bulk modulus is uncertain by {part:.0f} %, over {100 * UNSURE:g} %: compute more volumes")
    return said + _outliers(fit, atoms, fit_mev_per_atom, names or [])


def _outliers(fit: Fit, atoms: int, fit_mev_per_atom: float, names: list[str]) -> list[str]:
    """Name the energy and the pressure that differ most from what all other data predict, if they differ too much."""
    said = []
    errors = 1000 * np.nan_to_num(fit.energy_errors) / atoms
    if len(errors) and np.abs(errors).max() > fit_mev_per_atom:
        at = int(np.argmax(np.abs(errors)))
        where = names[at] if names else f"volume {at + 1}"
        said.append(
            f"{where}: the energy is {abs(errors[at]):.1f} meV/atom {'above' if errors[at] > 0 else 'below'} the curve "
            f"of all other data, over {fit_mev_per_atom:g}: it is not converged, in another state, or wrong"
        )
    wrong, limit = np.nan_to_num(fit.pressure_errors), PRESSURE_PART * abs(fit.bulk_modulus) + PRESSURE_GPA
    if len(wrong) and np.abs(wrong).max() > limit:
        at = int(np.argmax(np.abs(wrong)))
        said.append(
            f"{names[at] if names else f'volume {at + 1}'}: the pressure of its stress is off by {abs(wrong[at]):.2f} "
            f"GPa from the curve of all other data, over {limit:.2f}: energies and stresses contradict each other"
        )
    if abs(fit.offset) > OFFSET_MOST * abs(fit.bulk_modulus):
        small = "the basis is too small; raise the cut-off"
        cause = small if fit.offset < 0 else "the energies drift with volume, or the stresses are wrong"
        said.append(
            f"energies and stresses differ by {abs(fit.offset):.1f} GPa at all volumes, over "
            f"{100 * OFFSET_MOST:g} % of the bulk modulus: {cause}"
        )
    return said


def cautions(fit: Fit, volume: np.ndarray) -> list[str]:
    """List the cautions of an accepted fit.

    A basis at a fixed cut-off adds a pressure to the energies that their stresses lack, so that `offset` is negative.
    Energies that drift by a pressure p shift the bulk modulus by B' p.
    """
    said, change = [], fit.derivative * fit.offset / fit.bulk_modulus
    if fit.offset < -OFFSET_CAUTION * abs(fit.bulk_modulus):
        said.append(
            f"caution: energies and stresses differ by {abs(fit.offset):.1f} GPa at all volumes; the basis is not "
            f"converged, raise the cut-off (the stresses give a bulk modulus {100 * abs(change):.0f} % higher)"
        )
    if fit.offset - DRIFT_GPA > DRIFT * abs(fit.bulk_modulus / fit.derivative):
        said.append(
            f"caution: the stresses lie {fit.offset:.1f} GPa above the slope of the energies at all volumes, which no "
            "basis that is too small does: the energies drift with volume, or the stresses are wrong (they give a bulk "
            f"modulus {100 * change:.0f} % lower)"
        )
    edge = EDGE * np.ptp(volume)
    if fit.inside and not volume.min() + edge < fit.volume < volume.max() - edge:
        said.append("caution: the minimum lies near an end of the volumes")
    return said


def onset(volume: np.ndarray, moment: np.ndarray, atoms: int) -> str:
    """Return a caution if magnetism sets in continuously within the volumes, else "".

    The bulk modulus is another on either side, and a third-order law runs between the two.
    """
    order = np.argsort(volume)
    there = _beyond_onset(volume, np.abs(moment) / atoms, order)
    if len(there) == len(order) or not np.isfinite(moment).all():
        return ""
    first = int(np.flatnonzero(order == there[0])[0])
    before = order[first - 1] if order[0] not in there else order[first + 1]
    low, high = sorted((volume[before], volume[there[0]]))
    return (
        f"caution: magnetism sets in between {low:.2f} and {high:.2f} A^3, where the bulk modulus changes; take "
        "volumes on one side alone"
    )


def _beyond_onset(volume: np.ndarray, size: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the places of the magnetic volumes if magnetism sets in continuously along `order`, else all places.

    size: moments (n,), mu_B per atom. Near a continuous onset the square of the moment is linear in the volume, so that
    the line through the squares of the two volumes next to the onset is zero between the last volume without a moment
    and the first with one; half of their distance is allowed for saturation. A first-order transition extrapolates
    far beyond. Source: E. C. Stoner, Proc. R. Soc. A 165 (1938) 372; L. D. Landau, Phys. Z. Sowjetunion 11 (1937) 26.
    """
    for way in (order, order[::-1]):
        there = size[way] > NO_MOMENT
        first = int(np.argmax(there))
        if not there.any() or first == 0 or not there[first:].all() or len(way) - first < 2:
            continue
        squares, places = size[way] ** 2, volume[way]
        if squares[first + 1] <= squares[first]:
            continue
        slope = (squares[first + 1] - squares[first]) / (places[first + 1] - places[first])
        reach = squares[first] / slope / (places[first] - places[first - 1])
        if reach <= 1 + SATURATION:
            return way[first:]
    return order


def jumps(volume: np.ndarray, moment: np.ndarray, atoms: int) -> str:
    """Return the reason if moments (n,) in mu_B jump by one step unlike the others, or rise and fall, else ""."""
    order = np.argsort(volume)
    order = _beyond_onset(volume, np.abs(moment) / atoms, order)
    signed = np.diff(np.abs(moment[order])) / atoms
    steps = np.abs(signed)
    if np.isfinite(moment).any() and not np.isfinite(moment).all():
        return "the magnetic moment of a volume is missing or not a number"
    if len(steps) < 2 or not np.isfinite(steps).all():
        return ""
    at = int(np.argmax(steps))
    others = np.delete(steps, at).mean()
    to_and_fro = min(signed.max(), -signed.min()) > MOMENT_STEP  # states that take turns make all steps alike
    if not to_and_fro and steps[at] <= max(MOMENT_STEP, MOMENT_FACTOR * others):
        return ""
    before, after = np.abs(moment[order][[at, at + 1]]) / atoms
    alone = at in (0, len(steps) - 1) and min(before, after) <= NO_MOMENT
    remedy = "compute more volumes on the magnetic side, which would show an onset" if alone else "split the volumes"
    return (
        f"the magnetic moment jumps from {before:.2f} to {after:.2f} mu_B/atom between {volume[order][at]:.2f} and "
        f"{volume[order][at + 1]:.2f} A^3: two magnetic states are mixed; set spin, or {remedy}"
    )


def _mechanics(runs: dict[str, Run], names, force_ev_a: float, stress_gpa: float) -> list[str]:
    """List volumes among `names` whose forces or uneven stress show that atoms or shape are not relaxed."""
    said = [f"{name}: its forces are missing or not numbers" for name, run in runs.items() if np.isnan(run.force)]
    for name in names:
        run = runs[name]
        if run.force > force_ev_a:
            said.append(
                f"{name}: the largest force is {run.force:.3f} eV/A, more than {force_ev_a:g}: its atoms are not "
                "relaxed; set relax"
            )
        if run.stress is not None and not uneven(run) <= stress_gpa:
            said.append(
                f"{name}: the stress is uneven by {uneven(run):.2f} GPa, more than {stress_gpa:g}: its cell is not "
                "relaxed; set relax"
            )
    return said


def conclude(
    manifest: dict,
    said: list[str],
    runs: dict[str, Run],
    force_ev_a: float,
    stress_gpa: float,
    fit_mev: float,
    note: str = "",
) -> dict:
    """Judge an equation of state from the runs of its volumes: a dict with status, reason and values.

    manifest: structure, scales, cubic_cells, relax and settings. said: reasons found before. note: for a good result.
    Force and uneven stress count at the volume nearest to the minimum, and at all volumes if each was relaxed.
    """
    volume = np.array([run.volume for run in runs.values()])
    whole = len(runs) == len(manifest["scales"]) and np.isfinite([run.energy for run in runs.values()]).all()
    if not whole or len(np.unique(volume)) < len(volume):
        other = "volumes are equal, outputs are mixed up" if whole else "an energy is missing or not a number"
        return {"status": REJECTED, "reason": "; ".join(said) or other, "values": {}}
    atoms, names = len(manifest["structure"]["species"]), list(runs)
    fit = birch_murnaghan(volume, [run.energy for run in runs.values()], [pressure(run) for run in runs.values()])
    lost = [name for name, run in runs.items() if run.stress is None or not np.isfinite(run.stress).all()]
    said = said + [f"{name}: its stress is missing or not a number" for name in lost]
    said += problems(fit, atoms, fit_mev, names)
    if any("curve of all other data" in one for one in said) and np.ptp(volume) > WIDE * volume.mean():
        said.append(
            f"the volumes differ by {100 * np.ptp(volume) / volume.mean():.0f} %, over which a law of the third order "
            "may not hold: take a smaller strain"
        )
    moments = [np.array([getattr(run, kind) for run in runs.values()], float) for kind in ("moment", "absolute")]
    said += [*filter(None, (jumps(volume, one, atoms) for one in moments))][:1]
    sets_in = [*filter(None, (onset(volume, one, atoms) for one in moments))][:1]
    place = int(np.argmin(np.abs(volume - fit.volume))) if np.isfinite(fit.volume) else 0
    said += _mechanics(runs, names if manifest.get("relax") else [names[place]], force_ev_a, stress_gpa)
    made = values(fit, atoms, manifest["cubic_cells"])
    moment = runs[names[place]].moment
    if manifest["settings"].get("spin") and np.isfinite(moment):
        made["magnetisation_mu_b_per_atom"] = (moment / atoms, "mu_B/atom", None)
    good = "; ".join([*filter(None, [note]), *sets_in, *cautions(fit, volume)])
    return {"status": REJECTED if said else ACCEPTED, "reason": "; ".join(said) or good, "values": made}
