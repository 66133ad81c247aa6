"""Read the two outputs of a run of pw.x, and list the reasons not to trust it."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from matlens.job.batch import BadItem
from matlens.validate import fits

RYDBERG = 13.605693122994  # eV
HARTREE, BOHR = 2 * RYDBERG, 0.529177210903
STRESS = HARTREE / BOHR**3 * fits.GPA  # one Hartree per cubic Bohr radius, in GPa
SAME_RY = 2e-6  # by which energies in the two outputs may differ: the digits of one
SECTIONS = {  # of the input, which a plain calculation does not have
    "electric_field": "electric field", "fcp_settings": "charge at constant potential", "spin_constraints":
    "constraint of the magnetisation", "rism_settings": "solvent", "solvents": "solvent", "ekin_functional":
    "change of the kinetic energy", "twoch_": "two kinds of carriers", "atomic_constraints": "constraint of atoms",
}  # fmt: skip
REAL_SPACE = {
    "real_space_q": "augmentation in real space", "real_space_beta": "projectors in real space",
    "tq_smoothing": "smoothed augmentation", "tbeta_smoothing": "smoothed projectors",
}  # fmt: skip
NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
# Part of the entropy term -TS by which an energy with smearing lies below that without it.
# Sources: M. J. Gillan, J. Phys. Condens. Matter 1 (1989) 689; G. Kresse, J. Furthmueller, Comput. Mater. Sci. 6 (1996)
# 15.
BELOW_COLD = {"gaussian": 1 / 2, "fermi-dirac": 1 / 2, "methfessel-paxton": 1 / 3, "cold": 0.0, "": 0.0}
GAP_WIDTHS = 4.0  # a gap of so many smearing widths holds the Fermi level
SMEARINGS = {  # spellings of pw.x and of its XML
    "gaussian": ("gaussian", "gauss"),
    "cold": ("mv", "cold", "m-v", "marzari-vanderbilt"),
    "fermi-dirac": ("fd", "fermi-dirac", "f-d"),
    "methfessel-paxton": ("mp", "methfessel-paxton", "m-p"),
}


def read_xml(data: bytes) -> dict:
    """Read the XML of pw.x in eV, angstrom and GPa; raises BadItem if it is cut off or another file.

    `opt` is whether a relaxation converged, None if there was none. ElementTree and not qeschema, which refuses the
    files of QE 6.7. Stress is positive if compressed.
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
        "starts": {
            one.get("name"): float(one.findtext("starting_magnetization"))
            for one in root.findall("input/atomic_species/species")
            if one.findtext("starting_magnetization")
        },
        "functional": (output.findtext("dft/functional") or "").strip(),
        "cutoff_ry": 2 * number("basis_set/ecutwfc"), "density_cutoff_ry": 2 * number("basis_set/ecutrho"),
        "spin": output.findtext("magnetization/lsda") == "true",
        "magnetisation": number("magnetization/total"),
        "degauss_ry": 0.0 if smearing is None else 2 * float(smearing.get("degauss")),
        "threshold_ha": number("electron_control/conv_thr", root.find("input")),
        "k_points": None if mesh is None else [int(mesh.get(f"nk{k}")) for k in (1, 2, 3)],
        "k_offset": None if mesh is None else [int(mesh.get(f"k{k}", 0)) for k in (1, 2, 3)],
        "absolute": number("magnetization/absolute"), "fermi": _fermi(output), **_choices(root, output),
        "symbols": [re.sub(r"\d+$", "", atom.get("name", "")) for atom in atoms],
        "cell": cell * BOHR, "frac": position @ np.linalg.inv(cell),
        "scf": output.findtext("convergence_info/scf_conv/convergence_achieved") == "true",
        "scf_error_ha": number("convergence_info/scf_conv/scf_error"),
        "scf_steps": number("convergence_info/scf_conv/n_scf_steps"),
        "opt": None if opt is None else opt == "true", "energy_ev": number("total_energy/etot") * HARTREE,
        "entropy_ev": number("total_energy/demet") * HARTREE,
        "force_ev_a": float(np.abs(forces).max()) * HARTREE / BOHR if 0 < forces.size == position.size else np.nan,
        "stress_gpa": stress.reshape(3, 3) * STRESS if stress.size == 9 else None,
    }  # fmt: skip


