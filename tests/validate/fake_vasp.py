"""A stand-in for VASP in tests of run.sh and of the judge: reads its inputs, answers with a relaxation in one step.

FAKE_VASP says how it behaves: nothing, or words among `unconverged` (as many electronic steps as are allowed, and flags
that say otherwise), `stubborn` (the same, until ALGO is All), `cut` (its XML ends early), `slow` (takes a first step,
of half a percent, and waits until STOPCAR tells it to stop), `torn` (the same, and is stopped while it writes CONTCAR).
"""

import os
import time
from pathlib import Path


def field(name: str, value) -> str:
    kind = {bool: ' type="logical"', int: ' type="int"', str: ' type="string"'}.get(type(value), "")
    word = ("T" if value else "F") if isinstance(value, bool) else value
    return f'<i{kind} name="{name}">{word}</i>'


def vectors(name: str, rows) -> str:
    return f'<varray name="{name}">' + "".join(f"<v>{' '.join(map(str, row))}</v>" for row in rows) + "</varray>"


def structure(name: str, cell: list, places: list) -> str:
    basis = f"<crystal>{vectors('basis', cell)}</crystal>"
    return f'<structure name="{name}">{basis}{vectors("positions", places)}</structure>'


def read() -> tuple[dict, list, list[str], list, list[str]]:
    """Read INCAR, POSCAR (scale 1, symbols, direct) and KPOINTS (a mesh), as they are handed over."""
    incar = dict(line.split(" = ") for line in Path("INCAR").read_text().splitlines() if " = " in line)
    lines = [line.split() for line in Path("POSCAR").read_text().splitlines()]
    symbols = [one for one, count in zip(lines[5], lines[6], strict=True) for _ in range(int(count))]
    places = [line[:3] for line in lines[8 : 8 + len(symbols)]]
    return incar, lines[2:5], symbols, places, Path("KPOINTS").read_text().splitlines()[3].split()[:3]


def stopped(cell: list, torn: bool) -> None:
    """Write where the atoms are after a step, and wait for STOPCAR."""
    lines = Path("POSCAR").read_text().splitlines()
    lines[2:5] = [" ".join(str(1.005 * float(x)) for x in row) for row in cell]
    Path("CONTCAR").write_text("\n".join(lines[:-1] if torn else lines) + "\n")
    Path("../began").touch()
    while not Path("STOPCAR").exists():
        time.sleep(0.05)


def main() -> None:
    how = os.environ.get("FAKE_VASP", "").split()
    incar, cell, symbols, places, grid = read()
    if {"slow", "torn"} & set(how):
        stopped(cell, torn="torn" in how)
        return
    potentials = [line for line in Path("POTCAR").read_text().splitlines() if line]
    nelm, count = int(incar.get("NELM", 60)), len(symbols)
    kinds = list(dict.fromkeys(symbols))
    wrong = "unconverged" in how or ("stubborn" in how and str(incar["ALGO"]).lower() != "all")
    steps, energy = nelm if wrong else 5, -5.4 * count
    told = {"SYSTEM": str(incar["SYSTEM"]), "EDIFF": float(incar["EDIFF"]), "ISPIN": int(incar["ISPIN"])}
    told |= {"ALGO": incar["ALGO"], "PREC": incar["PREC"], "LREAL": incar["LREAL"], "ISIF": int(incar["ISIF"])}
    used = {"ENMAX": float(incar["ENCUT"]), "NELM": nelm, "NSW": int(incar["NSW"]), "IBRION": int(incar["IBRION"])}
    used |= {"EDIFF": told["EDIFF"], "ISPIN": told["ISPIN"], "LDAU": "LDAU" in incar, "IALGO": 68, "NELMIN": 2}
    used |= {"ADDGRID": False, "LASPH": incar["LASPH"] == "True", "AGGAC": 1.0, "PSTRESS": 0.0, "ISIF": told["ISIF"]}
    used |= {"ISMEAR": int(incar["ISMEAR"]), "SIGMA": float(incar["SIGMA"]), "NELECT": 4.0 * count, "GGA": "--"}
    used |= {"LUSE_VDW": False, "LHFCALC": False}
    moments = " ".join(each for one in incar["MAGMOM"].split() for n, each in [one.split("*")] for _ in range(int(n)))
    last = "".join(field(name, energy) for name in ("e_fr_energy", "e_wo_entrp", "e_0_energy"))
    atoms = "".join(f"<rc><c>{one}</c><c>{kinds.index(one) + 1}</c></rc>" for one in symbols)
    types = "".join(
        f"<rc><c>{symbols.count(one)}</c><c>{one}</c><c>1.0</c><c>4.0</c><c>{name}</c></rc>"
        for one, name in zip(kinds, potentials, strict=True)
    )
    xml = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<generator>{field("program", "vasp")}{field("version", "6.4.2")}</generator>
<incar>{"".join(field(*one) for one in told.items())}<v name="MAGMOM">{moments}</v></incar>
<kpoints><generation param="Gamma"><v type="int" name="divisions">{" ".join(map(str, grid))}</v></generation>
{vectors("kpointlist", [[0.0, 0.0, 0.0]])}{vectors("weights", [[1.0]])}</kpoints>
<parameters><separator name="general">{"".join(field(*one) for one in used.items())}</separator></parameters>
<atominfo><atoms>{count}</atoms><types>{len(kinds)}</types>
<array name="atoms"><set>{atoms}</set></array><array name="atomtypes"><set>{types}</set></array></atominfo>
{structure("initialpos", cell, places)}
<calculation>{f"<scstep><energy>{last}</energy></scstep>" * steps}
{structure("", cell, places)}{vectors("forces", [[0.0] * 3] * count)}
{vectors("stress", [[0.0] * 3] * 3)}<energy>{last}</energy></calculation>
{structure("finalpos", cell, places)}
</modeling>
"""
    Path("vasprun.xml").write_text(xml[: len(xml) // 2] if "cut" in how else xml)
    Path("OUTCAR").write_text(f"   NELM   =    {nelm};   NELMIN=  2; NELMDL= -5     # of ELM steps\n")
    Path("OSZICAR").write_text("".join(f"DAV: {k:3d}    -0.1E+02\n" for k in range(1, steps + 1)) + "   1 F= -.1E+02\n")


main()
