"""Search for stable compounds of the type ThCr2Si2 by iCGCNN and by CGCNN, on the hull of a universal potential.

    python benchmarks/thcr2si2_search.py [--candidates 200] [--crystals 2000] [--epochs 12]

C. W. Park, C. Wolverton, Phys. Rev. Mater. 4 (2020) 063801 found stable compounds of this type 2.4 times as often by
iCGCNN as by CGCNN, judged by DFT. Here the potential is CHGNet, and no DFT is done. Networks learn formation energies
of crystals of matbench_log_gvrh_kvrh as they are, without any of this type. Candidates are in the cell of the
prototype; the potential gives the lowest energy over volumes, with the shape and the free coordinate of the
prototype. Competing phases are the elements, and the crystals of the set in the chemical system, without those of the
composition of the candidate. A hit is at most 0.05 eV/atom above their hull. Candidates are ranked by the predicted
formation energy minus the hull. Networks get candidates as the prototype makes them, from radii.
"""

import argparse
import itertools
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
NEEDS = {"set": "matbench_log_gvrh_kvrh"}
SET, SEED, MOST_ATOMS, LIMIT_EV, CHOSEN = "matbench_log_gvrh_kvrh", 3, 12, 0.05, (10, 20, 40, 80)
SITES = {
    "A": ("K", "Ca", "Sr", "Ba", "Y", "La", "Ce", "Nd"),
    "B": ("Mn", "Fe", "Co", "Ni", "Cu", "Ru", "Rh", "Pd", "Ag", "Zn"),
    "X": ("Si", "Ge", "Sn", "P", "As", "Sb"),
}
LENGTHS = (0.88, 0.91, 0.94, 0.97, 1.0, 1.03, 1.06, 1.09, 1.12)
FAR = 10.0  # eV per atom; a phase so high is on no hull
NETWORKS = {
    "cgcnn": ("cgcnn", "knn", {}, 1),
    "cgcnn_long": ("cgcnn", "knn", {}, 4),
    "icgcnn": ("icgcnn", "voronoi", {"width": 32, "bond": 20}, 1),
}


def candidates(count: int) -> list:
    """Build crystals of the prototype with a seeded choice of elements; returns (symbols, crystal)."""
    import numpy as np
    from matlens.ingest import prototypes

    every = list(itertools.product(*SITES.values()))
    chosen = np.random.default_rng(SEED).permutation(len(every))[:count]
    made = []
    for k in sorted(chosen.tolist()):
        item = {"prototype": "thcr2si2", **{f"charge_{site}": 0 for site in SITES}}
        item |= {f"site_{site}": symbol for site, symbol in zip(SITES, every[k], strict=True)}
        made.append((every[k], prototypes.read(item)[0]))
    return made


def is_type(one, row: dict) -> bool:
    """Check whether a crystal of the set is of the type ThCr2Si2: I4/mmm, 1 : 2 : 2."""
    import numpy as np

    return row["spg"] == 139 and sorted(np.unique(one.species, return_counts=True)[1].tolist()) == [1, 2, 2]


def competes(one) -> bool:
    """Check whether a crystal is in the chemical system of some candidate: at most one element of each site."""
    from matlens.crystal.compositions import SYMBOLS

    symbols = {SYMBOLS[z - 1] for z in set(one.species.tolist())}
    return symbols <= set(itertools.chain(*SITES.values())) and all(
        len(symbols & set(own)) <= 1 for own in SITES.values()
    )


def best_volumes(made: list, folder: Path):
    """Return the lowest formation energy of every crystal over volumes (n,), eV per atom, by a parabola."""
    import numpy as np
    import pretrained_weights as weights

    cells = [one._replace(cell=one.cell * length) for one in made for length in LENGTHS]
    energy = weights.formation(cells, folder / "candidates.npy").reshape(len(made), len(LENGTHS))
    lowest = energy.min(axis=1)
    for row, at in enumerate(energy.argmin(axis=1)):
        if 0 < at < len(LENGTHS) - 1:
            a, b, c = np.polyfit(LENGTHS[at - 1 : at + 2], energy[row, at - 1 : at + 2], 2)
            lowest[row] = c - b * b / (4 * a)
    return lowest


