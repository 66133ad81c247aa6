"""Compare the settings of a run of VASP with those of its input: every tag of INCAR, k points, potentials, charge."""

from collections.abc import Mapping

import numpy as np

from matlens.store import io
from matlens.validate import cells

# Tags that change no converged energy: cost, output, mixing, bands beyond the occupied, and what is judged elsewhere.
NEUTRAL = {
    "SYSTEM", "ISTART", "INIWAV", "NCORE", "NPAR", "KPAR", "NSIM", "NBLK", "LPLANE", "LSCALAPACK", "LSCALU",
    "LSCAAWARE", "LASYNC", "LWAVE", "LCHARG", "LVTOT", "LVHAR", "LELF", "LAECHG", "LPARD", "LORBIT", "NEDOS",
    "EMIN", "EMAX", "EFERMI", "RWIGS", "LOPTICS", "LH5", "LVACPOTAV", "NWRITE", "NBANDS", "NELM", "NELMIN",
    "NELMDL", "ALGO", "IALGO", "LDIAG", "LSUBROT", "TIME", "WEIMIN", "EBREAK", "DEPER", "NRMM", "AMIX", "BMIX",
    "AMIN", "AMIX_MAG", "BMIX_MAG", "IMIX", "MAXMIX", "LMAXMIX", "LMIXTAU", "LMAXTAU", "WC", "INIMIX", "MIXPRE",
    "MREMOVE", "ISYM", "SYMPREC", "POTIM", "NFREE", "SMASS", "NBLOCK", "KBLOCK", "IWAVPR", "LCORR", "LDAUPRINT",
    "MAXMEM", "LORBITALREAL", "LMUSIC", "NSW", "IBRION", "EDIFF", "EDIFFG", "ENCUT", "ENMAX", "ENAUG", "SIGMA",
    "NTHREADS_HI", "NTHREADS_MID", "NTHREADS_LO", "NCORE_IN_IMAGE1", "KSPACING", "TEBEG", "TEEND", "LPEAD",
    "LCALCPOL", "LEFG", "NCSHMEM", "LUSENCCL", "LHYPERFINE", "LNABLA", "CSHIFT", "NPACO", "APACO", "LWAVEH5",
    "LCHARGH5", "KPUSE", "IBAND", "EINT", "NBMOD", "LSEPB", "LSEPK", "LWANNIER90", "LKPOINTS_OPT",
}  # fmt: skip
DEFAULTS = {  # tags that change what an energy means, with what VASP takes if none is set
    "ISPIN": (1,), "ISMEAR": (1,), "LDAU": (False,), "METAGGA": ("--", "NONE", "F", "FALSE"), "IVDW": (0,),
    "LUSE_VDW": (False,), "LHFCALC": (False,), "LRHFCALC": (False,), "LMODELHF": (False,), "LTHOMAS": (False,),
    "LNONCOLLINEAR": (False,), "LSORBIT": (False,), "LSPIRAL": (False,), "NUPDOWN": (-1,), "ICHARG": (0, 1, 2),
    "PSTRESS": (0,), "LSOL": (False,), "EFIELD": (0,), "LDIPOL": (False,), "IDIPOL": (0,), "LMONO": (False,),
    "I_CONSTRAINED_M": (0,), "NKRED": (1,), "NKREDX": (1,), "NKREDY": (1,), "NKREDZ": (1,), "LASPH": (False,),
    "ADDGRID": (False,), "AGGAC": (1,), "ALDAC": (1,), "HFSCREEN": (0,), "GGA_COMPAT": (True,), "SCALEE": (1,),
    "LEPSILON": (False,), "KGAMMA": (True,),
}  # fmt: skip
PAIRED = {  # a tag that means something only with another, which is judged itself
    "KGAMMA": "KSPACING", "DIPOL": "IDIPOL", "SAXIS": "LSORBIT",
    **dict.fromkeys(("LDAUTYPE", "LDAUL", "LDAUU", "LDAUJ"), "LDAU"),
}  # fmt: skip
OWN_SHARES = {"AGGAC": "METAGGA", "ALDAC": "METAGGA"}  # a tag that means nothing with another
RELAXATIONS = (1, 2, 3)  # values of IBRION that seek a minimum
FROZEN = (-1, 2, 3, 4)  # values of IALGO that keep wave functions or density
ITERATED = "NVFADCE"  # first letters of ALGO that iterate to self-consistency
NOT_ITERATED = ("NONE", "NOTHING", "EIGENVAL", "CHI", "ACFDT", "RPA", "EVGW", "G0W0", "SCGW")
OWN_GGA = {"PBE": ("PE",), "PW91": ("91",), "LDA": ("CA",)}  # the tag GGA that a family of potentials implies
FAMILIES = {"PBE": ("PAW_PBE",), "LDA": ("PAW", "PAW_LDA"), "PW91": ("PAW_GGA",)}  # how their titles begin


