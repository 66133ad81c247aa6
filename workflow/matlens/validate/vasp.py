"""VASP: write relaxations with the input sets of the Materials Project, and judge their outputs strictly.

The licence of VASP forbids handing pseudopotentials over: POTCAR.spec names them, and the judge compares the names in
vasprun.xml.
"""

import hashlib
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.validate import ACCEPTED, REJECTED, cells, error_handlers, handoff

USED = ("ENCUT", "ENMAX", "NELM", "NSW", "IBRION")
PLAIN = {  # settings that change what an energy means, with what VASP takes if none is set; None: anything
    "ISPIN": None, "ISMEAR": None, "LDAU": (False,), "LDAUU": None, "LDAUJ": None, "LDAUL": None, "LDAUTYPE": None,
    "METAGGA": ("--", "NONE", "F", "FALSE"), "GGA": None, "IVDW": (0,), "LUSE_VDW": (False,), "LHFCALC": (False,),
    "LNONCOLLINEAR": (False,), "LSORBIT": (False,), "NUPDOWN": (-1,), "ICHARG": (0, 1, 2), "PSTRESS": (0,),
    "LSOL": (False,), "EFIELD": (0,), "LDIPOL": (False,), "I_CONSTRAINED_M": (0,), "NKRED": (1,), "LMONO": (False,),
}  # fmt: skip
LETTERS = ("PREC", "LASPH")  # compared by their first letter, as VASP reads them, where the output has them
FINE = ("EDIFF", "KSPACING", "SIGMA")  # settings that may be finer than asked, never coarser
RECORDED = ("ENCUT", "IBRION", "NSW", "ISIF", "EDIFFG", "NELECT", *PLAIN, *FINE, *LETTERS)
MOST_CHANGE = 3.0  # by which a relaxed volume may differ, as a factor
OWN_GGA = {"PBE": ("PE",), "PW91": ("91",), "LDA": ("CA",)}  # the tag GGA that a family of potentials implies
CONTINUED = "POSCAR.continued"  # where a relaxation that was stopped went on from


def prepare(
    candidate: dict,
    crystal: Crystal,
    *,
    run: bool | None = None,
    minutes: int = 720,
    input_set: str = "MPRelaxSet",
    incar: dict | None = None,
) -> handoff.Handoff:
    """Write the inputs of VASP, without pseudopotentials, by an input set of pymatgen.

    `incar`: settings on top of the set. The names of the pseudopotentials are in POTCAR.spec, a line each.
    """
    from pymatgen.core import Lattice, Structure
    from pymatgen.io.vasp import sets

    small, cubic, group = cells.primitive(crystal)
    structure = Structure(Lattice(small.cell), small.species.tolist(), small.frac)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = getattr(sets, input_set)(structure, user_incar_settings=dict(incar or {}))
            inputs = made.get_input_set(potcar_spec=True)
        except Exception as error:
            raise BadItem(f"{input_set} makes no inputs for it: {type(error).__name__}: {error}") from error
    potentials = (
        list(inputs["POTCAR.spec"].split()) if isinstance(inputs.get("POTCAR.spec"), str) else list(made.potcar_symbols)
    )
    settings = {key: value for key, value in inputs["INCAR"].items() if key != "SYSTEM"}
    body = _incar(settings)
    kpoints = {"KPOINTS": str(inputs["KPOINTS"]) + "\n"} if inputs.get("KPOINTS") else {}
    poscar = str(inputs["POSCAR"])
    title = f"matlens {hashlib.sha256((body + poscar + str(kpoints)).encode()).hexdigest()[:20]}"
    ordered = inputs["POSCAR"].structure
    free = cells.free_parameters(small)
    described = cells.described(
        Crystal(ordered.lattice.matrix, np.array([s.specie.Z for s in ordered]), ordered.frac_coords)
    )
    manifest = {
        **handoff.described(candidate, "vasp"), "what": f"{input_set} of {candidate['formula']}, by VASP",
        "run": "VASP_PP_PATH=... sh run.sh, or sbatch job.slurm", "expected": ["results/vasprun.xml"],
        "input_set": input_set,
        "structure": described, "space_group": group, "cubic_cells": cubic, "title": title,
        "pseudopotentials": potentials,
        "functional": str(made.user_potcar_functional or made._config_dict.get("POTCAR_FUNCTIONAL", "")),
        "settings": {key: settings[key] for key in RECORDED if key in settings},
        "k_points": list(map(int, inputs["KPOINTS"].kpts[0])) if kpoints else None,
        "k_offset": _offset(inputs["KPOINTS"]) if kpoints else None,
        "free": free, "note": cells.unrelaxed(free, _moves(free, settings)),
        "tested_with": "inputs and reading only: VASP is licensed",
    }  # fmt: skip
    files = {
        "INCAR": f"SYSTEM = {title}\n{body}", "POSCAR": poscar, **kpoints,
        "POTCAR.spec": "".join(f"{one}\n" for one in potentials), "ladder.txt": error_handlers.table("vasp", settings),
        **handoff.scripts("vasp", candidate["name"], minutes),
    }  # fmt: skip
    return handoff.Handoff(files, manifest, {"engine": "vasp", "input_set": input_set, "incar": incar or {}})


