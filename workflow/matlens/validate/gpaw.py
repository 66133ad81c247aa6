"""GPAW: energies over the volumes of an equation of state, by whichever Python has it.

GPAW raises an error if a run does not converge, and its script writes a volume only when all of it is done. The judge
compares the result with its log, the request and physics all the same.
"""

import hashlib
import json

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.validate import cells, elastic, eos, error_handlers, fits, gpaw_log, handoff, series

LEAST_EV = 350.0  # plane-wave cut-off below which PAW data sets of most elements are not converged

MORE_ELECTRONS = {  # PAW data sets for PBE that the script replaces, and the valence electrons of those it makes
    "Cu": {"instead_of": "f1c4d45d90492f1bbfdcb091e8418fdf", "electrons": 19},
}
DATA_SETS = {  # by fingerprint: data sets that miss all-electron PBE by over 2 % at any cut-off and mesh
    "f1c4d45d90492f1bbfdcb091e8418fdf": "the PAW data set of Cu with 11 electrons misses all-electron PBE by -2.1 % in "
    "the bulk modulus and by 1.1 % in the volume; one with 3s and 3p as valence does not",
}


def prepare(
    candidate: dict,
    crystal: Crystal,
    *,
    run: bool | None = None,
    minutes: int = 240,
    functional: str = "PBE",
    cutoff_ev: float = 700.0,
    k_spacing_per_a: float = 0.2,
    smearing_ev: float = 0.1,
    spin: bool | None = None,
    relax: bool | None = None,
    points: int = 7,
    strain: float = 0.03,
    threshold_ev: float = 1e-6,
    convergence: dict | None = None,
    elastic_strains: list | None = None,
) -> handoff.Handoff:
    """Write the request and the script for the energies of a crystal at several volumes by GPAW.

    relax: shape of the cell and positions at every volume; None: what symmetry leaves free. threshold_ev: per valence
    electron. spin None: for elements that are often magnetic. convergence: {setting: values} of a series at the middle
    volume. elastic_strains: magnitudes; None: no elastic constants.
    """
    small, cubic, group = cells.primitive(crystal)
    magnetic = cells.is_magnetic(small.species, spin)
    names = [f"v{number:02d}" for number in range(points)]
    sets = _data_sets(small, functional)
    asked = {
        "functional": functional, "cutoff_ev": cutoff_ev, "spin": magnetic, "smearing_ev": smearing_ev,
        "threshold_ev": threshold_ev,
    }  # fmt: skip
    identity = {
        **asked, "engine": "gpaw", "k_spacing_per_a": k_spacing_per_a,
        "potentials": {one: f"{made['electrons']} electrons" for one, made in sets.items()},
    }  # fmt: skip
    settings = {
        **asked, "k_points": cells.mesh(small.cell, k_spacing_per_a), "density_threshold": 1e-5, "mixing_beta": None,
        "eigensolver": "dav", "maxiter": 200,
    }  # fmt: skip
    free = cells.free_parameters(small)
    moves = cells.moves(free, relax)
    planned, strained = series.plan(convergence), elastic.plan(small, elastic_strains)
    request = {
        "structure": cells.described(small), "relax": any(moves.values()), "moves": moves, "settings": settings,
        "scales": {name: float(scale) for name, scale in zip(names, fits.scales(points, strain), strict=True)},
        "series": {name: _changed(small, one) for name, one in planned.items()},
        "strained": strained, "data_sets": sets, "moments": [cells.MAGNETIC.get(int(z), 0.0) for z in small.species],
    }  # fmt: skip
    text = json.dumps(request, indent=1, sort_keys=True) + "\n"
    manifest = {
        **request, **handoff.described(candidate, "gpaw"),
        "what": f"energies of {candidate['formula']} at {points} volumes, by GPAW",
        "run": "sh run.sh, or sbatch job.slurm",
        "expected": [f"results/{name}.json" for name in [*names, *planned, *strained]],
        "space_group": group, "cubic_cells": cubic, "free": free, "note": cells.unrelaxed(free, moves),
        "planned": planned, "k_spacing_per_a": k_spacing_per_a, "tested_with": "gpaw 22.8.0 and 26.7.0",
        "pseudopotentials": "PAW data sets of the installation, or of `data_sets`; the results have their fingerprints",
        "request_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    table = error_handlers.table("gpaw", {"smearing_ev": smearing_ev, "cutoff_ev": cutoff_ev})
    files = {"request.json": text, "gpaw_eos.py": handoff.template("gpaw_eos.py"), "ladder.txt": table}
    return handoff.Handoff({**files, **handoff.scripts("gpaw", candidate["name"], minutes)}, manifest, identity)


def _data_sets(small: Crystal, functional: str) -> dict:
    """Return the PAW data sets that the script makes: for elements whose installed one is known to miss PBE."""
    there = cells.symbols(small.species) if functional == "PBE" else []
    return {one: MORE_ELECTRONS[one] for one in sorted(set(there) & set(MORE_ELECTRONS))}


def _changed(small: Crystal, one: dict) -> dict:
    """Return the settings of a run of a series that differ from those of the equation of state."""
    made = {key: value for key, value in one.items() if key != "k_spacing_per_a"}
    return made | ({"k_points": cells.mesh(small.cell, one["k_spacing_per_a"])} if "k_spacing_per_a" in one else {})


def read(data: bytes) -> dict:
    """Read the result of one volume, checking the type of each value; raises ValueError with the value's name."""
    found = json.loads(data)
    atoms = len(found["species"])
    for key, rows in (("cell_a", 3), ("stress_gpa", 3), ("forces_ev_a", atoms), ("frac", atoms)):
        found[key] = np.array(found[key], float)
        if found[key].shape != (rows, 3) or not np.isfinite(found[key]).all():
            raise ValueError(f"{key} is not {rows} rows of three numbers")
    for key in ("energy_ev", "magnetisation", "absolute_magnetisation", "iterations"):
        found[key] = float(found[key])
    used = found["settings"]
    for key in ("threshold_ev", "density_threshold", "cutoff_ev", "smearing_ev", "maxiter"):
        used[key] = float(used[key])
    if any(key not in found for key in ("setups", "versions", "converged", "request", "volume", "k_points", "used")):
        raise ValueError("it lacks values that belong to a result")
    return found


def _belongs(found: dict, log: str, manifest: dict, name: str) -> list[str]:
    """List the reasons not to trust the result of one volume."""
    said, changed = [], manifest.get("series", {}).get(name)
    settings = {**manifest["settings"], **(changed or {})}
    if found["request"] != manifest["request_sha256"] or found["volume"] != name:
        said.append("stale or foreign: it answers another request")
    moves = {} if changed is not None else manifest.get("moves") or {"positions": manifest["relax"]}
    strained = manifest.get("strained", {}).get(name)
    moves = {"positions": strained["positions"]} if strained else moves
    wrong = cells.difference(
        strained["structure"] if strained else manifest["structure"],
        manifest["scales"].get(name, 1.0),
        found["cell_a"],
        found["species"],
        found["frac"],
        moves.get("positions", False),
        moves.get("shape", False),
    )
    said += [f"wrong structure: {wrong}"] if wrong else []
    said += elastic.misplaced(strained, found["cell_a"]) if strained and not wrong else []
    used = found["settings"]
    if found["converged"] is not True or not 0 < found["iterations"] < used["maxiter"] or "Converged after" not in log:
        said.append(f"not self-consistent after {found['iterations']:g} iterations")
    if not all(0 < used[key] <= settings[key] for key in ("threshold_ev", "density_threshold")):
        said.append("the thresholds of self-consistency were widened")
    if not used["cutoff_ev"] >= settings["cutoff_ev"] or (
        "cutoff_ev" in (changed or {}) and used["cutoff_ev"] != settings["cutoff_ev"]
    ):
        said.append(f"the cut-off was {used['cutoff_ev']:g} eV, not {settings['cutoff_ev']:g} eV")
    width, asked = used["smearing_ev"], settings["smearing_ev"]
    if not 0.99 * asked <= width <= 1.01 * error_handlers.WIDER * asked:
        said.append(f"the smearing was {used['smearing_ev']:g} eV, not {settings['smearing_ev']:g} eV")
    if (
        found["k_points"] != settings["k_points"]
        or used["spin"] != settings["spin"]
        or used["functional"] != settings["functional"]
    ):
        said.append("k points, spin or functional are not those that were asked for")
    return said + _choices(found) + _energy(found) + gpaw_log.problems(log, found, settings)


def _choices(found: dict) -> list[str]:
    """List settings of a result that change what an energy means and that were not asked for."""
    said, used = [], found["used"]
    plain = {"charge": 0.0, "smearing": "fermi-dirac", "k_offset": [0.0, 0.0, 0.0], "setups": {}, "extras": {}}
    words = {"charge": "total charge", "smearing": "kind of smearing", "k_offset": "offset of the mesh of k points",
             "setups": "setups (DFT+U)", "extras": "correction (dispersion or other)"}  # fmt: skip
    for key, value in plain.items():
        if key not in used or used[key] != value:
            said.append(
                f"the run had a setting that was not asked for: {words[key]} {used.get(key, 'is not recorded')}"
            )
    return said


def _energy(found: dict) -> list[str]:
    """Return the reason if the energy of a result is none."""
    if not np.isfinite(found["energy_ev"]):
        return ["its energy is missing or not a number"]
    return ["its energy is 0"] if found["energy_ev"] == 0 else []


def _cautions(found: dict[str, dict]) -> list[str]:
    """List cautions about PAW data sets of known errors, by the fingerprints that the runs recorded."""
    used = {mark for run in found.values() if isinstance(run["setups"], dict) for mark in run["setups"].values()}
    return [f"caution: {why}" for mark, why in DATA_SETS.items() if mark in used]


def _read(manifest: dict, results: dict) -> tuple[dict[str, dict], list[str]]:
    """Read the results of all volumes and of the series; returns them by name, and the reasons against each."""
    kept, said = {}, []
    for name in [*manifest["scales"], *manifest.get("series", {}), *manifest.get("strained", {})]:
        if f"{name}.json" not in results:
            said.append(f"{name}: its result is missing")
            continue
        log = results.get(f"{name}.txt", b"").decode("utf-8", "replace")
        try:
            found = read(results[f"{name}.json"])
            wrong = _belongs(found, log, manifest, name)
            kept[name] = found
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            wrong = [f"its result cannot be read ({type(error).__name__}: {error}): it is cut off or of something else"]
        said += [f"{name}: {one}" for one in wrong]
    return kept, said


def judge(
    manifest: dict, results: dict, *, force_ev_a: float = 0.05, stress_gpa: float = 2.0, fit_mev_per_atom: float = 1.0
) -> dict:
    """Judge the runs of GPAW over an equation of state, and of a convergence series if there is one."""
    kept, said = _read(manifest, results)
    volumes = {name: found for name, found in kept.items() if name in manifest["scales"]}
    for key in ("setups", "versions"):
        if len({json.dumps(found[key], sort_keys=True) for found in kept.values()}) > 1:
            said.append(f"the volumes differ in {key}")
    strained = {name: found for name, found in kept.items() if name in manifest.get("strained", {})}
    alike = [one["settings"] for one in [*volumes.values(), *strained.values()]]
    widths = {one["settings"]["smearing_ev"] for one in kept.values()}
    if len({one["cutoff_ev"] for one in alike}) > 1 or len(widths) > 1:
        said.append("the volumes differ in cut-off or smearing")
    if manifest["settings"]["cutoff_ev"] < LEAST_EV:
        said.append(f"the cut-off of {manifest['settings']['cutoff_ev']:g} eV is below {LEAST_EV:g} eV")
    runs = {
        name: eos.Run(
            abs(np.linalg.det(one["cell_a"])),
            one["energy_ev"],
            np.abs(one["forces_ev_a"]).max(initial=0.0),
            -one["stress_gpa"],  # ASE counts tension as positive
            one["magnetisation"],
            one["absolute_magnetisation"],
        )
        for name, one in volumes.items()
    }
    planned, atoms = manifest.get("planned", {}), len(manifest["structure"]["species"])
    energies = {name: kept[name]["energy_ev"] / atoms for name in planned if name in kept}
    used = {**manifest["settings"], "k_spacing_per_a": manifest.get("k_spacing_per_a", np.nan)}
    meshes = {name: str(one.get("k_points", "")) for name, one in manifest.get("series", {}).items()}
    said += series.problems(planned, energies, meshes)
    more, notes = series.conclude(planned, energies, used, fit_mev_per_atom, meshes)
    note = "; ".join(filter(None, [manifest.get("note", ""), *_cautions(volumes), *notes]))
    outcome = eos.conclude(manifest, said, runs, force_ev_a, stress_gpa, fit_mev_per_atom, note)
    states = {
        name: elastic.State(
            -one["stress_gpa"],
            float(np.linalg.norm(one["forces_ev_a"], axis=1).max(initial=0.0)),
            one["magnetisation"],
            one["energy_ev"],
        )
        for name, one in strained.items()
    }
    outcome = elastic.judge({**outcome, "values": {**outcome["values"], **more}}, manifest, states)
    return {**outcome, "used": _comparable(volumes)}


def _comparable(volumes: dict[str, dict]) -> dict[str, str]:
    """Return for each element the cut-off and the data set of the runs: energies of other ones differ."""
    found = next(iter(volumes.values()), None)
    if found is None or not isinstance(found["setups"], dict):
        return {}
    return {one: f"{found['settings']['cutoff_ev']:g} eV, {mark}" for one, mark in found["setups"].items()}
