"""What the two outputs of a run of pw.x say, and whether they can be trusted."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from matlens.job.batch import BadItem
from matlens.validate import eos

RYDBERG = 13.605693122994  # eV
HARTREE, BOHR = 2 * RYDBERG, 0.529177210903
STRESS = HARTREE / BOHR**3 * eos.GPA  # one Hartree per cubic Bohr radius, in GPa
SAME_RY = 2e-6  # by which energies in the two outputs may differ: the digits of one


def read_xml(data: bytes) -> dict:
    """Read what the XML of pw.x says of a run, in eV, angstrom and GPa; BadItem where it is cut off or no such file.

    `opt` is whether a relaxation converged, None where there was none. ElementTree and not qeschema, which refuses the
    files of QE 6.7.
    """
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise BadItem(f"the XML is cut off or damaged: {error}") from error
    output = root.find("output")
    if output is None:
        raise BadItem("the XML has no output: the run ended before it had a result")

    def number(path: str, where=None) -> float:
        text = (output if where is None else where).findtext(path)
        return float(text) if text else np.nan

    def numbers(path: str) -> np.ndarray:
        return np.array((output.findtext(path) or "").split(), float)

    structure = output.find("atomic_structure")
    cell = np.array([[float(x) for x in structure.findtext(f"cell/a{k}").split()] for k in (1, 2, 3)])
    atoms = structure.findall("atomic_positions/atom")
    position = np.array([[float(x) for x in atom.text.split()] for atom in atoms]).reshape(-1, 3)
    opt = output.findtext("convergence_info/opt_conv/convergence_achieved")
    forces, stress = numbers("forces"), numbers("stress")
    smearing, mesh = root.find("input/bands/smearing"), root.find("input/k_points_IBZ/monkhorst_pack")
    species = output.findall("atomic_species/species")
    return {
        "version": root.find("general_info/creator").get("VERSION", ""),
        "title": (root.findtext("input/control_variables/title") or "").strip(),
        "pseudopotentials": {one.get("name"): one.findtext("pseudo_file").strip() for one in species},
        "functional": (output.findtext("dft/functional") or "").strip(),
        "cutoff_ry": 2 * number("basis_set/ecutwfc"), "density_cutoff_ry": 2 * number("basis_set/ecutrho"),
        "spin": output.findtext("magnetization/lsda") == "true",
        "magnetisation": number("magnetization/total"),
        "degauss_ry": 0.0 if smearing is None else 2 * float(smearing.get("degauss")),
        "threshold_ha": number("electron_control/conv_thr", root.find("input")),
        "k_points": None if mesh is None else [int(mesh.get(f"nk{k}")) for k in (1, 2, 3)],
        "symbols": [re.sub(r"\d+$", "", atom.get("name", "")) for atom in atoms],
        "cell": cell * BOHR, "frac": position @ np.linalg.inv(cell),
        "scf": output.findtext("convergence_info/scf_conv/convergence_achieved") == "true",
        "scf_error_ha": number("convergence_info/scf_conv/scf_error"),
        "scf_steps": number("convergence_info/scf_conv/n_scf_steps"),
        "opt": None if opt is None else opt == "true", "energy_ev": number("total_energy/etot") * HARTREE,
        "force_ev_a": float(np.abs(forces).max()) * HARTREE / BOHR if 0 < forces.size == position.size else np.nan,
        "stress_gpa": stress.reshape(3, 3) * STRESS if stress.size == 9 else None,
    }  # fmt: skip


def problems(found: dict, text: str) -> list[str]:
    """Say why one run of pw.x is not to be trusted: `found` of its XML, `text` its other output; [] where it is."""
    said = []
    if not found["scf"] or not 0 <= found["scf_error_ha"] <= found["threshold_ha"]:
        said.append(
            f"not self-consistent: residual {found['scf_error_ha']:.1e} Ha, threshold {found['threshold_ha']:.1e} Ha"
        )
    if not np.isfinite(found["energy_ev"]) or found["energy_ev"] == 0:
        said.append("its energy is 0: it was stopped before it had one")
    if found["opt"] is False:
        said.append("the relaxation did not converge")
    energies = re.findall(r"^!\s+total energy\s+=\s+(\S+) Ry", text, re.MULTILINE)
    if "JOB DONE" not in text or not energies:
        said.append("its output is cut off")
    elif abs(float(energies[-1]) - found["energy_ev"] / RYDBERG) > SAME_RY:
        said.append(f"its two outputs disagree: {energies[-1]} Ry and {found['energy_ev'] / RYDBERG:.8f} Ry")
    if "Maximum CPU time exceeded" in text or "Program stopped by user request" in text:
        said.append("it was stopped before its end")
    return said
