"""VASP: write relaxations with the input sets of the Materials Project, and judge their outputs strictly.

The licence of VASP forbids handing pseudopotentials over: POTCAR.spec names them, and the judge compares the names in
vasprun.xml.
"""

import hashlib
import warnings

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.validate import ACCEPTED, REJECTED, cells, error_handlers, handoff, vasp_output, vasp_settings

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
        "settings": {key: handoff.plain(value) for key, value in settings.items()},
        "k_points": list(map(int, inputs["KPOINTS"].kpts[0])) if kpoints else None,
        "k_offset": vasp_output.mesh_style(inputs["KPOINTS"]) if kpoints else None,
        "free": free, "note": cells.unrelaxed(free, _moves(free, settings)),
        "tested_with": "inputs and reading only: VASP is licensed",
    }  # fmt: skip
    files = {
        "INCAR": f"SYSTEM = {title}\n{body}", "POSCAR": poscar, **kpoints,
        "POTCAR.spec": "".join(f"{one}\n" for one in potentials), "ladder.txt": error_handlers.table("vasp", settings),
        **handoff.scripts("vasp", candidate["name"], minutes),
    }  # fmt: skip
    kinds = list(dict.fromkeys(inputs["POSCAR"].site_symbols))
    own = vasp_settings.of_elements(kinds, potentials, settings)
    identity = {"engine": "vasp", "input_set": input_set, "incar": incar or {}, "potentials": own}
    return handoff.Handoff(files, manifest, identity)


def _incar(settings: dict) -> str:
    from pymatgen.io.vasp import Incar

    return str(Incar(settings)).rstrip("\n") + "\n"


def _moves(free: dict[str, int], settings: dict) -> dict[str, bool]:
    """Return what VASP relaxes by NSW and ISIF: 2 positions, 3 and 4 positions and shape, 5 and 6 shape."""
    runs, kind = (settings.get("NSW") or 0) > 0, settings.get("ISIF", 2)
    return {"shape": runs and kind in (3, 4, 5, 6), "positions": runs and kind in (0, 1, 2, 3, 4)}


def _start(expected: dict, start, continued: bytes | None) -> str:
    """Describe how a run did not start from the structure handed over, or from its restart; "" if it did."""
    from pymatgen.io.vasp import Poscar

    if continued is not None:
        before = Poscar.from_str(continued.decode()).structure
        if _moved(expected, before):
            return "it went on from another one"
        expected = cells.described(
            Crystal(before.lattice.matrix, np.array([site.specie.Z for site in before]), before.frac_coords)
        )
    return cells.difference(expected, 1.0, start.lattice.matrix, [site.specie.Z for site in start], start.frac_coords)


def _moved(expected: dict, found) -> str:
    """Describe how a structure cannot be a relaxation of the one handed over; "" if it can."""
    return cells.left(expected, found.lattice.matrix, [site.specie.Z for site in found], found.frac_coords)


def _cubic(structure) -> bool:
    """Return whether a relaxed cell still has three equal lattice constants of its Bravais lattice."""
    return (
        cells.primitive(
            Crystal(structure.lattice.matrix, np.array([s.specie.Z for s in structure]), structure.frac_coords), 0.01
        )[1]
        > 0
    )


def judge(manifest: dict, results: dict, *, force_ev_a: float = 0.05, stress_gpa: float = 2.0) -> dict:
    """Judge whether a relaxation converged, of the structure and with the settings that were handed over."""
    if "vasprun.xml" not in results:
        return {"status": REJECTED, "reason": "results/vasprun.xml is missing", "values": {}}
    found = vasp_output.read(results["vasprun.xml"])
    said, final = vasp_output.problems(found, force_ev_a, stress_gpa), found["final"]
    if found["title"] != manifest["title"]:
        said.append(f"stale or foreign: its title is '{found['title']}', that of the input '{manifest['title']}'")
    wrong = _start(manifest["structure"], found["start"], results.get(CONTINUED))
    said += [f"wrong structure: {wrong}"] if wrong else []
    wrong = _moved(manifest["structure"], final)
    said += [f"the relaxed structure is another: {wrong}"] if wrong else []
    said += vasp_settings.differences(manifest, found)
    said += vasp_output.another_run(found, results.get("OUTCAR", b""))
    atoms = len(final)
    values = {
        "energy_ev_per_atom": (found["energy_ev"] / atoms, "eV/atom", None),
        "volume_a3_per_atom": (final.volume / atoms, "A^3/atom", None),
    }
    notes = [manifest.get("note", ""), *vasp_output.cautions(found)]
    if manifest["cubic_cells"] and _cubic(final):
        values["lattice_constant_a"] = ((final.volume * manifest["cubic_cells"]) ** (1 / 3), "A", None)
    elif manifest["cubic_cells"]:
        notes.append("caution: the cell was cubic and is no longer: it has no single lattice constant")
    used = vasp_settings.comparable(found)
    return {
        "status": REJECTED if said else ACCEPTED, "reason": "; ".join([*said, *filter(None, notes)]), "values": values,
        "used": used,
    }  # fmt: skip
