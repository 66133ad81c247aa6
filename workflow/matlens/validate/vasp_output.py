"""Read vasprun.xml strictly, and list the reasons not to trust a run of VASP by its computed values."""

import re
import tempfile
import warnings
from pathlib import Path

import numpy as np

from matlens.job.batch import BadItem

SAME_EV = 1e-3  # by which energies of a cell that are the same may differ
LAW_EV = 1e-4  # by which energies of a cell may miss the law of their smearing
UPHILL_EV = 0.005  # per atom; by which a relaxation may end above where it began
BASIS_CAUTION, BASIS_MOST = 0.03, 0.1  # change of the cut-off by the volume of a relaxed cell, as a part
APART = 1e-4  # by which places and cells that are the same may differ


def _table(data: bytes, name: bytes) -> list[list[bytes]]:
    """Return the cells of an array of vasprun.xml by row."""
    block = re.search(rb'<array name="' + name + rb'"\s*>(.*?)</array>', data, re.DOTALL)
    rows = re.findall(rb"<rc>(.*?)</rc>", block[1], re.DOTALL) if block else []
    return [[one.strip() for one in re.findall(rb"<c>(.*?)</c>", row, re.DOTALL)] for row in rows]


def _charge(data: bytes, parameters: dict) -> float:
    """Return the net charge of a run, in electrons removed from neutral atoms; NaN if vasprun.xml lacks it."""
    rows, electrons = _table(data, b"atomtypes"), parameters.get("NELECT")
    if electrons is None or not rows:
        return np.nan
    return sum(float(row[0]) * float(row[3]) for row in rows) - float(electrons)


def mesh_style(kpoints) -> list:
    """Return the style of a mesh of k points, by its first letter, and its shift; None for a list of points."""
    return [str(kpoints.style).rsplit(".", 1)[-1][:1].upper(), [float(x) for x in kpoints.kpts_shift]]


def _same(one, other) -> bool:
    """Return whether two structures have the same cell and places."""
    if len(one) != len(other) or np.abs(one.lattice.matrix - other.lattice.matrix).max() > APART:
        return False
    apart = one.frac_coords - other.frac_coords
    return bool(np.abs(apart - np.round(apart)).max() <= APART)


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
            return _values(found, data)
        except BadItem:
            raise
        except Exception as error:
            raise BadItem(f"vasprun.xml is cut off or damaged ({type(error).__name__}: {error})") from error


def _values(found, data: bytes) -> dict:
    """Collect the values of a parsed file. energies: (free, without entropy, zero width) of the last step, eV."""
    last, first, final = found.ionic_steps[-1], found.ionic_steps[0], found.final_structure
    incar, names = dict(found.incar), ("e_fr_energy", "e_wo_entrp", "e_0_energy")
    scf = last["electronic_steps"][-1] if last["electronic_steps"] else {}
    flags = re.search(rb'<varray name="selective"[^>]*>(.*?)</varray>', data, re.DOTALL)
    return {
        "version": found.vasp_version, "title": str(incar.get("SYSTEM", "")), "incar": incar,
        "potentials": [re.sub(r"\s+", " ", name) for name in found.potcar_symbols],
        "parameters": dict(found.parameters), "fixed": bool(flags and b"F" in flags[1]),
        "k_points": list(map(int, found.kpoints.kpts[0])) if found.kpoints.kpts else None,
        "k_offset": mesh_style(found.kpoints) if found.kpoints.kpts else None,
        "charge": _charge(data, {**found.parameters, **incar}),
        "electronic": bool(found.converged_electronic), "ionic": bool(found.converged_ionic),
        "energy_ev": float(found.final_energy), "forces": np.array(last["forces"], float),
        "energies": [float(scf.get(name, np.nan)) for name in names], "free_ev": float(last["e_fr_energy"]),
        "rise_ev": float(last["e_fr_energy"] - first["e_fr_energy"]) / len(final),
        "residual_ev": _residual(last["electronic_steps"]),
        "electronic_steps": [len(step["electronic_steps"]) for step in found.ionic_steps],
        "stress_gpa": -np.array(last["stress"], float) / 10 if last.get("stress") is not None else None,
        "start": found.initial_structure, "final": final,
        "whole": _same(first["structure"], found.initial_structure) and _same(last["structure"], final),
    }  # fmt: skip


def _residual(steps: list[dict]) -> float:
    """Return by how much the energy changed in the last electronic step, in eV; nan where there was one step."""
    energies = [step["e_fr_energy"] for step in steps if "e_fr_energy" in step]
    return abs(energies[-1] - energies[-2]) if len(energies) > 1 else np.nan


