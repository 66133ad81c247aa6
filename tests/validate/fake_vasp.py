"""A stand-in for VASP in tests of run.sh and of the judge: reads its inputs, answers with a relaxation in one step.

FAKE_VASP says how it behaves: nothing, or words among `unconverged` (as many electronic steps as are allowed, and flags
that say otherwise), `stubborn` (the same, until ALGO is All), `cut` (its XML ends early).
"""

import os
from pathlib import Path

import numpy as np
from pymatgen.io.vasp import Incar, Kpoints, Poscar


def field(name: str, value) -> str:
    kind = {bool: ' type="logical"', int: ' type="int"', str: ' type="string"'}.get(type(value), "")
    word = ("T" if value else "F") if isinstance(value, bool) else value
    return f'<i{kind} name="{name}">{word}</i>'


def vectors(name: str, rows) -> str:
    return f'<varray name="{name}">' + "".join(f"<v>{' '.join(map(repr, row))}</v>" for row in rows) + "</varray>"


def structure(name: str, crystal) -> str:
    cell = f"<crystal>{vectors('basis', crystal.lattice.matrix.tolist())}</crystal>"
    return f'<structure name="{name}">{cell}{vectors("positions", crystal.frac_coords.tolist())}</structure>'


def main() -> None:
    how = os.environ.get("FAKE_VASP", "").split()
    incar, crystal = Incar.from_file("INCAR"), Poscar.from_file("POSCAR").structure
    grid = Kpoints.from_file("KPOINTS").kpts[0]
    potentials = [line for line in Path("POTCAR").read_text().splitlines() if line]
    nelm, symbols = int(incar.get("NELM", 60)), [site.specie.symbol for site in crystal]
    kinds = list(dict.fromkeys(symbols))
    wrong = "unconverged" in how or ("stubborn" in how and str(incar["ALGO"]).lower() != "all")
    steps, energy = nelm if wrong else 5, -5.4 * len(crystal)
    told = {"SYSTEM": str(incar["SYSTEM"]), "EDIFF": float(incar["EDIFF"]), "ISPIN": int(incar["ISPIN"])}
    used = {"ENMAX": float(incar["ENCUT"]), "NELM": nelm, "NSW": int(incar["NSW"]), "IBRION": int(incar["IBRION"])}
    used |= {"EDIFF": told["EDIFF"], "ISPIN": told["ISPIN"], "LDAU": bool(incar.get("LDAU", False))}
    last = "".join(field(name, energy) for name in ("e_fr_energy", "e_wo_entrp", "e_0_energy"))
    atoms = "".join(f"<rc><c>{one}</c><c>{kinds.index(one) + 1}</c></rc>" for one in symbols)
    types = "".join(
        f"<rc><c>{symbols.count(one)}</c><c>{one}</c><c>1.0</c><c>4.0</c><c>{name}</c></rc>"
        for one, name in zip(kinds, potentials, strict=True)
    )
    xml = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<generator>{field("program", "vasp")}{field("version", "6.4.2")}</generator>
<incar>{"".join(field(*one) for one in told.items())}</incar>
<kpoints><generation param="Gamma"><v type="int" name="divisions">{" ".join(map(str, grid))}</v></generation>
{vectors("kpointlist", [[0.0, 0.0, 0.0]])}{vectors("weights", [[1.0]])}</kpoints>
<parameters><separator name="general">{"".join(field(*one) for one in used.items())}</separator></parameters>
<atominfo><atoms>{len(crystal)}</atoms><types>{len(kinds)}</types>
<array name="atoms"><set>{atoms}</set></array><array name="atomtypes"><set>{types}</set></array></atominfo>
{structure("initialpos", crystal)}
<calculation>{f"<scstep><energy>{last}</energy></scstep>" * steps}
{structure("", crystal)}{vectors("forces", np.zeros((len(crystal), 3)).tolist())}
{vectors("stress", np.zeros((3, 3)).tolist())}<energy>{last}</energy></calculation>
{structure("finalpos", crystal)}
</modeling>
"""
    Path("vasprun.xml").write_text(xml[: len(xml) // 2] if "cut" in how else xml)
    Path("OUTCAR").write_text(f"   NELM   =    {nelm};   NELMIN=  2; NELMDL= -5     # of ELM steps\n")
    Path("OSZICAR").write_text("".join(f"DAV: {k:3d}    -0.1E+02\n" for k in range(1, steps + 1)) + "   1 F= -.1E+02\n")


main()
