"""Energies of a crystal at several volumes by GPAW: request.json in, results/<volume>.json out, one by one.

Runs by any Python that has gpaw and ase. A finished volume is kept; settings of the ladder come as words `key=value`.
Runs of a convergence series (`series`) are at the middle volume, each with one setting changed. Strained cells
(`strained`) have structures of their own, in which only atoms relax. With the word `data-sets` it makes the PAW data
sets of `data_sets`, in a folder of this name, where the installed ones are those to replace.
"""

import hashlib
import json
import os
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")
UNFINISHED, BAD_INPUT = 3, 4
MADE = "data_sets"


def calculator(settings, log):
    from gpaw import GPAW, PW, FermiDirac, Mixer, MixerSum

    beta = settings["mixing_beta"]
    mixer = {} if beta is None else {"mixer": (MixerSum if settings["spin"] else Mixer)(beta, 5, 50.0)}
    return GPAW(
        mode=PW(settings["cutoff_ev"]),
        xc=settings["functional"],
        kpts={"size": settings["k_points"], "gamma": True},
        occupations=FermiDirac(settings["smearing_ev"]),
        convergence={"energy": settings["threshold_ev"], "density": settings["density_threshold"]},
        eigensolver=settings["eigensolver"],
        maxiter=settings["maxiter"],
        spinpol=settings["spin"],
        txt=log,
        **mixer,
    )


def relaxed(atoms, moves, force):
    """Relax what may move to a largest force: the shape of the cell at constant volume, positions, or both."""
    from ase.optimize import BFGS

    try:
        from ase.filters import ExpCellFilter
    except ImportError:
        from ase.constraints import ExpCellFilter
    target = ExpCellFilter(atoms, constant_volume=True) if moves["shape"] else atoms
    if not BFGS(target, logfile=None).run(fmax=force, steps=100):
        raise RuntimeError("cell and positions have not relaxed after 100 steps")


def used(calculator):
    """Collect the parameters of a calculator that change what its energy means."""
    found = dict(calculator.parameters)
    points = found.get("kpts")
    points = points if isinstance(points, dict) else {}
    kinds = found.get("occupations")
    kinds = kinds if isinstance(kinds, dict) else getattr(kinds, "todict", dict)()
    setups = found.get("setups") or {}
    other = sorted(set(found) & {"external", "hund", "background_charge", "gpts", "h"})
    return {
        "charge": float(found.get("charge") or 0.0),
        "smearing": str(kinds.get("name", "")),
        "k_offset": [float(x) for x in points.get("shift") or points.get("offset") or (0, 0, 0)],
        "setups": {str(k): str(v) for k, v in setups.items()} if isinstance(setups, dict) else str(setups),
        "extras": {key: str(found[key]) for key in other if found[key] not in (None, False)},
    }


def volume(request, name, settings):
    """Compute one volume; its convergence is the one that the calculation itself measured."""
    import ase
    import gpaw
    import numpy as np
    from ase import Atoms

    changed = request["series"].get(name)
    settings = {**settings, **(changed or {})}
    strained = request.get("strained", {}).get(name)
    structure = strained["structure"] if strained else request["structure"]
    moments = request["moments"] if settings["spin"] else None
    atoms = Atoms(
        numbers=structure["species"],
        cell=np.array(structure["cell_a"]) * request["scales"].get(name, 1.0),
        scaled_positions=structure["frac"],
        magmoms=moments,
        pbc=True,
    )
    atoms.calc = calculator(settings, f"results/{name}.txt")
    if strained and strained["positions"]:
        relaxed(atoms, {"shape": False, "positions": True}, 0.002)
    elif changed is None and not strained and any(request["moves"].values()):
        relaxed(atoms, request["moves"], 0.02)
    energy = atoms.get_potential_energy()
    free = atoms.get_potential_energy(force_consistent=True)
    return {
        "energy_ev": float(energy),
        "free_energy_ev": float(free),
        "forces_ev_a": atoms.get_forces().tolist(),
        "stress_gpa": (atoms.get_stress(voigt=False) * 160.2176634).tolist(),
        "cell_a": np.array(atoms.cell).tolist(),
        "species": [int(z) for z in atoms.numbers],
        "frac": atoms.get_scaled_positions().tolist(),
        "magnetisation": float(atoms.get_magnetic_moment()) if settings["spin"] else 0.0,
        "absolute_magnetisation": float(np.abs(atoms.get_magnetic_moments()).sum()) if settings["spin"] else 0.0,
        "k_points": [int(n) for n in settings["k_points"]],
        "settings": settings,
        "used": used(atoms.calc),
        "converged": bool(atoms.calc.scf.converged),
        "iterations": int(atoms.calc.scf.niter),
        "setups": {s.symbol: s.fingerprint for s in atoms.calc.setups},
        "versions": {"gpaw": gpaw.__version__, "ase": ase.__version__},
    }


def make_data_sets(wanted, functional):
    """Make PAW data sets with more valence electrons; where this fails, the installed ones are used and judged."""
    from gpaw.setup_data import SetupData

    for symbol, made in sorted(wanted.items()):
        path = os.path.join(MADE, symbol + "." + functional)
        if os.path.exists(path) or SetupData(symbol, functional).fingerprint != made["instead_of"]:
            continue
        folder = os.path.join(MADE, "partial")
        os.makedirs(folder, exist_ok=True)
        words = [symbol, "-f", functional, "-s", "-e", str(made["electrons"]), "-w"]
        subprocess.check_call([sys.executable, "-m", "gpaw", "dataset", *words], cwd=folder)
        os.replace(os.path.join(folder, symbol + "." + functional), path)
        os.rmdir(folder)


def main():
    with open("request.json", "rb") as handle:
        data = handle.read()
    request = json.loads(data.decode())
    if sys.argv[1:] == ["data-sets"]:
        make_data_sets(request["data_sets"], request["settings"]["functional"])
    else:
        compute(request, hashlib.sha256(data).hexdigest())


def compute(request, request_sum):
    """Compute all runs that have no result yet."""
    if os.path.isdir(MADE):
        import gpaw

        gpaw.setup_paths.insert(0, MADE)
    settings = dict(request["settings"])
    for word in sys.argv[1:]:
        key, _, value = word.partition("=")
        settings[key] = value if key == "eigensolver" else float(value)
    settings["maxiter"] = int(settings["maxiter"])
    for name in [*sorted(request["scales"]), *sorted(request["series"]), *sorted(request.get("strained", {}))]:
        path = f"results/{name}.json"
        if os.path.exists(path):
            continue
        print(name, flush=True)
        try:
            found = volume(request, name, settings)
        except Exception as error:
            kind = type(error).__name__
            print(f"{name}: {kind}: {error}", flush=True)
            bad = kind in ("FileNotFoundError", "ImportError", "KeyError", "ValueError")
            sys.exit(UNFINISHED if kind == "KohnShamConvergenceError" else BAD_INPUT if bad else 1)
        found["request"] = request_sum
        found["volume"] = name
        rank = getattr(__import__("gpaw.mpi", fromlist=["world"]).world, "rank", 0)
        if rank == 0:
            with open(path + ".partial", "w") as handle:
                json.dump(found, handle, sort_keys=True)
            os.replace(path + ".partial", path)


if __name__ == "__main__":
    main()
