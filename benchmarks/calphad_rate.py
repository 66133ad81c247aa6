"""A thousand equilibria of Ni-Al-Cr, each proved, beside pycalphad's Workspace with its conditions changed in place.

Counts CPU-seconds of one thread. Ours begins every alloy from its answer at the temperature before, and tests each
answer against every basin of every phase; pycalphad's are not tested.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONHASHSEED="0")

import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
from matlens.thermo import equilibria, system

DATABASE, PHASES = "pycalphad:alcocrni.tdb", ["LIQUID", "L12_FCC", "BCC_B2", "SIGMA_SGTE"]
ALLOYS, TEMPERATURES, PEER = 100, np.linspace(973.0, 1423.0, 10), 100


def main() -> None:
    from pycalphad import Workspace
    from pycalphad import variables as v

    drawn = np.random.default_rng(0).uniform(0.02, 0.25, (ALLOYS, 2))
    alloys = np.column_stack([drawn, 1 - drawn.sum(axis=1)])
    begun = time.process_time()
    made = system.system(DATABASE, ["Al", "Cr", "Ni"], PHASES)
    ready = time.process_time()
    lines = equilibria.sweep(made, list(TEMPERATURES), alloys)
    done = time.process_time()
    failed = sum(not isinstance(one, equilibria.Equilibrium) for line in lines for one in line)
    count = sum(map(len, lines))
    print(
        f"matlens: {count} equilibria, {failed} failed: {done - ready:.2f} CPU-s (+ {ready - begun:.2f} to get ready)"
    )
    conditions = {v.N: 1, v.P: 101325, v.T: 973.0, v.X("AL"): 0.1, v.X("CR"): 0.1}
    higher = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        space = Workspace(made.database, ["AL", "CR", "NI", "VA"], PHASES, conditions)
        space.eq  # noqa: B018
        begun, spent = time.process_time(), 0.0
        for number in range(PEER):
            line, x = lines[number % ALLOYS], alloys[number % ALLOYS]
            one = line[number % len(line)]
            space.conditions.update({v.T: one.temperature, v.X("AL"): x[0], v.X("CR"): x[1]})
            energy = float(np.asarray(space.eq.GM).squeeze())
            higher += not energy < one.energy + 0.1
        spent = time.process_time() - begun
    rate = spent / PEER / ((done - ready) / count)
    print(f"pycalphad's Workspace: {1000 * spent / PEER:.2f} CPU-s for 1000; ours is {rate:.1f} times as fast")
    print(f"of {PEER} of its answers, {higher} were NaN or lay more than 0.1 J/mol above ours")


if __name__ == "__main__":
    main()
