"""Quantum ESPRESSO: pw.x over the volumes of an equation of state, and what its output is worth.

Neither JOB DONE nor the exit status nor a flag says that a run converged: pw.x 6.7 writes all three for runs that did
not (`scf_must_converge=.false.`). What is asked is the residual in the XML, the energy in both outputs, the structure,
cut-off and pseudopotentials that the output names, and the physics of the result.
"""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from matlens.batch import BadItem
from matlens.crystals import Crystal
from matlens.validate import cells, eos, handoff, ladder, pseudopotentials

RYDBERG = 13.605693122994  # eV
HARTREE, BOHR = 2 * RYDBERG, 0.529177210903
STRESS = HARTREE / BOHR**3 * eos.GPA  # one Hartree per cubic Bohr radius, in GPa
LOW = 0.999  # part of the recommended cut-off that counts as that cut-off
TUTORIAL = "tutorial: for trying, not for results"
SAME_RY = 2e-6  # by which energies in the two outputs may differ: the digits of one


def prepare(
    candidate: dict,
    crystal: Crystal,
    *,
    run: bool | None = None,
    minutes: int = 240,
    pseudopotential_folder: str | None = None,
    files: dict | None = None,
    hints: str = "auto",
    functional: str = "PBE",
    cutoff_ry: float | None = None,
    density_cutoff_ry: float | None = None,
    k_spacing_per_a: float = 0.2,
    smearing_ry: float = 0.02,
    spin: bool | None = None,
    relax: bool = False,
    points: int = 5,
    strain: float = 0.03,
    threshold_ry: float = 1e-9,
) -> handoff.Handoff:
    """Write the inputs of pw.x for the energies of a crystal at several volumes.

    The cell is made primitive and keeps its shape; atoms keep their places unless `relax`. `cutoff_ry`: plane-wave
    cut-off; the largest that is recommended for an element where it is None. `spin` None: where an element often is
    magnetic. `threshold_ry`: per atom. BadItem where a pseudopotential or a cut-off is missing.
    """
    small, cubic, group = cells.primitive(crystal)
    names = cells.symbols(small.species)
    kinds = list(dict.fromkeys(names))
    folder = pseudopotentials.source(pseudopotential_folder)
    paths = {one: pseudopotentials.find(folder, one, functional, files or {}) for one in kinds}
    hint = {one: pseudopotentials.cutoff(one, paths[one], hints) for one in kinds}
    known = [about["wave_ry"] for about in hint.values() if "wave_ry" in about]
    if cutoff_ry is None and len(known) < len(kinds):
        lacking = ", ".join(one for one in kinds if "wave_ry" not in hint[one])
        raise BadItem(f"no cut-off is recommended for {lacking}; set 'cutoff_ry'")
    cutoff = float(cutoff_ry if cutoff_ry is not None else max(known))
    soft = any(
        "t" in pseudopotentials.header(p).get(key, "f").lower()
        for p in paths.values()
        for key in ("is_ultrasoft", "is_paw")
    )
    densities = [about.get("density_ry", 0.0) for about in hint.values()]
    density = float(density_cutoff_ry or max(densities + [(8 if soft else 4) * cutoff]))
    upf = {one: pseudopotentials.shared(paths[one]) for one in kinds}
    magnetic = cells.is_magnetic(small.species, spin)
    settings = {
        "engine": "qe", "functional": functional, "cutoff_ry": cutoff, "density_cutoff_ry": density, "spin": magnetic,
        "k_spacing_per_a": k_spacing_per_a, "smearing_ry": smearing_ry,
    }  # fmt: skip
    grid = cells.mesh(small.cell, k_spacing_per_a)
    text = {
        f"v{number:02d}": _input(cells.scaled(small, scale), names, kinds, paths, grid, settings, relax, threshold_ry)
        for number, scale in enumerate(eos.scales(points, strain))
    }
    made = {f"{name}.in": body.replace("@TITLE@", _title(name, body)) for name, body in text.items()}
    manifest = {
        **handoff.described(candidate, "qe"),
        "what": f"energies of {candidate['formula']} at {points} volumes, by pw.x",
        "run": "sh run.sh, or sbatch job.slurm",
        "expected": [f"results/{name}.{end}" for name in text for end in ("xml", "out")],
        "structure": cells.described(small), "space_group": group, "cubic_cells": cubic, "relax": relax,
        "scales": {name: float(scale) for name, scale in zip(text, eos.scales(points, strain), strict=True)},
        "titles": {name: _title(name, body) for name, body in text.items()}, "k_points": grid, "settings": settings,
        "threshold_ha": threshold_ry * len(names) / 2, "tested_with": "pw.x 6.7",
        "pseudopotentials": {
            one: {
                "file": paths[one].name, "sha256": upf[one].sha256, "md5": upf[one].md5, "cutoff": hint[one],
                "grade": TUTORIAL if folder == pseudopotentials.TUTORIAL else "as its folder",
            }
            for one in kinds
        },
    }  # fmt: skip
    table = ladder.table("qe", {"degauss": smearing_ry, "ecutwfc": cutoff, "ecutrho": density})
    files_ = {**made, "ladder.txt": table, **{f"pseudo/{paths[one].name}": upf[one] for one in kinds}}
    files_ |= handoff.scripts("qe", candidate["name"], minutes)
    return handoff.Handoff(files_, manifest, {**settings, "upf": {one: upf[one].sha256 for one in kinds}})