def known_smearing(kind: str) -> str:
    """Return the name of a kind of smearing, of whatever spelling of pw.x."""
    kind = kind.strip().lower()
    return next((name for name, words in SMEARINGS.items() if kind in words), kind)


def _choices(root, output) -> dict:
    """Read the settings that change what an energy means and that an input need not name.

    smearing: its kind, "" without; extras: {name: value} of all that differs from a plain neutral calculation.
    """
    known = known_smearing(root.findtext("input/bands/smearing") or "")
    extras = {}
    for where in (root.find("input"), output):
        correction = "" if where is None else (where.findtext(".//vdW/vdw_corr") or "").strip()
        if correction.lower() not in ("", "none", "false"):
            extras["dispersion correction (vdw_corr)"] = correction
        functional = "" if where is None else (where.findtext(".//vdW/non_local_term") or "").strip()
        if functional.lower() not in ("", "none", "false"):
            extras["non-local dispersion functional"] = functional
        extras |= {} if where is None else _hubbard(where)
        if where is not None and where.find(".//hybrid") is not None:
            extras["hybrid functional"] = "yes"
    charge = root.findtext("input/bands/tot_charge")
    if charge and float(charge) != 0:
        extras["total charge"] = charge.strip()
    moment = root.findtext("input/bands/tot_magnetization")
    if moment and float(moment) >= 0:
        extras["fixed total magnetisation"] = moment.strip()
    for tag, name in (("noncolin", "non-collinear spin"), ("spinorbit", "spin-orbit coupling")):
        if (output.findtext(f"magnetization/{tag}") or "").strip() == "true":
            extras[name] = "true"
    isolated = (root.findtext("input/boundary_conditions/assume_isolated") or "none").strip().lower()
    extras |= {} if isolated in ("none", "") else {"isolated cell (assume_isolated)": isolated}
    extras |= {words: "yes" for tag, words in SECTIONS.items() if root.find(f"input/{tag}") is not None}
    extras |= {
        words: "true"
        for tag, words in REAL_SPACE.items()
        if (root.findtext(f"input/electron_control/{tag}") or "").strip() == "true"
    }
    extras |= {"grid of the Fourier transform": "yes"} if root.find("input/basis/fft_grid") is not None else {}
    forces = (root.findtext("input/external_atomic_forces") or "").split()
    extras |= {"forces from outside": "yes"} if any(float(one) for one in forces) else {}
    return {"smearing": known, "extras": extras}


def _hubbard(where) -> dict[str, str]:
    """Read the terms of DFT+U of whatever kind (U, J, V, alpha, U by orbital) that are not 0."""
    found: dict[str, list[str]] = {}
    for one in where.iter():
        if one.tag.startswith("Hubbard_") and one.tag not in ("Hubbard_ns", "Hubbard_back", "Hubbard_ns_nc"):
            words = (one.text or "").split()
            if words and all(map(NUMBER.fullmatch, words)) and any(float(word) for word in words):
                found.setdefault(f"DFT+U ({one.tag})", []).append(" ".join(words))
    return {key: ", ".join(values) for key, values in found.items()}


def _fermi(output) -> dict | None:
    """Read the Fermi level and the edges of the bands around the last electron, in eV; None if a value is missing.

    Eigenvalues of all k points are filled from below: a gap lies between the last that is filled and the next.
    """
    bands = output.find("band_structure")
    if bands is None or bands.findtext("fermi_energy") is None:
        return None
    points = bands.findall("ks_energies")
    levels = [np.array((one.findtext("eigenvalues") or "").split(), float) for one in points]
    weights = np.array([float(one.find("k_point").get("weight")) for one in points])
    electrons = float(bands.findtext("nelec"))
    alone = any((bands.findtext(tag) or "").strip() == "true" for tag in ("lsda", "noncolin"))
    if not levels or not len(levels[0]) or not weights.sum() > 0:
        return None
    share = np.repeat(weights / weights.sum() * (1 if alone else 2), [len(one) for one in levels])
    energy = np.concatenate(levels)
    order = np.argsort(energy, kind="stable")
    filled = np.cumsum(share[order])
    last = int(np.searchsorted(filled, electrons - 1e-6))
    if last + 1 >= len(energy):
        return None
    whole = abs(filled[last] - electrons) < 1e-4
    top, bottom = energy[order][[last, last + 1]] * HARTREE
    return {"level": float(bands.findtext("fermi_energy")) * HARTREE, "top": top, "gap": bottom - top if whole else 0.0}