def _incar(settings: dict) -> str:
    from pymatgen.io.vasp import Incar

    return str(Incar(settings)).rstrip("\n") + "\n"


def _offset(kpoints) -> list:
    """Return the style of a mesh of k points, by its first letter, and its shift; None for a list of points."""
    return [str(kpoints.style).rsplit(".", 1)[-1][:1].upper(), [float(x) for x in kpoints.kpts_shift]]


def _moves(free: dict[str, int], settings: dict) -> dict[str, bool]:
    """Return what VASP relaxes by NSW and ISIF: 2 positions, 3 and 4 positions and shape, 5 and 6 shape."""
    runs, kind = (settings.get("NSW") or 0) > 0, settings.get("ISIF", 2)
    return {"shape": runs and kind in (3, 4, 5, 6), "positions": runs and kind in (0, 1, 2, 3, 4)}


def _charge(data: bytes, parameters: dict) -> float:
    """Return the net charge of a run, in electrons removed from neutral atoms; NaN if vasprun.xml lacks it."""
    block = re.search(rb'<array name="atomtypes"\s*>(.*?)</array>', data, re.DOTALL)
    rows = re.findall(rb"<rc>(.*?)</rc>", block[1], re.DOTALL) if block else []
    cells_ = [[one.strip() for one in re.findall(rb"<c>(.*?)</c>", row, re.DOTALL)] for row in rows]
    electrons = parameters.get("NELECT")
    if electrons is None or not cells_:
        return np.nan
    return sum(float(row[0]) * float(row[3]) for row in cells_) - float(electrons)


def read(data: bytes) -> dict:
    """Read vasprun.xml strictly; raises BadItem if it is cut off: parsers that repair it take two steps of three."""
    from pymatgen.io.vasp import Vasprun

    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = Path(folder) / "vasprun.xml"
        path.write_bytes(data)
        try:
            found = Vasprun(
                str(path), parse_potcar_file=False, parse_dos=False, parse_eigen=False, exception_on_bad_xml=True
            )
            last = found.ionic_steps[-1]
            final = found.final_structure
            return {
                "version": found.vasp_version, "title": str(found.incar.get("SYSTEM", "")), "incar": dict(found.incar),
                "potentials": [re.sub(r"\s+", " ", name) for name in found.potcar_symbols],
                "parameters": {key: found.parameters.get(key) for key in (*USED, *FINE)}
                | {key: found.incar.get(key, found.parameters.get(key)) for key in (*PLAIN, *LETTERS)},
                "k_points": list(map(int, found.kpoints.kpts[0])) if found.kpoints.kpts else None,
                "k_offset": _offset(found.kpoints) if found.kpoints.kpts else None,
                "charge": _charge(data, {**found.parameters, **found.incar}),
                "electronic": bool(found.converged_electronic), "ionic": bool(found.converged_ionic),
                "energy_ev": float(found.final_energy), "forces": np.array(last["forces"], float),
                "residual_ev": _residual(last["electronic_steps"]),
                "electronic_steps": [len(step["electronic_steps"]) for step in found.ionic_steps],
                "stress_gpa": -np.array(last["stress"], float) / 10 if last.get("stress") is not None else None,
                "start": found.initial_structure, "final": final,
            }  # fmt: skip
        except BadItem:
            raise
        except Exception as error:
            raise BadItem(f"vasprun.xml is cut off or damaged ({type(error).__name__}: {error})") from error


