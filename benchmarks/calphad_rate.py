"""Equilibria beside pycalphad's Workspace with its conditions changed in place: in a sweep, and one by one.

Counts CPU-seconds of one thread. A sweep begins every alloy from its answer at the temperature before; one by one, each
alloy is begun afresh, at a temperature of its own, so that no sample serves two, here and by pycalphad in turn. Each of
our answers is tested against every basin of every phase; pycalphad's are not tested.
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

ALLOYS, STEPS, ROUNDS = 100, 10, 10
NICKEL = ["LIQUID", "L12_FCC", "BCC_B2", "SIGMA_SGTE"]
SOLUTIONS = ["LIQUID", "FCC_A1", "BCC_A2", "HCP_A3"]
COMPOUNDS = ["AL2Y", "AL2Y3", "AL7CU2Y3", "AL8CU4Y", "ALCU17Y2", "ALCU5Y", "ALCUY", "ALY"]
SYSTEMS = {  # database, phases, elements, temperatures in K, largest share of each element but the last
    "Ni-Al-Cr": ("pycalphad:alcocrni.tdb", NICKEL, ["Al", "Cr", "Ni"], (973, 1423), 0.25),
    "Al-Zn": ("pycalphad:alzn_mey.tdb", ["LIQUID", "FCC_A1", "HCP_A3"], ["Al", "Zn"], (400, 900), 0.9),
    "Al-Cu-Y": ("pycalphad:Al-Cu-Y.tdb", SOLUTIONS + COMPOUNDS, ["Al", "Cu", "Y"], (900, 1500), 0.45),
}


def main() -> None:
    for title, (name, phases, elements, (low, high), most) in SYSTEMS.items():
        drawn = np.random.default_rng(0).uniform(0.02, most, (ALLOYS, len(elements) - 1))
        alloys = np.column_stack([drawn, 1 - drawn.sum(axis=1)])
        compare(title, name, phases, elements, np.linspace(low, high, STEPS), alloys)


def compare(title: str, name: str, phases: list, elements: list, temperatures: np.ndarray, alloys: np.ndarray) -> None:
    """Print what a sweep and single alloys of one system cost here, and in pycalphad."""
    begun = time.process_time()
    made = system.system(name, elements, phases)
    ready = time.process_time()
    lines = equilibria.sweep(made, list(temperatures), alloys)
    swept = (time.process_time() - ready) / sum(map(len, lines))
    failed = sum(not isinstance(one, equilibria.Equilibrium) for line in lines for one in line)
    print(
        f"{title}: {1000 * swept:.2f} CPU-s for 1000 in a sweep, {failed} failed (+ {ready - begun:.2f} to get ready)"
    )
    made.samples.clear()
    ours, peer, higher = alternate(made, phases, temperatures, alloys)
    ratios = peer / ours
    print(
        f"  one by one {1000 * np.median(ours):.2f}, pycalphad's Workspace {1000 * np.median(peer):.2f} CPU-s for 1000"
    )
    print(
        f"  ours is {np.median(peer) / swept:.1f} times as fast in a sweep, {np.median(ratios):.2f} times one by one "
        f"({ratios.min():.2f} to {ratios.max():.2f} in {ROUNDS} rounds; load {os.getloadavg()[0]:.1f})"
    )
    print(f"  of {len(alloys)} of its answers, {higher} were NaN or lay more than 0.1 J/mol above ours")


def alternate(
    made: system.System, phases: list, temperatures: np.ndarray, alloys: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Solve each alloy here and by pycalphad in turn; returns the CPU-s of each in every round, and its worse answers.

    Functions are compiled before: here by the sweep, there by the alloy at a temperature nearby, which is not timed.
    """
    from pycalphad import Workspace
    from pycalphad import variables as v

    names = [v.X(symbol) for symbol in made.elements[:-1]]
    own = np.random.default_rng(1).uniform(temperatures[0], temperatures[-1], len(alloys))
    ours, peer, higher = np.zeros(ROUNDS), np.zeros(ROUNDS), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        conditions = {v.N: 1, v.P: 101325, v.T: own[0]} | dict(zip(names, alloys[0], strict=False))
        space = Workspace(made.database, [*made.elements, "VA"], phases, conditions)

        def theirs(temperature: float, x: np.ndarray) -> float:
            space.conditions.update({v.T: temperature} | dict(zip(names, x, strict=False)))
            return float(np.asarray(space.eq.GM).squeeze())

        for at, (temperature, x) in enumerate(zip(own, alloys, strict=True)):
            theirs(temperature + 0.5, x)  # compiles what this alloy needs
            begun = time.process_time()
            one = equilibria.row(made, temperature, x[None])[0]
            ended = time.process_time()
            energy = theirs(temperature, x)
            ours[at % ROUNDS] += ended - begun
            peer[at % ROUNDS] += time.process_time() - ended
            higher += isinstance(one, equilibria.Equilibrium) and not energy < one.energy + 0.1
    return ours * ROUNDS / len(alloys), peer * ROUNDS / len(alloys), higher


if __name__ == "__main__":
    main()