def _disagreements(found: dict) -> list[str]:
    """List how parts of one file contradict each other: it was cut, or put together from several runs.

    Zero width: E0 = ((n + 1) F + E) / (n + 2) by Methfessel-Paxton of order n, n = 0 for Gauss and Fermi, E0 = F
    by tetrahedra. Source: G. Kresse, J. Furthmueller, Comput. Mater. Sci. 6 (1996) 15; manual of VASP.
    """
    used = {**found["parameters"], **found["incar"]}
    said = [] if found["whole"] else ["its first or last step is of another structure: steps were lost or are foreign"]
    free, whole, zero = found["energies"]
    added = any(used.get(key) for key in ("IVDW", "PSTRESS", "LEPSILON", "LSOL", "LUSE_VDW"))  # after the last step
    if not added and not abs(free - found["free_ev"]) <= SAME_EV:
        said.append(f"its energies disagree: {free:.6f} eV of the electrons and {found['free_ev']:.6f} eV of the step")
    kind = used.get("ISMEAR")
    if isinstance(kind, int) and kind >= -1:
        order = max(kind, 0)
        law = ((order + 1) * free + whole) / (order + 2)
        if not abs(zero - law) <= LAW_EV:
            said.append(f"its energy at zero width is {zero:.6f} eV, by the law of its smearing {law:.6f} eV")
    elif kind == -5 and not abs(zero - free) <= LAW_EV:
        said.append("its energy at zero width is not the free energy, as by tetrahedra")
    return said


def _basis(found: dict) -> float:
    """Return the cut-off of the last cell as a part of that of the first: plane waves are chosen once, at the start.

    Source: G. P. Francis, M. C. Payne, J. Phys.: Condens. Matter 2 (1990) 4395.
    """
    return (found["start"].volume / found["final"].volume) ** (2 / 3)


def cautions(found: dict) -> list[str]:
    """List the cautions of a good run."""
    part = _basis(found)
    if abs(part - 1) <= BASIS_CAUTION:
        return []
    change = f"{100 * abs(part - 1):.0f} % {'lower' if part < 1 else 'higher'}"
    return [
        f"caution: its plane waves, those of the first cell, have a cut-off {change} in the relaxed one: relax again "
        "from the relaxed cell"
    ]


def problems(found: dict, force_ev_a: float, stress_gpa: float) -> list[str]:
    """List the reasons not to trust a run of VASP, from its computed values; [] if there is none."""
    said, parameters = _disagreements(found), {**found["parameters"], **found["incar"]}
    most, steps = parameters.get("NELM") or 60, found["electronic_steps"][-1]
    if not found["electronic"] or steps >= most:
        said.append(f"the electrons are not self-consistent after {steps} steps")
    elif steps < min(2, parameters.get("NELMIN") or 2):
        said.append(f"the electrons took {steps} steps, too few to show that they are self-consistent")
    limit = parameters.get("EDIFF")
    if limit and np.isfinite(found["residual_ev"]) and found["residual_ev"] > 10 * limit:
        said.append(f"the energy still changed by {found['residual_ev']:.1e} eV, more than EDIFF {limit:g} eV")
    if not np.isfinite(found["energy_ev"]) or found["energy_ev"] == 0:
        said.append("its energy is 0 or no number")
    if (parameters.get("NSW") or 0) > 0 and not found["ionic"]:
        said.append("the relaxation did not converge")
    if not found["rise_ev"] <= UPHILL_EV:
        said.append(
            f"the relaxation ended {1000 * found['rise_ev']:.0f} meV/atom above where it began: its last step is in "
            "another state, or of another run"
        )
    part = _basis(found)
    if part < 1 - BASIS_MOST:
        said.append(
            "the cell grew so much that its plane waves, those of the first cell, have a cut-off "
            f"{100 * (1 - part):.0f} % lower: relax again from the relaxed cell"
        )
    return said + _mechanics(found, force_ev_a, stress_gpa)


def _mechanics(found: dict, force_ev_a: float, stress_gpa: float) -> list[str]:
    """List the reasons why atoms or cell are not relaxed."""
    said, force = [], float(np.linalg.norm(found["forces"], axis=1).max(initial=0.0))
    if not force <= force_ev_a:
        said.append(f"the largest force is {force:.3f} eV/A, more than {force_ev_a:g}: its atoms are not relaxed")
    if found["stress_gpa"] is None:
        said.append("its stress is missing")
    elif not np.abs(found["stress_gpa"]).max() <= stress_gpa:
        said.append(
            f"the stress is {np.abs(found['stress_gpa']).max():.2f} GPa, over {stress_gpa:g}: its cell is not relaxed"
        )
    return said