def _title(name: str, body: str) -> str:
    """Make the title that pw.x echoes in its XML: it tells of which input the output is."""
    return f"matlens {handoff.fingerprint(body)[:20]} {name}"


def _input(crystal, names, kinds, paths, grid, settings, relax, threshold_ry) -> str:
    from pymatgen.core import Element

    moments = []
    if settings["spin"]:
        start = {one: (0.5 if Element(one).Z in cells.MAGNETIC else 0.0) for one in kinds}
        moments = [f"  starting_magnetization({k + 1}) = {start[one]}" for k, one in enumerate(kinds)]
    smeared = ["  occupations = 'smearing'", "  smearing = 'cold'", f"  degauss = {settings['smearing_ry']:g}"]
    lines = [
        "&control", f"  calculation = '{'relax' if relax else 'scf'}'", "  title = '@TITLE@'", "  prefix = 'x'",
        "  pseudo_dir = './pseudo'", "  outdir = './out'", "  tprnfor = .true.", "  tstress = .true.",
        "  restart_mode = 'from_scratch'",
        "  max_seconds = 1e7", "  forc_conv_thr = 1e-4", "  etot_conv_thr = 1e-5", "/",
        "&system", "  ibrav = 0", f"  nat = {len(names)}", f"  ntyp = {len(kinds)}",
        f"  ecutwfc = {settings['cutoff_ry']:g}", f"  ecutrho = {settings['density_cutoff_ry']:g}",
        f"  nspin = {2 if settings['spin'] else 1}", *moments, *(smeared if settings["smearing_ry"] else []),
        "/",
        "&electrons", f"  conv_thr = {threshold_ry * len(names):.3e}", "  mixing_beta = 0.7", "  mixing_mode = 'plain'",
        "  diagonalization = 'david'", "  electron_maxstep = 100", "/",
        *(["&ions", "/"] if relax else []),
        "ATOMIC_SPECIES", *(f"{one} {float(Element(one).atomic_mass):.4f} {paths[one].name}" for one in kinds),
        "CELL_PARAMETERS angstrom", *(" ".join(f"{x:.10f}" for x in row) for row in crystal.cell),
        "ATOMIC_POSITIONS crystal",
        *(f"{one} " + " ".join(f"{x:.10f}" for x in row) for one, row in zip(names, crystal.frac, strict=True)),
        "K_POINTS automatic", " ".join(map(str, grid)) + " 0 0 0",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


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


def _belongs(found: dict, text: str, manifest: dict, name: str) -> list[str]:
    """Say why an output is not that of the input that was handed over."""
    said = []
    if found["title"] != manifest["titles"][name]:
        said.append(
            f"stale or foreign: its title is '{found['title']}', that of the input '{manifest['titles'][name]}'"
        )
    from matlens.compositions import SYMBOLS

    species = [SYMBOLS.index(one) + 1 if one in SYMBOLS else 0 for one in found["symbols"]]
    wrong = cells.difference(
        manifest["structure"], manifest["scales"][name], found["cell"], species, found["frac"], manifest["relax"]
    )
    said += [f"wrong structure: {wrong}"] if wrong else []
    used = re.findall(r"MD5 check sum:\s*([0-9a-f]{32})", text)
    for one, about in manifest["pseudopotentials"].items():
        if found["pseudopotentials"].get(one) != about["file"] or about["md5"] not in used:
            said.append(f"another pseudopotential of {one} than {about['file']} was used, or its checksum is not told")
    settings = manifest["settings"]
    if not found["cutoff_ry"] >= LOW * settings["cutoff_ry"]:
        said.append(f"the cut-off was {found['cutoff_ry']:g} Ry, not {settings['cutoff_ry']:g} Ry")
    if not found["density_cutoff_ry"] >= LOW * settings["density_cutoff_ry"]:
        used, asked = found["density_cutoff_ry"], settings["density_cutoff_ry"]
        said.append(f"the cut-off of the density was {used:g} Ry, not {asked:g} Ry")
    if found["degauss_ry"] > 1.01 * ladder.WIDER * settings["smearing_ry"]:
        said.append(f"the smearing was {found['degauss_ry']:g} Ry, not {settings['smearing_ry']:g} Ry")
    if not pseudopotentials.same_functional(found["functional"], settings["functional"]):
        said.append(f"the functional was '{found['functional']}', not {settings['functional']}")
    if manifest["relax"] and found["opt"] is None:
        said.append("its atoms were not relaxed, as was asked")
    if found["k_points"] != manifest["k_points"]:
        said.append(f"the k points were {found['k_points']}, not {manifest['k_points']}")
    if not 0 < found["threshold_ha"] <= 1.01 * manifest["threshold_ha"]:
        said.append(
            f"self-consistency was asked to {found['threshold_ha']:.1e} Ha, not to {manifest['threshold_ha']:.1e} Ha"
        )
    if found["spin"] != settings["spin"]:
        said.append("spin was treated in another way than was asked")
    return said


def judge(
    manifest: dict, results: dict, *, force_ev_a: float = 0.05, stress_gpa: float = 2.0, fit_mev_per_atom: float = 1.0
) -> dict:
    """Judge the runs of pw.x over an equation of state; forces and stress count nearest to its minimum."""
    said, volumes, kept = [], [], {}
    for name in manifest["scales"]:
        if f"{name}.xml" not in results or f"{name}.out" not in results:
            said.append(f"{name}: its outputs are missing")
            continue
        text = results[f"{name}.out"].decode("utf-8", "replace")
        try:
            kept[name] = read_xml(results[f"{name}.xml"])
        except (BadItem, AttributeError, ValueError, TypeError) as error:
            said.append(
                f"{name}: {error}" if isinstance(error, BadItem) else f"{name}: the XML lacks what it should have"
            )
            continue
        wrong = [*_belongs(kept[name], text, manifest, name), *problems(kept[name], text)]
        said += [f"{name}: {one}" for one in wrong]
        volumes.append(abs(np.linalg.det(kept[name]["cell"])))
    said += _uneven(kept) + _cutoffs(manifest, kept)
    runs = {
        name: eos.Run(volume, one["energy_ev"], one["force_ev_a"], one["stress_gpa"], one["magnetisation"])
        for (name, one), volume in zip(kept.items(), volumes, strict=True)
    }
    return eos.conclude(manifest, said, runs, force_ev_a, stress_gpa, fit_mev_per_atom, _note(manifest))


def _uneven(kept: dict) -> list[str]:
    """Say which settings differ among the volumes: their energies could not be compared."""
    said = []
    for key in ("cutoff_ry", "density_cutoff_ry", "degauss_ry", "k_points", "functional", "version"):
        different = {str(found[key]) for found in kept.values()}
        if len(different) > 1:
            said.append(f"the volumes differ in {key}: {', '.join(sorted(different))}")
    return said


def _cutoffs(manifest: dict, kept: dict) -> list[str]:
    said = []
    used = min((found["cutoff_ry"] for found in kept.values()), default=np.inf)
    for one, about in manifest["pseudopotentials"].items():
        hint = about["cutoff"].get("wave_ry")
        if hint and used < LOW * hint:
            said.append(
                f"the cut-off {used:g} Ry is below the {hint:g} Ry that {about['cutoff']['by']} recommends for {one}"
            )
    return said


def _note(manifest: dict) -> str:
    """Say what an accepted result rests on that one should know."""
    about = manifest["pseudopotentials"]
    tutorial = [one for one in about if about[one]["grade"].startswith("tutorial")]
    unknown = [one for one in about if "wave_ry" not in about[one]["cutoff"]]
    said = [f"tutorial pseudopotentials of {', '.join(tutorial)}"] if tutorial else []
    said += [f"no cut-off is recommended for {', '.join(unknown)}"] if unknown else []
    return "; ".join(said)