def _residual(steps: list[dict]) -> float:
    """Return by how much the energy changed in the last electronic step, in eV; nan where there was one step."""
    energies = [step["e_fr_energy"] for step in steps if "e_fr_energy" in step]
    return abs(energies[-1] - energies[-2]) if len(energies) > 1 else np.nan


def problems(found: dict, force_ev_a: float, stress_gpa: float) -> list[str]:
    """List the reasons not to trust a run of VASP, from its computed values; [] if there is none."""
    said, parameters = [], found["parameters"]
    most = parameters.get("NELM") or 60
    if not found["electronic"] or found["electronic_steps"][-1] >= most:
        said.append(f"the electrons are not self-consistent after {found['electronic_steps'][-1]} steps")
    limit = parameters.get("EDIFF")
    if limit and np.isfinite(found["residual_ev"]) and found["residual_ev"] > 10 * limit:
        said.append(f"the energy still changed by {found['residual_ev']:.1e} eV, more than EDIFF {limit:g} eV")
    if not np.isfinite(found["energy_ev"]) or found["energy_ev"] == 0:
        said.append("its energy is 0 or no number")
    relaxed = (parameters.get("NSW") or 0) > 0
    if relaxed and not found["ionic"]:
        said.append("the relaxation did not converge")
    force = float(np.linalg.norm(found["forces"], axis=1).max(initial=0.0))
    if not force <= force_ev_a:
        said.append(f"the largest force is {force:.3f} eV/A, more than {force_ev_a:g}: its atoms are not relaxed")
    if found["stress_gpa"] is None:
        said.append("its stress is missing")
    elif not np.abs(found["stress_gpa"]).max() <= stress_gpa:
        said.append(
            f"the stress is {np.abs(found['stress_gpa']).max():.2f} GPa, over {stress_gpa:g}: its cell is not relaxed"
        )
    return said


def _plain(value):
    """Return a setting as numbers if it is numeric, else as a word in capitals."""
    try:
        return [float(one) for one in np.atleast_1d(value)]
    except (TypeError, ValueError):
        return str(value).strip().upper()


def _settings(manifest: dict, found: dict) -> list[str]:
    """List the settings that bear on the energy and are not those that were handed over."""
    said, used = [], found["parameters"]
    for key in FINE:
        asked, had = manifest["settings"].get(key), used.get(key)
        if asked is not None and not (had is not None and 0 < had <= 1.001 * asked):
            said.append(f"{key} was {had}, not {asked}")
    for key, plain in PLAIN.items():
        asked, had = manifest["settings"].get(key), used.get(key)
        if asked is not None:
            said += [f"{key} was {had}, not {asked}"] if _plain(had) != _plain(asked) else []
        elif plain is not None and had is not None and _plain(had) not in [_plain(one) for one in plain]:
            said.append(f"{key} was {had}, which was not asked for")
    for key in LETTERS:
        asked, had = manifest["settings"].get(key), used.get(key)
        if asked is not None and had is not None and str(had)[:1].upper() != str(asked)[:1].upper():
            said.append(f"{key} was {had}, not {asked}")
    functional = used.get("GGA")
    if manifest["settings"].get("GGA") is None and functional is not None:
        own = OWN_GGA.get(str(manifest.get("functional", "")).split("_")[0].upper(), ())
        if own and _plain(functional) not in ("--", "NONE", *own):
            said.append(f"GGA was {functional}, which was not asked for")
    if "NELECT" not in manifest["settings"] and abs(found["charge"]) > 1e-3:
        said.append(f"the cell had the total charge {found['charge']:+g} e, which was not asked for")
    if manifest["k_points"] and found["k_points"] != manifest["k_points"]:
        said.append(f"the k points were {found['k_points']}, not {manifest['k_points']}")
    elif manifest.get("k_offset") and found["k_offset"] != manifest["k_offset"]:
        style, shift = found["k_offset"] or ("", [])
        said.append(f"the mesh of k points was of style {style} with offset {shift}, not {manifest['k_offset']}")
    if manifest["settings"].get("NSW") and not used.get("NSW"):
        said.append("its atoms were not relaxed, as was asked")
    return said