def _plain(value):
    """Return a setting as numbers if it is numeric, else as a word in capitals."""
    try:
        return [float(one) for one in np.atleast_1d(value)]
    except (TypeError, ValueError):
        return str(value).strip().upper()


def _said(value) -> bool:
    """Return whether a tag that is not known here has a value other than none, false or zero."""
    plain = _plain(value)
    return plain not in ("", "--", "NONE", "F", "A") if isinstance(plain, str) else any(plain)


def _projectors(value) -> str:
    """Return the first letter of LREAL: F, A (Auto) or T (On, True; outputs that know no more say it of Auto too)."""
    word = str(value).strip(" .").upper()[:1]
    return "T" if word in ("O", "1") else "F" if word == "0" else word


def _tags(asked: Mapping, used: Mapping, named: Mapping) -> list[str]:
    """List the tags that differ. asked: INCAR handed over; used: all that the run reports; named: by its INCAR."""
    said = []
    for key in dict.fromkeys([*asked, *DEFAULTS, *named]):
        if key in NEUTRAL or key in ("LREAL", "PREC", "GGA", "ISIF", "NELECT", "MAGMOM"):
            continue
        want, had = asked.get(key), used.get(key)
        if want is not None:
            known = key in used or (key in DEFAULTS and _plain(want) not in [_plain(one) for one in DEFAULTS[key]])
            said += [f"{key} was {had}, not {want}"] if known and _plain(had) != _plain(want) else []
        elif (PAIRED.get(key) and not asked.get(PAIRED[key])) or OWN_SHARES.get(key) in asked:
            continue
        elif key in DEFAULTS:
            plain = had in (None, "") or _plain(had) in [_plain(one) for one in DEFAULTS[key]]
            said += [] if plain else [f"{key} was {had}, which was not asked for"]
        elif _said(had):
            said.append(f"{key} was {had}, which was not asked for")
    return said


def _words(asked: Mapping, used: Mapping) -> list[str]:
    """List tags that VASP reads by a letter, or whose value the set leaves to it, and that differ."""
    said = []
    projectors = _projectors(used.get("LREAL", False)), _projectors(asked.get("LREAL", False))
    if projectors[0] != projectors[1] and projectors != ("T", "A"):
        said.append(f"LREAL was {used['LREAL']}, not {asked.get('LREAL', False)}")
    if used.get("PREC") is not None:
        wanted = str(asked.get("PREC", "Normal"))
        if str(used["PREC"]).strip().upper()[:1] != wanted[:1].upper():
            said.append(f"PREC was {used['PREC']}, not {wanted}")
    method = str(used.get("ALGO") or "Normal").strip().upper()
    if method[:1] not in ITERATED or any(one.startswith(method) and len(method) > 1 for one in NOT_ITERATED):
        said.append(f"ALGO was {used['ALGO']}, which does not iterate to self-consistency")
    elif used.get("IALGO") in FROZEN:
        said.append(f"IALGO was {used['IALGO']}, which does not iterate to self-consistency")
    if "MAGMOM" in asked and used.get("MAGMOM") is not None and _plain(used["MAGMOM"]) != _plain(asked["MAGMOM"]):
        said.append("MAGMOM, the moments to begin with, was another than was asked for")
    elif "MAGMOM" not in asked and used.get("ISPIN") == 2 and not set(np.ravel(used.get("MAGMOM", 1.0))) <= {1.0}:
        said.append("MAGMOM was set, which was not asked for")
    return said


def _relaxation(asked: Mapping, used: Mapping) -> list[str]:
    """List how a run moved atoms and cell otherwise than was asked."""
    steps = asked.get("NSW") or 0
    if not steps:
        return ["its atoms were moved, which was not asked for"] if used.get("NSW") and used.get("IBRION") != -1 else []
    if not used.get("NSW"):
        return ["its atoms were not relaxed, as was asked"]
    said = []
    if used.get("IBRION") is not None and used["IBRION"] not in RELAXATIONS and asked.get("IBRION") in RELAXATIONS:
        said.append(f"IBRION was {used['IBRION']}, which is no relaxation")
    if used.get("ISIF") is not None and used["ISIF"] != asked.get("ISIF", 2):
        said.append(f"ISIF was {used['ISIF']}, not {asked.get('ISIF', 2)}")
    return said


def _fine(asked: Mapping, used: Mapping) -> list[str]:
    """List thresholds, widths and spacings that were coarser than asked."""
    said = []
    for key in ("EDIFF", "KSPACING", "SIGMA"):
        want, had = asked.get(key), used.get(key)
        if want is not None and not (had is not None and 0 < had <= 1.001 * want):
            said.append(f"{key} was {had}, not {want}")
    want, had = asked.get("ENCUT"), used.get("ENCUT") or used.get("ENMAX")
    if want and (not had or had < 0.999 * want):
        said.append(f"the cut-off was {had} eV, not {want} eV")
    return said