def _misplaced(found: dict) -> str:
    """Return the reason if the Fermi level lies in a band although there is a gap; "" if it does not.

    The number of electrons as a function of the level is not monotonic with cold smearing: pw.x before 7.0 can take a
    solution inside the valence band. Source: F. J. dos Santos, N. Marzari, Phys. Rev. B 107 (2023) 195122.
    """
    at = found["fermi"]
    if not at or not found["degauss_ry"] > 0 or not at["gap"] > GAP_WIDTHS * found["degauss_ry"] * RYDBERG:
        return ""
    if at["top"] - 1e-3 <= at["level"] <= at["top"] + at["gap"] + 1e-3:
        return ""
    return (
        f"the Fermi level, {at['level']:.2f} eV, lies outside the gap of {at['gap']:.1f} eV above {at['top']:.2f} eV: "
        f"{found['smearing']} smearing found a wrong solution; use smearing gaussian"
    )


def problems(found: dict, text: str) -> list[str]:
    """List the reasons not to trust a run of pw.x: `found` of its XML, `text` its other output; [] if it is good."""
    said = [one for one in [_misplaced(found)] if one]
    if not found["scf"] or not 0 <= found["scf_error_ha"] <= found["threshold_ha"]:
        said.append(
            f"not self-consistent: residual {found['scf_error_ha']:.1e} Ha, threshold {found['threshold_ha']:.1e} Ha"
        )
    if not np.isfinite(found["energy_ev"]):
        said.append("its energy is missing or not a number")
    elif found["energy_ev"] == 0:
        said.append("its energy is 0: it was stopped before it had one")
    if found["degauss_ry"] > 0 and not np.isfinite(found["entropy_ev"]):
        said.append("the entropy of its smearing is missing or not a number")
    elif found["degauss_ry"] > 0:
        printed = ["0", *re.findall(r"^\s+smearing contrib\. \(-TS\)\s+=\s+(\S+) Ry", text, re.MULTILINE)]
        if abs(float(printed[-1]) - found["entropy_ev"] / RYDBERG) > SAME_RY:
            said.append("its two outputs disagree on the entropy of its smearing")
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


def unsmeared(outcome: dict, kept: dict[str, dict], atoms: int) -> dict:
    """Take the entropy of smearing out of the energy of an outcome: the estimate for zero width.

    Energies and stresses of pw.x are those of the free energy E - TS; a metal of many states at the Fermi level lies up
    to some 30 meV/atom too low (nickel at 0.02 Ry), an insulator does not, so that formation energies would be wrong.
    kept: runs of the volumes by name. The correction is interpolated to the volume of the outcome.
    """
    values = outcome["values"]
    runs = [one for one in kept.values() if one["degauss_ry"] > 0]
    if "energy_ev_per_atom" not in values or not runs:
        return outcome
    volume = np.array([abs(np.linalg.det(one["cell"])) for one in runs])
    shift = np.array([-BELOW_COLD.get(one["smearing"], 0.0) * one["entropy_ev"] for one in runs])
    place = atoms * values.get("volume_a3_per_atom", (volume.mean() / atoms,))[0]
    order = np.argsort(volume)
    energy, unit, error = values["energy_ev_per_atom"]
    energy += float(np.interp(place, volume[order], shift[order])) / atoms
    return {**outcome, "values": {**values, "energy_ev_per_atom": (energy, unit, error)}}