def hulls(made: list, phases: list, formation):
    """Return the energy of the hull of competing phases at the composition of every candidate (n,), eV per atom."""
    import numpy as np
    import pretrained_weights as weights
    from matlens.crystal import potentials

    numbers = sorted({z for one in [*made, *phases] for z in one.species.tolist()})

    def shares(one):
        return np.array([(one.species == z).mean() for z in numbers])

    found = np.zeros(len(made))
    for row, one in enumerate(made):
        there, formula = set(one.species.tolist()), weights.formula(one.species)
        own = [
            k
            for k, p in enumerate(phases)
            if set(p.species.tolist()) <= there and weights.formula(p.species) != formula
        ]
        table = np.stack([shares(one), *(shares(phases[k]) for k in own), *np.eye(len(numbers))])
        energy = np.concatenate([[FAR], formation[own], np.zeros(len(numbers))])
        found[row] = FAR - potentials.above_hull(table, energy)[0]
    return found


def graphs_of(made: list, builder: str):
    from matlens import connect, registry
    from matlens.crystal import graphs, structures

    method = registry.load(connect.METHODS, builder)
    edges = connect.stack([method(one.cell, one.frac) for one in made], builder)
    packed = structures.pack(range(len(made)), [f"c{k}" for k in range(len(made))], made)
    return graphs.from_arrays(structures.to_arrays(packed) | edges)


def predicted(train: list, y, made: list, epochs: int, folder: Path) -> dict:
    """Train the networks and boosted trees on compositions; returns method -> predictions of the candidates (n,)."""
    import time

    import numpy as np
    from matlens.crystal.compositions import SYMBOLS
    from matlens.predict import crystal_networks, trees

    def formulas(some):
        return ["".join(SYMBOLS[z - 1] for z in one.species.tolist()) for one in some]

    found = {
        "magpie_trees": trees.magpie_trees(formulas(train), y, formulas(made)).predicted,
        "mean": np.full(len(made), y.mean()),
    }
    kept = {builder: (graphs_of(train, builder), graphs_of(made, builder)) for builder in ("knn", "voronoi")}
    for name, (method, builder, options, times) in NETWORKS.items():
        began, (some, asked) = time.process_time(), kept[builder]
        arrays, card, _, _ = crystal_networks.learn(
            some, y, np.arange(len(y)), [], folder / f"{name}.checkpoint", method, options, epochs=epochs * times,
            batch=32, device="cpu", seed=SEED,
        )  # fmt: skip
        found[name] = crystal_networks.apply(asked, arrays, card, "cpu")["predicted"]
        print(f"{name}: {time.process_time() - began:.0f} CPU seconds of training", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--crystals", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--folder", type=Path, default=Path("results/thcr2si2"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    import numpy as np
    import pandas as pd
    import pretrained_weights as weights
    from matlens.predict import hits

    crystals, _, rows = weights.crystals_of(SET)
    free = [k for k, one in enumerate(crystals) if len(one.species) <= MOST_ATOMS and not is_type(one, rows[k])]
    train = np.random.default_rng(SEED).permutation(free)[: chosen.crystals]
    rest = [k for k, one in enumerate(crystals) if competes(one) and len(one.species) <= 4 * MOST_ATOMS]
    named, made = zip(*candidates(chosen.candidates), strict=True)
    y = weights.formation([crystals[k] for k in train], chosen.folder / "train.npy")
    train, y = train[np.isfinite(y)], y[np.isfinite(y)]
    phases = [crystals[k] for k in rest]
    above = weights.formation(phases, chosen.folder / "phases.npy")
    phases, above = [one for one, e in zip(phases, above, strict=True) if np.isfinite(e)], above[np.isfinite(above)]
    hull, energy = hulls(list(made), phases, above), best_volumes(list(made), chosen.folder)
    known = np.isfinite(energy)
    truth = (energy - hull)[known]
    print(f"{known.sum()} candidates, {len(phases)} competing phases, {len(train)} crystals to learn from; "
          f"{(truth <= LIMIT_EV).sum()} hits, {(truth <= 0).sum()} on or below the hull")  # fmt: skip
    answers = predicted([crystals[k] for k in train], y, list(made), chosen.epochs, chosen.folder)
    items, tables = np.array(["".join(symbols) for symbols in named])[known], {}
    for name, values in answers.items():
        gap = np.abs(values - energy)[known].mean()
        print(f"{name}: mean absolute error of the formation energies of the candidates {gap:.3f} eV/atom")
        tables[name] = pd.DataFrame({"item": items, "fold": 0, "target": truth, "predicted": (values - hull)[known]})
    wish = {"below": LIMIT_EV, "above": None, "chosen": list(CHOSEN), "compare": "cgcnn"}
    print(hits.table(tables, wish).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
