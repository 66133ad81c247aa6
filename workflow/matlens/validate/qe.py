"""Quantum ESPRESSO: pw.x over the volumes of an equation of state, and what its output is worth.

Neither JOB DONE nor the exit status nor a flag says that a run converged: pw.x 6.7 writes all three for runs that did
not (`scf_must_converge=.false.`). What is asked is the residual in the XML, the energy in both outputs, the structure,
cut-off and pseudopotentials that the output names, and the physics of the result.
"""

import re

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.validate import cells, eos, handoff, ladder, pseudopotentials, qe_output

LOW = 0.999  # part of the recommended cut-off that counts as that cut-off
TUTORIAL = "tutorial: for trying, not for results"


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
    cutoff, density = _cutoffs_of(paths, hint, cutoff_ry, density_cutoff_ry)
    settings = {
        "engine": "qe", "functional": functional, "cutoff_ry": cutoff, "density_cutoff_ry": density,
        "spin": cells.is_magnetic(small.species, spin), "k_spacing_per_a": k_spacing_per_a, "smearing_ry": smearing_ry,
    }  # fmt: skip
    grid = cells.mesh(small.cell, k_spacing_per_a)
    scales = {f"v{number:02d}": float(scale) for number, scale in enumerate(eos.scales(points, strain))}
    text = {
        name: _input(cells.scaled(small, scale), names, kinds, paths, grid, settings, relax, threshold_ry)
        for name, scale in scales.items()
    }
    upf = {one: pseudopotentials.shared(paths[one]) for one in kinds}
    manifest = {
        **handoff.described(candidate, "qe"),
        "what": f"energies of {candidate['formula']} at {points} volumes, by pw.x",
        "run": "sh run.sh, or sbatch job.slurm",
        "expected": [f"results/{name}.{end}" for name in text for end in ("xml", "out")],
        "structure": cells.described(small), "space_group": group, "cubic_cells": cubic, "relax": relax,
        "scales": scales, "titles": {name: _title(name, body) for name, body in text.items()}, "k_points": grid,
        "settings": settings, "threshold_ha": threshold_ry * len(names) / 2, "tested_with": "pw.x 6.7",
        "pseudopotentials": _used(paths, upf, hint, folder == pseudopotentials.TUTORIAL),
    }  # fmt: skip
    made = {f"{name}.in": body.replace("@TITLE@", _title(name, body)) for name, body in text.items()}
    made["ladder.txt"] = ladder.table("qe", {"degauss": smearing_ry, "ecutwfc": cutoff, "ecutrho": density})
    made |= {f"pseudo/{paths[one].name}": upf[one] for one in kinds}
    made |= handoff.scripts("qe", candidate["name"], minutes)
    return handoff.Handoff(made, manifest, {**settings, "upf": {one: upf[one].sha256 for one in kinds}})


def _cutoffs_of(paths: dict, hint: dict, wave_ry: float | None, density_ry: float | None) -> tuple[float, float]:
    """Choose the cut-offs of waves and density: those asked for, else the largest that is recommended, in Ry."""
    known = [about["wave_ry"] for about in hint.values() if "wave_ry" in about]
    if wave_ry is None and len(known) < len(paths):
        lacking = ", ".join(one for one in paths if "wave_ry" not in hint[one])
        raise BadItem(f"no cut-off is recommended for {lacking}; set 'cutoff_ry'")
    wave = float(wave_ry if wave_ry is not None else max(known))
    headers = [pseudopotentials.header(path) for path in paths.values()]
    soft = any("t" in about.get(key, "f").lower() for about in headers for key in ("is_ultrasoft", "is_paw"))
    told = [about.get("density_ry", 0.0) for about in hint.values()]
    return wave, float(density_ry or max([*told, (8 if soft else 4) * wave]))


def _used(paths: dict, upf: dict, hint: dict, tutorial: bool) -> dict:
    """Say in a manifest which pseudopotential every element has, and what they are worth."""
    grade = TUTORIAL if tutorial else "as its folder"
    return {
        one: {"file": path.name, "sha256": upf[one].sha256, "md5": upf[one].md5, "cutoff": hint[one], "grade": grade}
        for one, path in paths.items()
    }


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


def _belongs(found: dict, text: str, manifest: dict, name: str) -> list[str]:
    """Say why an output is not that of the input that was handed over."""
    said = []
    if found["title"] != manifest["titles"][name]:
        said.append(
            f"stale or foreign: its title is '{found['title']}', that of the input '{manifest['titles'][name]}'"
        )
    from matlens.crystal.compositions import SYMBOLS

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
            kept[name] = qe_output.read_xml(results[f"{name}.xml"])
        except (BadItem, AttributeError, ValueError, TypeError) as error:
            said.append(
                f"{name}: {error}" if isinstance(error, BadItem) else f"{name}: the XML lacks what it should have"
            )
            continue
        wrong = [*_belongs(kept[name], text, manifest, name), *qe_output.problems(kept[name], text)]
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
