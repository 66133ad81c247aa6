"""GPAW: energies over the volumes of an equation of state, by whichever Python has it.

GPAW raises an error where a run does not converge, and its script writes a volume only when all of it is done; what it
wrote is compared with its log, the request and physics all the same.
"""

import hashlib
import json
import re

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.validate import cells, eos, handoff, ladder

LEAST_EV = 350.0  # plane-wave cut-off below which PAW data sets of most elements are not converged
SAME_EV = 2e-6


def prepare(
    candidate: dict,
    crystal: Crystal,
    *,
    run: bool | None = None,
    minutes: int = 240,
    functional: str = "PBE",
    cutoff_ev: float = 500.0,
    k_spacing_per_a: float = 0.2,
    smearing_ev: float = 0.1,
    spin: bool | None = None,
    relax: bool = False,
    points: int = 5,
    strain: float = 0.03,
    threshold_ev: float = 1e-6,
) -> handoff.Handoff:
    """Write what GPAW needs for the energies of a crystal at several volumes: a request and a script.

    The cell is made primitive and keeps its shape; atoms keep their places unless `relax`. `threshold_ev`: per valence
    electron. `spin` None: where an element often is magnetic.
    """
    small, cubic, group = cells.primitive(crystal)
    magnetic = cells.is_magnetic(small.species, spin)
    names = [f"v{number:02d}" for number in range(points)]
    identity = {
        "engine": "gpaw", "functional": functional, "cutoff_ev": cutoff_ev, "spin": magnetic,
        "smearing_ev": smearing_ev, "k_spacing_per_a": k_spacing_per_a, "threshold_ev": threshold_ev,
    }  # fmt: skip
    settings = {
        **{key: identity[key] for key in ("functional", "cutoff_ev", "spin", "smearing_ev", "threshold_ev")},
        "k_points": cells.mesh(small.cell, k_spacing_per_a), "density_threshold": 1e-5, "mixing_beta": None,
        "eigensolver": "dav", "maxiter": 200,
    }  # fmt: skip
    request = {
        "structure": cells.described(small), "relax": relax, "settings": settings,
        "scales": {name: float(scale) for name, scale in zip(names, eos.scales(points, strain), strict=True)},
        "moments": [cells.MAGNETIC.get(int(z), 0.0) for z in small.species],
    }  # fmt: skip
    text = json.dumps(request, indent=1, sort_keys=True) + "\n"
    manifest = {
        **request, **handoff.described(candidate, "gpaw"),
        "what": f"energies of {candidate['formula']} at {points} volumes, by GPAW",
        "run": "sh run.sh, or sbatch job.slurm", "expected": [f"results/{name}.json" for name in names],
        "space_group": group, "cubic_cells": cubic, "tested_with": "gpaw 22.8.0 and 26.7.0",
        "pseudopotentials": "the PAW data sets of the installation; their fingerprints are in the results",
        "request_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    table = ladder.table("gpaw", {"smearing_ev": smearing_ev, "cutoff_ev": cutoff_ev})
    files = {"request.json": text, "gpaw_eos.py": handoff.template("gpaw_eos.py"), "ladder.txt": table}
    return handoff.Handoff({**files, **handoff.scripts("gpaw", candidate["name"], minutes)}, manifest, identity)


def read(data: bytes) -> dict:
    """Read the result of one volume, each value as what it must be; an error says which is not."""
    found = json.loads(data)
    atoms = len(found["species"])
    for key, rows in (("cell_a", 3), ("stress_gpa", 3), ("forces_ev_a", atoms), ("frac", atoms)):
        found[key] = np.array(found[key], float)
        if found[key].shape != (rows, 3) or not np.isfinite(found[key]).all():
            raise ValueError(f"{key} is not {rows} rows of three numbers")
    for key in ("energy_ev", "magnetisation", "iterations"):
        found[key] = float(found[key])
    used = found["settings"]
    for key in ("threshold_ev", "density_threshold", "cutoff_ev", "smearing_ev", "maxiter"):
        used[key] = float(used[key])
    if any(key not in found for key in ("setups", "versions", "converged", "request", "volume", "k_points")):
        raise ValueError("it lacks values that belong to a result")
    return found


def _belongs(found: dict, log: str, manifest: dict, name: str) -> list[str]:
    """Say why the result of one volume is not to be trusted."""
    said, settings = [], manifest["settings"]
    if found["request"] != manifest["request_sha256"] or found["volume"] != name:
        said.append("stale or foreign: it answers another request")
    wrong = cells.difference(
        manifest["structure"],
        manifest["scales"][name],
        found["cell_a"],
        found["species"],
        found["frac"],
        manifest["relax"],
    )
    said += [f"wrong structure: {wrong}"] if wrong else []
    used = found["settings"]
    if found["converged"] is not True or not 0 < found["iterations"] < used["maxiter"] or "Converged after" not in log:
        said.append(f"not self-consistent after {found['iterations']:g} iterations")
    if not all(0 < used[key] <= settings[key] for key in ("threshold_ev", "density_threshold")):
        said.append("the thresholds of self-consistency were widened")
    if not used["cutoff_ev"] >= settings["cutoff_ev"]:
        said.append(f"the cut-off was {used['cutoff_ev']:g} eV, not {settings['cutoff_ev']:g} eV")
    if not used["smearing_ev"] <= 1.01 * ladder.WIDER * settings["smearing_ev"]:
        said.append(f"the smearing was {used['smearing_ev']:g} eV, not {settings['smearing_ev']:g} eV")
    if (
        found["k_points"] != settings["k_points"]
        or used["spin"] != settings["spin"]
        or used["functional"] != settings["functional"]
    ):
        said.append("k points, spin or functional are not those that were asked for")
    energies = re.findall(r"^Extrapolated:\s+(\S+)", log, re.MULTILINE)
    if found["energy_ev"] == 0 or not np.isfinite(found["energy_ev"]):
        said.append("its energy is 0 or no number")
    elif not energies:
        said.append("its log is cut off")
    elif abs(float(energies[-1]) - found["energy_ev"]) > SAME_EV:
        said.append(f"result and log disagree: {found['energy_ev']:.6f} eV and {energies[-1]} eV")
    return said


def judge(
    manifest: dict, results: dict, *, force_ev_a: float = 0.05, stress_gpa: float = 2.0, fit_mev_per_atom: float = 1.0
) -> dict:
    """Judge the runs of GPAW over an equation of state; forces and stress count nearest to its minimum."""
    said, volumes, energies, kept = [], [], [], {}
    for name in manifest["scales"]:
        if f"{name}.json" not in results:
            said.append(f"{name}: its result is missing")
            continue
        log = results.get(f"{name}.txt", b"").decode("utf-8", "replace")
        try:
            found = read(results[f"{name}.json"])
            wrong = _belongs(found, log, manifest, name)
            volumes.append(abs(np.linalg.det(found["cell_a"])))
            energies.append(found["energy_ev"])
            kept[name] = found
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            wrong = [f"its result cannot be read ({type(error).__name__}: {error}): it is cut off or of something else"]
        said += [f"{name}: {one}" for one in wrong]
    for key in ("setups", "versions"):
        if len({json.dumps(found[key], sort_keys=True) for found in kept.values()}) > 1:
            said.append(f"the volumes differ in {key}")
    if len({(f["settings"]["cutoff_ev"], f["settings"]["smearing_ev"]) for f in kept.values()}) > 1:
        said.append("the volumes differ in cut-off or smearing")
    if manifest["settings"]["cutoff_ev"] < LEAST_EV:
        said.append(f"the cut-off of {manifest['settings']['cutoff_ev']:g} eV is below {LEAST_EV:g} eV")
    runs = {
        name: eos.Run(
            volume,
            energy,
            np.abs(one["forces_ev_a"]).max(initial=0.0),
            one["stress_gpa"],
            one["magnetisation"],
        )
        for (name, one), volume, energy in zip(kept.items(), volumes, energies, strict=True)
    }
    return eos.conclude(manifest, said, runs, force_ev_a, stress_gpa, fit_mev_per_atom)