def _relaxed(expected: dict, found) -> bool:
    """Return whether a structure can be a relaxation of the one handed off: same atoms, same volume."""
    volume = abs(np.linalg.det(np.array(expected["cell_a"])))
    same = [site.specie.Z for site in found] == list(expected["species"])
    return same and 1 / MOST_CHANGE < found.volume / volume < MOST_CHANGE


def _start(expected: dict, start, continued: bytes | None) -> str:
    """Describe how a run did not start from the structure handed over, or from its restart; "" if it did."""
    from pymatgen.io.vasp import Poscar

    if continued is not None:
        before = Poscar.from_str(continued.decode()).structure
        if not _relaxed(expected, before):
            return "it went on from another one"
        expected = cells.described(
            Crystal(before.lattice.matrix, np.array([site.specie.Z for site in before]), before.frac_coords)
        )
    return cells.difference(expected, 1.0, start.lattice.matrix, [site.specie.Z for site in start], start.frac_coords)


def judge(manifest: dict, results: dict, *, force_ev_a: float = 0.05, stress_gpa: float = 2.0) -> dict:
    """Judge whether a relaxation converged, of the structure and with the settings that were handed over."""
    if "vasprun.xml" not in results:
        return {"status": REJECTED, "reason": "results/vasprun.xml is missing", "values": {}}
    found = read(results["vasprun.xml"])
    said = problems(found, force_ev_a, stress_gpa)
    if found["title"] != manifest["title"]:
        said.append(f"stale or foreign: its title is '{found['title']}', that of the input '{manifest['title']}'")
    final = found["final"]
    wrong = _start(manifest["structure"], found["start"], results.get(CONTINUED))
    if wrong:
        said.append(f"wrong structure: {wrong}")
    if not _relaxed(manifest["structure"], final):
        said.append("the relaxed structure is another")
    used = [name.split()[1] if " " in name else name for name in found["potentials"]]
    if sorted(used) != sorted(manifest["pseudopotentials"]):
        said.append(f"pseudopotentials {' '.join(used)}, not {' '.join(manifest['pseudopotentials'])}")
    asked, cutoff = (
        manifest["settings"].get("ENCUT"),
        found["parameters"].get("ENCUT") or found["parameters"].get("ENMAX"),
    )
    if asked and (not cutoff or cutoff < 0.999 * asked):
        said.append(f"the cut-off was {cutoff} eV, not {asked} eV")
    said += _settings(manifest, found)
    atoms = len(final)
    values = {
        "energy_ev_per_atom": (found["energy_ev"] / atoms, "eV/atom", None),
        "volume_a3_per_atom": (final.volume / atoms, "A^3/atom", None),
    }
    if manifest["cubic_cells"]:
        values["lattice_constant_a"] = ((final.volume * manifest["cubic_cells"]) ** (1 / 3), "A", None)
    reason = "; ".join([*said, *filter(None, [manifest.get("note", "")])])
    return {"status": REJECTED if said else ACCEPTED, "reason": reason, "values": values}
