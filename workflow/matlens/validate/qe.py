"""Quantum ESPRESSO: write inputs of pw.x over the volumes of an equation of state, and judge its outputs.

Neither JOB DONE nor the exit status nor a flag proves that a run converged: pw.x 6.7 writes all three for runs that did
not (`scf_must_converge=.false.`). The judge checks the residual in the XML, the energy in both outputs, the structure,
settings and pseudopotentials that the output names, and the physics of the result.
"""

import re

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.validate import cells, elastic, eos, error_handlers, fits, handoff, pseudopotentials, qe_output, series

LOW = 0.999  # part of the recommended cut-off that counts as that cut-off
ALIKE = ("cutoff_ry", "density_cutoff_ry", "degauss_ry", "smearing", "k_points", "functional", "version")
TUTORIAL = "tutorial: for trying, not for results"
RELAXATION = {  # forces of strained cells are small, and so are those that are left
    False: ("  forc_conv_thr = 1e-4", "  etot_conv_thr = 1e-5"),
    True: ("  forc_conv_thr = 2e-5", "  etot_conv_thr = 1e-7"),
}
CALCULATIONS = {(False, False): "scf", (False, True): "relax", (True, False): "vc-relax", (True, True): "vc-relax"}


def prepare(
    candidate: dict, crystal: Crystal, *, run: bool | None = None, minutes: int = 240,
    pseudopotential_folder: str | None = None, files: dict | None = None, hints: str = "auto", functional: str = "PBE",
    cutoff_ry: float | None = None, density_cutoff_ry: float | None = None, k_spacing_per_a: float = 0.2,
    smearing: str = "gaussian", smearing_ry: float = 0.02, spin: bool | None = None, relax: bool | None = None,
    points: int = 7, strain: float = 0.03, threshold_ry: float = 1e-9, convergence: dict | None = None,
    elastic_strains: list | None = None,
) -> handoff.Handoff:  # fmt: skip
    """Write the inputs of pw.x for the energies of a crystal at several volumes.

    cutoff_ry: plane-wave cut-off; None: the largest recommended for an element. spin None: for elements that are often
    magnetic. relax: shape of the cell and positions at every volume; None: what symmetry leaves free. threshold_ry: per
    atom. convergence: {setting: values} of a series at the middle volume. elastic_strains: magnitudes; None: no elastic
    constants. Raises BadItem if a pseudopotential or a cut-off is missing.
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
        "smearing": smearing,
    }  # fmt: skip
    free = cells.free_parameters(small)
    moves = cells.moves(free, relax)
    grid = cells.mesh(small.cell, k_spacing_per_a)
    planned, scales = series.plan(convergence), fits.scales(points, strain)
    scales = {f"v{number:02d}": float(scale) for number, scale in enumerate(scales)}
    asked = {"settings": settings, "scales": scales, "moves": moves, "k_points": grid, "series": planned}
    asked["series_k_points"] = {
        name: cells.mesh(small.cell, one["k_spacing_per_a"]) if "k_spacing_per_a" in one else grid
        for name, one in planned.items()
    }
    asked["strained"] = elastic.plan(small, elastic_strains)
    names_of_runs = [*scales, *planned, *asked["strained"]]
    text = {name: _input(small, names, paths, _asked(asked, name), threshold_ry) for name in names_of_runs}
    upf = {one: pseudopotentials.shared(paths[one]) for one in kinds}
    manifest = {
        **handoff.described(candidate, "qe"),
        "what": f"energies of {candidate['formula']} at {points} volumes, by pw.x",
        "run": "sh run.sh, or sbatch job.slurm",
        "expected": [f"results/{name}.{end}" for name in text for end in ("xml", "out")],
        "structure": cells.described(small), "space_group": group, "cubic_cells": cubic,
        "relax": any(moves.values()), "free": free, "note": cells.unrelaxed(free, moves), **asked,
        "titles": {name: _title(name, body) for name, body in text.items()}, "tested_with": "pw.x 6.7",
        "threshold_ha": threshold_ry * len(names) / 2,
        "pseudopotentials": _used(paths, upf, hint, folder == pseudopotentials.TUTORIAL),
    }  # fmt: skip
    made = {f"{name}.in": body.replace("@TITLE@", _title(name, body)) for name, body in text.items()}
    made["ladder.txt"] = error_handlers.table("qe", {"degauss": smearing_ry, "ecutwfc": cutoff, "ecutrho": density})
    made |= {f"pseudo/{paths[one].name}": upf[one] for one in kinds}
    made |= handoff.scripts("qe", candidate["name"], minutes)
    return handoff.Handoff(made, manifest, {**settings, "potentials": {one: upf[one].sha256 for one in kinds}})


def _cutoffs_of(paths: dict, hint: dict, wave_ry: float | None, density_ry: float | None) -> tuple[float, float]:
    """Choose the cut-offs of waves and density: those asked for, else the largest that is recommended, in Ry."""
    known = [about["wave_ry"] for about in hint.values() if "wave_ry" in about]
    if wave_ry is None and len(known) < len(paths):
        lacking = ", ".join(one for one in paths if "wave_ry" not in hint[one])
        raise BadItem(f"no cut-off is recommended for {lacking}; set 'cutoff_ry'")
    wave = float(wave_ry if wave_ry is not None else max(known))
    headers = [pseudopotentials.header(path) for path in paths.values()]
    soft = any("t" in about.get(key, "f").lower() for about in headers for key in ("is_ultrasoft", "is_paw"))
    recommended = [about.get("density_ry", 0.0) for about in hint.values()]
    return wave, float(density_ry or max([*recommended, (8 if soft else 4) * wave]))


def _used(paths: dict, upf: dict, hint: dict, tutorial: bool) -> dict:
    """Return the entries of a manifest on the pseudopotential of every element and its quality."""
    grade = TUTORIAL if tutorial else "as its folder"
    return {
        one: {"file": path.name, "sha256": upf[one].sha256, "md5": upf[one].md5, "cutoff": hint[one], "grade": grade}
        for one, path in paths.items()
    }


def _title(name: str, body: str) -> str:
    """Make the title that pw.x echoes in its XML: it identifies the input of an output."""
    return f"matlens {handoff.fingerprint(body)[:20]} {name}"


def _input(small: Crystal, names: list[str], paths: dict, settings: dict, threshold_ry: float) -> str:
    """Write one input of pw.x. settings: as `_asked` returns them; vc-relax keeps the volume (cell_dofree)."""
    from pymatgen.core import Element

    crystal, kinds, grid = cells.scaled(small, settings["scale"]), list(paths), settings["k_points"]
    if settings["structure"]:
        crystal = cells.crystal_of(settings["structure"])
    calculation = CALCULATIONS[settings["shape"], settings["positions"]]
    start = _starts(kinds, settings["spin"])
    moments = [f"  starting_magnetization({k + 1}) = {start[one]}" for k, one in enumerate(start)]
    width = f"  degauss = {settings['smearing_ry']:g}"
    smeared = ["  occupations = 'smearing'", f"  smearing = '{settings['smearing']}'", width]
    lines = [
        "&control", f"  calculation = '{calculation}'", "  title = '@TITLE@'", "  prefix = 'x'",
        "  pseudo_dir = './pseudo'", "  outdir = './out'", "  tprnfor = .true.", "  tstress = .true.",
        "  restart_mode = 'from_scratch'",
        "  max_seconds = 1e7", *RELAXATION[bool(settings["structure"])], "/",
        "&system", "  ibrav = 0", f"  nat = {len(names)}", f"  ntyp = {len(kinds)}",
        f"  ecutwfc = {settings['cutoff_ry']:g}", f"  ecutrho = {settings['density_cutoff_ry']:g}",
        f"  nspin = {2 if settings['spin'] else 1}", *moments, *(smeared if settings["smearing_ry"] else []),
        "/",
        "&electrons", f"  conv_thr = {threshold_ry * len(names):.3e}", "  mixing_beta = 0.7", "  mixing_mode = 'plain'",
        "  diagonalization = 'david'", "  electron_maxstep = 100", "/",
        *(["&ions", "/"] if calculation != "scf" else []),
        *(["&cell", "  cell_dofree = 'shape'", "  press_conv_thr = 0.5", "/"] if calculation == "vc-relax" else []),
        "ATOMIC_SPECIES", *(f"{one} {float(Element(one).atomic_mass):.4f} {paths[one].name}" for one in kinds),
        "CELL_PARAMETERS angstrom", *(" ".join(f"{x:.10f}" for x in row) for row in crystal.cell),
        "ATOMIC_POSITIONS crystal",
        *(f"{one} " + " ".join(f"{x:.10f}" for x in row) for one, row in zip(names, crystal.frac, strict=True)),
        "K_POINTS automatic", " ".join(map(str, grid)) + " 0 0 0",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _starts(kinds: list[str], spin: bool) -> dict[str, float]:
    """Return the magnetisation of each element that a run begins with; {} without spin."""
    from pymatgen.core import Element

    return {one: 0.5 if Element(one).Z in cells.MAGNETIC else 0.0 for one in kinds} if spin else {}


def _asked(manifest: dict, name: str) -> dict:
    """Return what one run was asked for: scale or strained structure, settings, k points and moves."""
    settings, one = {**manifest["settings"], "structure": None, "exact": False}, manifest.get("series", {}).get(name)
    if name in manifest.get("strained", {}):
        planned = manifest["strained"][name]
        return {**settings, "structure": planned["structure"], "scale": 1.0, "k_points": manifest["k_points"],
                "shape": False, "positions": planned["positions"]}  # fmt: skip
    if one is None:
        moves = manifest.get("moves") or {"shape": False, "positions": manifest["relax"]}
        return {**settings, **moves, "scale": manifest["scales"][name], "k_points": manifest["k_points"]}
    wave = one.get("cutoff_ry", settings["cutoff_ry"])
    density = settings["density_cutoff_ry"] * wave / settings["cutoff_ry"]
    grid = manifest["series_k_points"][name]
    return {**settings, "cutoff_ry": wave, "density_cutoff_ry": density, "scale": 1.0, "k_points": grid,
            "exact": "cutoff_ry" in one, "shape": False, "positions": False}  # fmt: skip


def _belongs(found: dict, text: str, manifest: dict, name: str) -> list[str]:
    """List the reasons why an output does not belong to the input that was handed over."""
    from matlens.crystal.compositions import SYMBOLS

    said, asked = [], _asked(manifest, name)
    if found["title"] != manifest["titles"][name]:
        said.append(
            f"stale or foreign: its title is '{found['title']}', that of the input '{manifest['titles'][name]}'"
        )
    species = [SYMBOLS.index(one) + 1 if one in SYMBOLS else 0 for one in found["symbols"]]
    wrong = cells.difference(
        asked["structure"] or manifest["structure"], asked["scale"], found["cell"], species, found["frac"],
        asked["positions"], asked["shape"],
    )  # fmt: skip
    said += [f"wrong structure: {wrong}"] if wrong else []
    if asked["structure"] and not wrong:
        said += elastic.misplaced(manifest["strained"][name], found["cell"])
    used = re.findall(r"MD5 check sum:\s*([0-9a-f]{32})", text)
    for one, about in manifest["pseudopotentials"].items():
        if found["pseudopotentials"].get(one) != about["file"] or about["md5"] not in used:
            said.append(f"another pseudopotential of {one} than {about['file']} was used, or its checksum is missing")
    if (asked["shape"] or asked["positions"]) and found["opt"] is None:
        said.append("atoms or cell were not relaxed, as was asked")
    return said + _settings(found, asked, manifest["threshold_ha"])


def _settings(found: dict, asked: dict, threshold_ha: float) -> list[str]:
    """List the settings of an output that differ from those asked for."""
    said = []
    if not found["cutoff_ry"] >= LOW * asked["cutoff_ry"] or (
        asked.get("exact") and not found["cutoff_ry"] <= asked["cutoff_ry"] / LOW
    ):
        said.append(f"the cut-off was {found['cutoff_ry']:g} Ry, not {asked['cutoff_ry']:g} Ry")
    if not found["density_cutoff_ry"] >= LOW * asked["density_cutoff_ry"]:
        used, wanted = found["density_cutoff_ry"], asked["density_cutoff_ry"]
        said.append(f"the cut-off of the density was {used:g} Ry, not {wanted:g} Ry")
    kind = asked.get("smearing", "cold")  # hand-offs of matlens 0.1 name no kind
    wide = found["degauss_ry"]
    if not LOW * asked["smearing_ry"] <= wide <= 1.01 * error_handlers.WIDER * asked["smearing_ry"]:
        said.append(f"the smearing was {found['degauss_ry']:g} Ry, not {asked['smearing_ry']:g} Ry")
    elif asked["smearing_ry"] > 0 and found["smearing"] != kind:
        said.append(f"the smearing was of the kind '{found['smearing'] or 'none'}', not {kind}")
    if not pseudopotentials.same_functional(found["functional"], asked["functional"]):
        said.append(f"the functional was '{found['functional']}', not {asked['functional']}")
    if found["k_points"] != asked["k_points"]:
        said.append(f"the k points were {found['k_points']}, not {asked['k_points']}")
    elif any(found["k_offset"]):
        said.append(f"the mesh of k points had the offset {found['k_offset']}, not [0, 0, 0]")
    if not 0 < found["threshold_ha"] <= 1.01 * threshold_ha:
        said.append(f"the threshold of self-consistency was {found['threshold_ha']:.1e} Ha, not {threshold_ha:.1e} Ha")
    starts = _starts(list(found["starts"]), asked["spin"])
    if found["spin"] != asked["spin"]:
        said.append("spin was treated in another way than was asked")
    elif any(abs(value - found["starts"][one]) > 1e-6 for one, value in starts.items()):
        said.append(f"the magnetisation to begin with was {found['starts']}, not {starts}")
    return said + [f"the run had a setting that was not asked for: {key} {one}" for key, one in found["extras"].items()]


def _read(manifest: dict, results: dict) -> tuple[dict[str, dict], list[str]]:
    """Read the runs of all volumes and of the series; returns them by name, and the reasons against each."""
    kept, said = {}, []
    for name in [*manifest["scales"], *manifest.get("series", {}), *manifest.get("strained", {})]:
        if f"{name}.xml" not in results or f"{name}.out" not in results:
            said.append(f"{name}: its outputs are missing")
            continue
        text = results[f"{name}.out"].decode("utf-8", "replace")
        try:
            kept[name] = qe_output.read_xml(results[f"{name}.xml"])
        except (BadItem, AttributeError, ValueError, TypeError, IndexError) as error:
            said.append(f"{name}: {error if isinstance(error, BadItem) else 'the XML lacks parts or is damaged'}")
            continue
        wrong = [*_belongs(kept[name], text, manifest, name), *qe_output.problems(kept[name], text)]
        said += [f"{name}: {one}" for one in wrong]
    return kept, said


def judge(
    manifest: dict, results: dict, *, force_ev_a: float = 0.05, stress_gpa: float = 2.0, fit_mev_per_atom: float = 1.0
) -> dict:
    """Judge the runs of pw.x over an equation of state, and of a convergence series if there is one."""
    kept, said = _read(manifest, results)
    planned = manifest.get("series", {})
    runs = {
        name: eos.Run(
            abs(np.linalg.det(one["cell"])), one["energy_ev"], one["force_ev_a"], one["stress_gpa"],
            one["magnetisation"], one["absolute"],
        )
        for name, one in kept.items()
        if name in manifest["scales"]
    }  # fmt: skip
    strained = {name: kept[name] for name in manifest.get("strained", {}) if name in kept}
    plain = {name: kept[name] for name in runs}
    said += _uneven({**plain, **strained}) + _cutoffs(manifest, {**plain, **strained})
    said += [] if len(kept) == len(plain) else _uneven(kept, ("degauss_ry", "smearing", "functional", "version"))
    atoms = len(manifest["structure"]["species"])
    energies = {name: kept[name]["energy_ev"] / atoms for name in planned if name in kept}
    meshes = {name: str(grid) for name, grid in manifest.get("series_k_points", {}).items()}
    said += series.problems(planned, energies, meshes)
    more, notes = series.conclude(planned, energies, manifest["settings"], fit_mev_per_atom, meshes)
    note = "; ".join(filter(None, [_note(manifest), manifest.get("note", ""), *notes]))
    outcome = eos.conclude(manifest, said, runs, force_ev_a, stress_gpa, fit_mev_per_atom, note)
    outcome = qe_output.unsmeared(outcome, plain, atoms)
    states = {
        name: elastic.State(one["stress_gpa"], one["force_ev_a"], one["magnetisation"], one["energy_ev"])
        for name, one in strained.items()
    }
    outcome = elastic.judge({**outcome, "values": {**outcome["values"], **more}}, manifest, states)
    waves = {f"{one['cutoff_ry']:g} and {one['density_cutoff_ry']:g} Ry" for one in plain.values()}
    return {**outcome, "used": dict.fromkeys(manifest["pseudopotentials"], ", ".join(sorted(waves)))}


def _uneven(kept: dict, keys: tuple = ALIKE) -> list[str]:
    """List the settings that differ among the volumes: their energies cannot be compared."""
    said = []
    for key in keys:
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
    """Return the cautions of an accepted result on its pseudopotentials."""
    about = manifest["pseudopotentials"]
    tutorial = [one for one in about if about[one]["grade"].startswith("tutorial")]
    unknown = [one for one in about if "wave_ry" not in about[one]["cutoff"]]
    said = [f"tutorial pseudopotentials of {', '.join(tutorial)}"] if tutorial else []
    said += [f"no cut-off is recommended for {', '.join(unknown)}"] if unknown else []
    return "; ".join(said)
