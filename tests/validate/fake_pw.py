"""A stand-in for pw.x in tests of run.sh: reads an input, answers with an equation of state (Birch-Murnaghan, B' 4).

FAKE_PW says how it behaves: nothing, or words among `masked` (says that it converged, and its residual says that it did
not), `stubborn` (the same, until mixing_beta is 0.2), `crash`, `hungry` (crashes at volumes below 33 Ry), `slow` (waits
for the file by which pw.x is stopped, or for `go` in its folder), `deaf` (the same, and does not look for that file).
"""

import hashlib
import os
import re
import sys
import time
from pathlib import Path

import numpy as np

BOHR, HARTREE = 0.529177210903, 27.211386245988
VOLUME_A3, BULK_GPA, GPA = 40.0, 100.0, 160.2176634


def energy_ev(volume: float) -> float:
    x = (VOLUME_A3 / volume) ** (2 / 3)
    return -200.0 + 9 / 8 * BULK_GPA / GPA * VOLUME_A3 * (x - 1) ** 2


def pressure_gpa(volume: float) -> float:
    x = VOLUME_A3 / volume
    return 1.5 * BULK_GPA * (x ** (7 / 3) - x ** (5 / 3))


def main() -> None:
    how = os.environ.get("FAKE_PW", "").split()
    text = Path(sys.argv[sys.argv.index("-in") + 1]).read_text()
    given = {key: value.strip("'") for key, value in re.findall(r"^\s*(\w+) = (\S.*)$", text, re.M)}
    lines = text.splitlines()
    at = lines.index("CELL_PARAMETERS angstrom")
    cell = np.array([line.split() for line in lines[at + 1 : at + 4]], float)
    atoms = [line.split() for line in lines[at + 5 : at + 5 + int(given["nat"])]]
    at = lines.index("ATOMIC_SPECIES")
    species = [line.split() for line in lines[at + 1 : at + 1 + int(given["ntyp"])]]
    grid = lines[lines.index("K_POINTS automatic") + 1].split()[:3]
    if "crash" in how:
        print("segmentation fault")
        raise SystemExit(139)
    if "hungry" in how and "/v" in sys.argv[-1] and float(given["ecutwfc"]) < 33:
        raise SystemExit(1)
    Path("out/x.save").mkdir(parents=True, exist_ok=True)
    stopped = False
    while {"slow", "deaf"} & set(how) and not Path("go").exists():
        Path("began").touch()
        time.sleep(0.05)
        if "slow" in how and (Path("x.EXIT").exists() or Path("out/x.EXIT").exists()):
            stopped = True
            break
    wrong = "masked" in how or ("stubborn" in how and given["mixing_beta"] != "0.2")
    energy = energy_ev(abs(np.linalg.det(cell))) + 1e-3 / float(given["ecutwfc"]) + 1e-4 / int(grid[0])
    pressure = pressure_gpa(abs(np.linalg.det(cell))) / (HARTREE / BOHR**3 * GPA)
    stress = " ".join(str(pressure if k in (0, 4, 8) else 0.0) for k in range(9))
    done = "<opt_conv><convergence_achieved>true</convergence_achieved></opt_conv>"
    opt = "" if given["calculation"] == "scf" else done
    for _, _, name in species:
        print(f"     MD5 check sum: {hashlib.md5(Path('pseudo', name).read_bytes()).hexdigest()}")
    print("     convergence has been achieved in   2 iterations")
    if stopped:
        print("     Program stopped by user request")
        print("   JOB DONE.")
        raise SystemExit(255)
    print(f"!    total energy              =  {2 * energy / HARTREE:.8f} Ry")
    print("   JOB DONE.")
    threshold = float(given["conv_thr"]) / 2
    places = (
        "".join(
            f'<atom name="{name}" index="{k}">{" ".join(map(repr, np.array(frac, float) @ cell / BOHR))}</atom>'
            for k, (name, *frac) in enumerate(atoms, 1)
        )
        .replace("np.float64(", "")
        .replace(")", "")
    )
    sides = "".join(f"<a{k}>{' '.join(str(x) for x in row)}</a{k}>" for k, row in enumerate(cell / BOHR, 1))
    kinds = "".join(
        f'<species name="{s}"><mass>{m}</mass><pseudo_file>{f}</pseudo_file></species>' for s, m, f in species
    )
    mesh = " ".join(f'nk{k}="{n}" k{k}="0"' for k, n in enumerate(grid, 1))
    Path("out/x.xml").write_text(
        f"""<?xml version="1.0"?>
<qes:espresso xmlns:qes="http://www.quantum-espresso.org/ns/qes/qes-1.0">
<general_info><creator NAME="PWSCF" VERSION="6.7MaX"/></general_info>
<input><control_variables><title>{given["title"]}</title></control_variables>
<bands><smearing degauss="{float(given.get("degauss", 0)) / 2}">{given.get("smearing")}</smearing>
<tot_charge>0.0</tot_charge></bands>
<electron_control><conv_thr>{threshold}</conv_thr></electron_control>
<k_points_IBZ><monkhorst_pack {mesh}>Monkhorst-Pack</monkhorst_pack></k_points_IBZ></input>
<output><convergence_info><scf_conv><convergence_achieved>true</convergence_achieved><n_scf_steps>2</n_scf_steps>
<scf_error>{1e-3 if wrong else threshold / 10}</scf_error>
</scf_conv>{opt}</convergence_info>
<atomic_species>{kinds}</atomic_species>
<atomic_structure><atomic_positions>{places}</atomic_positions><cell>{sides}</cell></atomic_structure>
<dft><functional>PBE</functional></dft><magnetization><lsda>false</lsda><total>0.0</total><absolute>0.0</absolute></magnetization>
<basis_set><ecutwfc>{float(given["ecutwfc"]) / 2}</ecutwfc><ecutrho>{float(given["ecutrho"]) / 2}</ecutrho></basis_set>
<total_energy>
<etot>{energy / HARTREE}</etot><demet>0.0</demet>
</total_energy>
<forces>{" ".join(["0.0"] * 3 * len(atoms))}</forces><stress>{stress}</stress></output>
</qes:espresso>
"""
    )


main()
