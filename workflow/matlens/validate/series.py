"""Convergence series: energies of one cell at several values of one setting, and the value that is converged."""

from collections.abc import Mapping

import numpy as np

FINER_IS_LARGER = {"cutoff_ry": True, "cutoff_ev": True, "k_spacing_per_a": False}
UNITS = {"cutoff_ry": "Ry", "cutoff_ev": "eV", "k_spacing_per_a": "1/A"}


def plan(convergence: Mapping[str, list] | None) -> dict[str, dict]:
    """Name the runs of a series: {name: {setting: value}}, from the coarsest to the finest value of each setting."""
    runs = [
        {setting: float(value)}
        for setting, values in (convergence or {}).items()
        for value in sorted(set(values), reverse=not FINER_IS_LARGER[setting])
    ]
    return {f"c{number:02d}": run for number, run in enumerate(runs)}


def converged(values: list[float], energies: np.ndarray, tolerance: float) -> float:
    """Return the coarsest value from which on all energies (n,) lie within `tolerance` of the finest; nan if none.

    values: from coarse to fine. The finest has nothing to be compared with: it never counts.
    """
    near = np.abs(np.asarray(energies) - energies[-1]) <= tolerance
    late = [k for k in range(len(values) - 1) if near[k:].all()]
    return float(values[late[0]]) if late else float("nan")


def _distinct(planned: Mapping[str, Mapping], setting: str, meshes: Mapping[str, str]) -> list[str]:
    """Return the runs of one setting from coarse to fine, one of each mesh of k points."""
    finer = FINER_IS_LARGER[setting]
    names = sorted((n for n, run in planned.items() if setting in run), key=lambda n: planned[n][setting])
    names = names if finer else names[::-1]
    if setting != "k_spacing_per_a":
        return names
    first = {meshes.get(name, name): name for name in names[::-1]}
    return [name for name in names if first[meshes.get(name, name)] == name]


def problems(planned: Mapping[str, Mapping], energies: Mapping[str, float], meshes: Mapping[str, str]) -> list[str]:
    """List runs of a series with one energy to the last digit although their settings differ: one output is a copy."""
    said, known = [], {}
    for name, energy in energies.items():
        key, value = next(iter(planned[name].items()))
        value = meshes.get(name, value) if key == "k_spacing_per_a" else value  # spacings may make one mesh
        first, before = known.setdefault((key, energy), (name, value))
        if before != value:
            said.append(f"{name}: its energy is that of {first} to the last digit, at other settings: one is a copy")
    return said


def conclude(
    planned: Mapping[str, Mapping],
    energies: Mapping[str, float],
    used: Mapping,
    tolerance_mev: float,
    meshes: Mapping[str, str] | None = None,
):
    """Return the values of a series, {quantity: (value, unit, None)}, and cautions.

    planned: as `plan` returns it, in any order; energies: eV/atom by run; used: settings of the equation of state.
    meshes: k points by run; spacings that make one mesh count as the coarsest of them.
    """
    made, said = {}, []
    for setting in dict.fromkeys(key for run in planned.values() for key in run):
        names = _distinct(planned, setting, meshes or {})
        if any(name not in energies for name in names):
            continue
        points = [planned[name][setting] for name in names]
        each = 1000 * np.array([energies[name] for name in names])
        for value, energy in zip(points, each, strict=True):
            made[f"convergence_{setting}_{value:g}"] = (float(energy - each[-1]), "meV/atom", None)
        best = converged(points, each, tolerance_mev)
        unit, sign = UNITS[setting], 1 if FINER_IS_LARGER[setting] else -1
        if not np.isfinite(best):
            step = abs(each[-1] - each[-2]) if len(each) > 1 else np.nan
            said.append(
                f"caution: {setting} is not converged at {points[-1]:g} {unit}: its last step changes the energy by "
                f"{step:.1f} meV/atom; add finer values"
            )
            continue
        made[f"converged_{setting}"] = (best, unit, None)
        if sign * used[setting] < sign * best:
            said.append(
                f"caution: {setting} {used[setting]:g} {unit} of the equation of state is not converged to "
                f"{tolerance_mev:g} meV/atom; {best:g} {unit} is"
            )
    return made, said
