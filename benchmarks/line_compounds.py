"""Equilibria of alloys that are exactly a compound of a database, each in the system of its elements with all phases.

Goes through every phase of two sublattices or more, and there through every end member of two to four elements and,
where a sublattice holds several constituents, the state in which it holds all of these elements alike. Each answer is
compared with a linear programme over states that pycalphad samples densely, which knows nothing of our search.

    .venv/bin/python benchmarks/line_compounds.py [database] [temperature in K] [part/parts]
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONHASHSEED="0")

import itertools
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
from matlens.job.batch import BadItem
from matlens.thermo import basins, equilibria, system
from matlens.thermo import database as tdb
from scipy.optimize import linprog

DATABASE, TEMPERATURE = "pycalphad:COST507.tdb", 500.0
MOST = 4  # elements of a system
DENSE = 2000  # states that pycalphad samples for each freedom, for the linear programme
ABOVE = 0.5  # J/mol by which an answer may lie above it
DECIMALS = 9  # of mole fractions by which two compounds of one system are the same alloy


def compounds(database) -> dict[tuple[str, ...], dict[tuple[float, ...], str]]:
    """List the compounds of a database by system: mole fractions (of the elements as sorted), and the name of each."""
    found: dict[tuple[str, ...], dict[tuple[float, ...], str]] = {}
    for name, phase in sorted(database.phases.items()):
        if len(phase.constituents) < 2:
            continue
        lattices = [sorted(lattice, key=str) for lattice in phase.constituents]
        for end in itertools.product(*lattices):
            states = [[[one] for one in end]]
            elements = {symbol for one in end for symbol in one.constituents} - {"VA"}
            for at, lattice in enumerate(lattices):
                inside = [one for one in lattice if set(one.constituents) <= elements | {"VA"}]
                if len(inside) > 1:
                    states.append([inside if k == at else [one] for k, one in enumerate(end)])
            if 2 <= len(elements) <= MOST and not any(one.charge for one in end):
                order = tuple(sorted(elements))
                for state in states:
                    x = amounts(phase.sublattices, state, order)
                    label = name + " " + ":".join(",".join(one.name for one in part) for part in state)
                    found.setdefault(order, {}).setdefault(tuple(np.round(x, DECIMALS)), label)
    return found


def amounts(ratios, state, order: tuple[str, ...]) -> np.ndarray:
    """Return the mole fractions of a state whose sublattices hold their constituents alike (e,)."""
    x = np.zeros(len(order))
    for ratio, part in zip(ratios, state, strict=True):
        for one in part:
            x += float(ratio) / len(part) * np.array([one.constituents.get(symbol, 0.0) for symbol in order])
    return x / x.sum()


def phases_of(database, elements: tuple[str, ...]) -> list[str]:
    """List all phases that elements form; of an ordered phase and its disordered state, the one that holds both."""
    there = {*elements, "VA"}
    formed = [
        name for name, phase in sorted(database.phases.items())
        if all(any(set(one.constituents) <= there for one in lattice) for lattice in phase.constituents)
    ]  # fmt: skip
    hints = [database.phases[name].model_hints for name in formed]
    held = {
        one["disordered_phase"] for one in hints if one.get("ordered_phase") not in (None, one.get("disordered_phase"))
    }
    return [name for name in formed if name not in held]


def hull(made: system.System, temperature: float, x: np.ndarray) -> float:
    """Return the lowest energy of an alloy as a mixture of densely sampled states, J/mol of atoms."""
    given = basins.sample(made, temperature, DENSE if len(made.elements) < 3 else DENSE // 10)
    real = given.energy < basins.MADE_UP
    solved = linprog(given.energy[real], A_eq=given.x[real].T, b_eq=x, bounds=(0, None), method="highs")
    return float(solved.fun) if solved.success else np.inf


def main() -> None:
    """Go through the systems of a part of the database, and exit with 1 if an answer is missing or too high."""
    name = sys.argv[1] if len(sys.argv) > 1 else DATABASE
    temperature = float(sys.argv[2]) if len(sys.argv) > 2 else TEMPERATURE
    part, parts = (int(one) for one in sys.argv[3].split("/")) if len(sys.argv) > 3 else (1, 1)
    from pycalphad import Database

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        database = Database(str(tdb.find(name)))
    systems = sorted(compounds(database).items())[part - 1 :: parts]
    begun, asked, whole, wrong = time.process_time(), 0, 0, 0
    for elements, own in systems:
        try:
            made = system.system(name, list(elements), phases_of(database, elements))
        except BadItem as error:  # a fault of the database, with its line
            print(f"{'-'.join(elements)}, {len(own)} compounds left out: {error}", flush=True)
            continue
        alloys = np.array(list(own))
        alloys /= alloys.sum(axis=1, keepdims=True)
        answers = equilibria.row(made, temperature, alloys)
        for label, x, found in zip(own.values(), alloys, answers, strict=True):
            fault = judged(made, temperature, x, found)
            asked, wrong = asked + 1, wrong + bool(fault)
            whole += not fault and len(found.parts) == 1
            if fault:
                print(f"{'-'.join(elements)} {label}, x = {np.round(x, 6).tolist()}: {fault}", flush=True)
    spent = time.process_time() - begun
    print(
        f"{name} at {temperature:g} K: {asked} compounds of {len(systems)} systems, {wrong} unsolved or too high, "
        f"{whole} of one phase; {spent:.0f} CPU-s"
    )
    sys.exit(bool(wrong))


def judged(made: system.System, temperature: float, x: np.ndarray, found) -> str:
    """Return what is wrong with an answer, else ""."""
    if not isinstance(found, equilibria.Equilibrium):
        return str(found)
    above = found.energy - hull(made, temperature, x)
    return "" if above <= ABOVE else f"{above:.2f} J/mol too high"


if __name__ == "__main__":
    main()
