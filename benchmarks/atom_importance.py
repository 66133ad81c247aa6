"""Importance of atoms by networks, beside the atoms that were made to decide a property.

    python benchmarks/atom_importance.py

Rock salts and caesium chlorides of random pairs of elements at random sizes have a property that one sublattice alone
decides: the Pauling electronegativity of the anion, or of the cation. GATGNN gives attention to atoms; CGCNN and GCPNet
read a number from each. A network names the cause if the deciding atom has more attention than the other, or if the
reading follows the property more closely (rank correlation over unseen crystals) at the deciding atom.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
CATIONS = {3: 0.98, 11: 0.93, 19: 0.82, 37: 0.82, 55: 0.79, 12: 1.31, 20: 1.00, 38: 0.95, 56: 0.89, 25: 1.55, 26: 1.83}
ANIONS = {9: 3.98, 17: 3.16, 35: 2.96, 53: 2.66, 8: 3.44, 16: 2.58, 34: 2.55, 7: 3.04}  # Pauling scale
NETWORKS = {
    "gatgnn": {"width": 32, "layers": 2},
    "cgcnn": {"width": 32, "convolutions": 2, "hidden": 32},
    "gcpnet": {"width": 16, "first": 1, "second": 1},
}
COUNT, TRAIN, EPOCHS = 400, 300, 25


def crystals(rng):
    """Make crystals of two atoms, the cation first, and their graphs."""
    import numpy as np
    from matlens import connect, registry
    from matlens.crystal import graphs, structures

    fcc, knn = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]), registry.load(connect.METHODS, "knn")
    made = []
    for _ in range(COUNT):
        cell = fcc * rng.uniform(4.5, 6.5) if rng.random() < 0.5 else np.eye(3) * rng.uniform(3.3, 4.5)
        species = [rng.choice(list(CATIONS)), rng.choice(list(ANIONS))]
        made.append(structures.Crystal(cell, np.array(species, np.uint8), np.array([[0, 0, 0], [0.5] * 3])))
    edges = connect.stack([knn(one.cell, one.frac) for one in made], "knn")
    packed = structures.pack(range(COUNT), [f"c{k}" for k in range(COUNT)], made)
    return graphs.from_arrays(structures.to_arrays(packed) | edges)


def main() -> None:
    import numpy as np
    from matlens import registry
    from matlens.crystal import graphs as flat
    from matlens.predict import crystal_networks as networks
    from scipy.stats import spearmanr

    some = crystals(np.random.default_rng(0))
    pairs = some.crystals.species.reshape(-1, 2)
    tables = {"cation": CATIONS, "anion": ANIONS}
    print("network,cause,r2,named")
    for method, options in NETWORKS.items():
        for column, (cause, table) in enumerate(tables.items()):
            y = np.array([table[z] for z in pairs[:, column].tolist()])
            given = {"epochs": EPOCHS, "batch": 32, "learning_rate": 0.01, "device": "cpu", **options}
            with tempfile.TemporaryDirectory() as folder:
                offered = {"graphs": some, "y": y, "train": np.arange(TRAIN), "validation": [], "method": method}
                offered |= {"checkpoint": Path(folder) / "c", "options": given}
                arrays, card, *_ = registry.call(networks.learn, offered, given)
            test = flat.taken(some, np.arange(TRAIN, COUNT))
            error = networks.apply(test, arrays, card, "cpu")["predicted"] - y[TRAIN:]
            sites = networks.sites(test, arrays, card, "cpu").reshape(-1, 2)
            if method == "gatgnn":
                named = float((sites[:, column] > sites[:, 1 - column]).mean())
            else:
                follows = [abs(spearmanr(sites[:, k], y[TRAIN:]).statistic) for k in range(2)]
                named = float(follows[column] > follows[1 - column])
            print(f"{method},{cause},{1 - error.var() / y[TRAIN:].var():.3f},{named:.2f}", flush=True)


if __name__ == "__main__":
    main()