def _mesh(manifest: Mapping, found: Mapping) -> list[str]:
    """List how the mesh of k points differs from that of KPOINTS, or from that of KSPACING where there is no such file.

    Source: manual of VASP, KSPACING: N = max(1, ceil(|b| / KSPACING)), with 2 pi in b.
    """
    spacing, mesh = manifest["settings"].get("KSPACING"), found["k_points"]
    if manifest["k_points"]:
        if mesh != manifest["k_points"]:
            return [f"the k points were {mesh}, not {manifest['k_points']}"]
        if manifest.get("k_offset") and found["k_offset"] != manifest["k_offset"]:
            style, shift = found["k_offset"] or ("", [])
            return [f"the mesh of k points was of style {style} with offset {shift}, not {manifest['k_offset']}"]
    elif spacing and mesh is not None:
        wanted = cells.mesh(found["start"].lattice.matrix, 1.001 * spacing)
        if len(mesh) != 3 or any(one < other for one, other in zip(mesh, wanted, strict=True)):
            return [f"the k points were {mesh}, not {wanted} by KSPACING: a file KPOINTS was there"]
    return []


def _potentials(manifest: Mapping, found: Mapping) -> list[str]:
    """List how the pseudopotentials differ, by name, order and family; their titles have no release of the family."""
    words = [name.split() for name in found["potentials"]]
    used = [one[1] if len(one) > 1 else one[0] for one in words]
    if used != list(manifest["pseudopotentials"]):
        return [f"pseudopotentials {' '.join(used)}, not {' '.join(manifest['pseudopotentials'])}"]
    family = FAMILIES.get(str(manifest.get("functional", "")).split("_")[0].upper())
    other = [one for one in words if len(one) > 1 and family and one[0] not in family]
    if other and not all("".join(one) in _titles(manifest["functional"]) for one in other):
        return [f"pseudopotentials of the family {' '.join(sorted({one[0] for one in other}))}, not {family[0]}"]
    return []


def _titles(functional: str) -> set[str]:
    """Return the titles of a release, without blanks: a few in one of PBE begin with the word of another family."""
    from pymatgen.io.vasp.inputs import POTCAR_STATS_PATH

    return set(io.read_json(POTCAR_STATS_PATH).get(functional, ()))


def of_elements(symbols: list[str], potentials: list[str], settings: Mapping) -> dict[str, str]:
    """Return for each element what its energies depend on alone: its potential and the terms of DFT+U.

    Energies with and without U do not compare: an oxide of iron by U lies eV per iron off iron without it.
    """
    made = {}
    for at, (symbol, name) in enumerate(zip(symbols, potentials, strict=True)):
        terms = [f"{key} {float(settings[key][at]):g}" for key in ("LDAUL", "LDAUU", "LDAUJ") if key in settings]
        on = settings.get("LDAU") and any(settings[key][at] for key in ("LDAUU", "LDAUJ") if key in settings)
        made[symbol] = " ".join([name, *(terms if on else [])])
    return made


def comparable(found: Mapping) -> dict[str, str]:
    """Return for each element of a run the cut-off and the title of the potential: energies of other ones differ."""
    used = {**found["parameters"], **found["incar"]}
    kinds = dict.fromkeys(site.specie.symbol for site in found["final"])
    cutoff = float(used.get("ENCUT") or used.get("ENMAX") or np.nan)
    return {one: f"{cutoff:g} eV, {title}" for one, title in zip(kinds, found["potentials"], strict=False)}


def differences(manifest: Mapping, found: Mapping) -> list[str]:
    """List the settings of a run that bear on its energy and are not those that were handed over."""
    asked, used = manifest["settings"], {**found["parameters"], **found["incar"]}
    said = _fine(asked, used) + _tags(asked, used, found["incar"]) + _words(asked, used) + _relaxation(asked, used)
    functional, own = used.get("GGA"), OWN_GGA.get(str(manifest.get("functional", "")).split("_")[0].upper(), ())
    if functional is not None and asked.get("GGA") is not None:
        said += [f"GGA was {functional}, not {asked['GGA']}"] if _plain(functional) != _plain(asked["GGA"]) else []
    elif functional is not None and own and _plain(functional) not in ("", "--", "NONE", *own):
        said.append(f"GGA was {functional}, which was not asked for")
    if asked.get("NELECT") is not None and used.get("NELECT") != asked["NELECT"]:
        said.append(f"NELECT was {used.get('NELECT')}, not {asked['NELECT']}")
    elif asked.get("NELECT") is None and abs(found["charge"]) > 1e-3:
        said.append(f"the cell had the total charge {found['charge']:+g} e, which was not asked for")
    if found["fixed"]:
        said.append("atoms were held (selective dynamics), which was not asked for")
    return said + _mesh(manifest, found) + _potentials(manifest, found)
