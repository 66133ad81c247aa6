"""Train the networks of data/weights: moduli, formation energy and heats of formation of perovskites.

    python benchmarks/pretrained_weights.py moduli --folder work [--whole old] [--epochs 6] [--weights new]
    python benchmarks/pretrained_weights.py perovskites --folder work

Each file holds the network that predicts (60 epochs on the training part, from `--whole`), and an ensemble of five
CGCNNs that tells how sure it is. Every member leaves out another fifth of the training crystals, half of it by whole
clusters of similar compositions, and learns for fewer epochs. How its errors grow with the distance to the training
crystals, and the spread of the members, are scaled to the interval of the first network, which was calibrated on
crystals held out at random. Test items are those of the official fold 0 of Matbench; the formation energy of `--whole`
was learned on folds of formulas, so that some of them are among what it learned from.

The file of the perovskites is made so, with `--epochs 12`. Those of the moduli and of the formation energy in
data/weights are single networks, calibrated by calibrate_weights.py. `moduli` would make ensembles of them, too: log10
K, log10 G and the formation energy by one network with three outputs, the latter by CHGNet, also of strained and
rattled cells and of binary prototypes. It was not run to the end.
"""

import argparse
import gzip
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
NEEDS = {"set": "matbench_log_gvrh_kvrh"}
SETS = {"moduli": "matbench_log_gvrh_kvrh", "perovskites": "matbench_perovskites"}
ENERGY = "formation_energy_ev_per_atom"
STRAINED, PROTOTYPES, MOST_ATOMS, HIGHEST = 800, 500, 10, 5.0  # HIGHEST: eV per atom; above it a cell is left out
LABELLED = 3  # every third crystal of the set gets an energy
RATTLE_A, LENGTH, SHEAR = 0.2, (0.88, 1.22), 0.04
OPTIONS = {"learning_rate": 0.005, "weight_decay": 1e-4}
MEMBERS, SEED = 5, 0
CELLS = {  # binary prototypes: cell in units of its edge, positions of A and of B
    "rock salt": ("fcc", [[0, 0, 0]], [[0.5, 0.5, 0.5]]),
    "caesium chloride": ("sc", [[0, 0, 0]], [[0.5, 0.5, 0.5]]),
    "zinc blende": ("fcc", [[0, 0, 0]], [[0.25, 0.25, 0.25]]),
    "fluorite": ("fcc", [[0, 0, 0]], [[0.25, 0.25, 0.25], [0.75, 0.75, 0.75]]),
    "L1_2": ("sc", [[0, 0, 0]], [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
}
LATTICE = {"fcc": [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], "sc": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
CARDS = {
    "y_log_kvrh": ("cgcnn_log10_bulk_modulus", "log10 of GPa", "of the DFT of the Materials Project"),
    "y_log_gvrh": ("cgcnn_log10_shear_modulus", "log10 of GPa", "of the DFT of the Materials Project"),
    ENERGY: ("cgcnn_formation_energy", "eV per atom", "of CHGNet 0.3.0, the potential that labelled it, not of DFT"),
    "y": ("cgcnn_perovskite_heat_of_formation", "eV per cell", "of the DFT of Castelli et al."),
}


def crystals_of(name: str):
    """Read a public set: crystals, names, rows."""
    import numpy as np
    from matlens.crystal import compositions
    from matlens.crystal.structures import Crystal
    from matlens.ingest.formats.common import matrix
    from matlens.store import catalog

    made, rows = [], []
    with gzip.open(catalog.find(name, "structures.jsonl.gz"), "rt") as lines:
        for row in map(json.loads, lines):
            species = np.array([compositions.SYMBOLS.index(one) + 1 for one in row["species"]], np.uint8)
            made.append(Crystal(np.array(matrix(*row["cell"])), species, np.array(row["frac"], float)))
            rows.append(row)
    return made, [row["id"] for row in rows], rows


def official(count: int):
    """Return the training and test rows of the official fold 0."""
    from sklearn.model_selection import KFold

    return next(iter(KFold(5, shuffle=True, random_state=18012019).split(range(count))))


def strained(made: list, rng):
    """Strain, shear and rattle crystals."""
    import numpy as np
    from matlens.crystal.structures import Crystal

    found = []
    for one in made:
        change = np.eye(3) * rng.uniform(*LENGTH) + rng.uniform(-SHEAR, SHEAR, (3, 3))
        cell = one.cell @ change
        moved = one.frac + rng.normal(0, rng.uniform(0, RATTLE_A), one.frac.shape) @ np.linalg.inv(cell)
        found.append(Crystal(cell, one.species, moved))
    return found


def prototypes(made: list, without: set, count: int, rng):
    """Put two elements into binary prototypes, at volumes around the sum of those of the elements in `made`."""
    import numpy as np
    from matlens.crystal.structures import Crystal

    volume = {}
    for one in made:
        own = abs(np.linalg.det(one.cell)) / len(one.species)
        for z in set(one.species.tolist()):
            volume.setdefault(z, []).append(own)
    mean, found = {z: np.median(values) for z, values in volume.items()}, []
    while len(found) < count:
        a, b = rng.choice(sorted(mean), 2, replace=False)
        lattice, of_a, of_b = CELLS[rng.choice(sorted(CELLS))]
        species = np.array([a] * len(of_a) + [b] * len(of_b), np.uint8)
        if formula(species) not in without:
            size = sum(mean[z] for z in species.tolist()) * rng.uniform(0.7, 1.3)
            cell = np.array(LATTICE[lattice], float)
            cell *= (size / abs(np.linalg.det(cell))) ** (1 / 3)
            found.append(Crystal(cell, species, np.array([*of_a, *of_b], float)))
    return found


def formula(species) -> tuple:
    """Return a key for the composition of a crystal."""
    import numpy as np

    numbers, counts = np.unique(species, return_counts=True)
    return tuple(zip(numbers.tolist(), (counts // np.gcd.reduce(counts)).tolist(), strict=True))


def formation(made: list, store: Path):
    """Compute the formation energy of crystals as they are by CHGNet, eV per atom (n,); NaN without a reference.

    `store`: file with the energies so far, from which a killed run continues.
    """
    import numpy as np
    from matlens.crystal import element_references, potentials

    elements = element_references.read(ROOT / "data/weights/chgnet_elements.csv")
    there = [all(z in elements for z in one.species.tolist()) for one in made]
    found = np.full(len(made), np.nan)
    known = np.load(store) if store.is_file() else np.zeros(0)
    found[: len(known)] = known
    for first in range(len(known), len(made), 500):
        some = [k for k in range(first, min(first + 500, len(made))) if there[k]]
        found[some] = potentials.energies([made[k] for k in some])
        np.save(store, found[: first + 500])
        print(f"{first + 500} energies, {time.process_time():.0f} CPU seconds", flush=True)
    return found - [np.mean([elements.get(z, 0.0) for z in one.species.tolist()]) for one in made]


def graphs_of(made: list, names: list):
    from matlens import connect, registry
    from matlens.crystal import graphs, structures

    knn = registry.load(connect.METHODS, "knn")
    edges = connect.stack([knn(one.cell, one.frac) for one in made], "knn")
    return graphs.from_arrays(structures.to_arrays(structures.pack(range(len(made)), names, made)) | edges)


def data_of(which: str, folder: Path):
    """Return crystals, names, targets by name, training and test rows, and which crystals were made up."""
    import numpy as np

    made, names, rows = crystals_of(SETS[which])
    train, test = official(len(made))
    if which == "perovskites":
        return made, names, {"y": np.array([row["y"] for row in rows])}, train, test, np.zeros(len(made), bool)
    rng, without = np.random.default_rng(SEED), {formula(made[k].species) for k in test}
    small = [k for k in train if len(made[k].species) <= MOST_ATOMS and formula(made[k].species) not in without]
    more = strained([made[k] for k in rng.choice(small, STRAINED)], rng)
    more += prototypes([made[k] for k in train], without, PROTOTYPES, rng)
    everything, energy = made + more, np.full(len(made) + len(more), np.nan)
    extra = np.arange(len(everything)) >= len(made)
    labelled = np.flatnonzero(extra | (np.arange(len(everything)) % LABELLED == 0))[::-1]  # made-up cells come first
    energy[labelled] = formation([everything[k] for k in labelled], folder / "energies.npy")
    energy[energy > HIGHEST] = np.nan
    nothing = np.full(len(more), np.nan)
    targets = {ENERGY: energy}
    for name in ("y_log_kvrh", "y_log_gvrh"):
        targets[name] = np.append([row[name] for row in rows], nothing)
    names = [*names, *(f"made-{k}" for k in range(len(more)))]
    learned = np.append(train, np.flatnonzero(extra & np.isfinite(energy)))
    return everything, names, targets, learned, test, extra


def main() -> None:
    import numpy as np
    from matlens.learn.options import Training
    from matlens.predict import crystal_networks as networks

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=SETS)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=ROOT / "data/weights")
    parser.add_argument("--whole", type=Path, default=ROOT / "data/weights", help="networks that predict, with cards")
    parser.add_argument("--epochs", type=int, default=6)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    made, names, targets, train, test, extra = data_of(chosen.which, chosen.folder)
    graphs, table = graphs_of(made, names), np.column_stack(list(targets.values()))
    cut = networks.cut_members(graphs, train, [], MEMBERS, "clusters", 0.0, SEED)
    centre, spread = networks.scales(table, cut.train)
    training = Training(epochs=chosen.epochs, seed=SEED, device="cpu", **OPTIONS)
    files = [chosen.folder / f"{chosen.which}.{member}.safetensors" for member in range(MEMBERS)]
    task = networks.Batches("l1", 64, 0)
    found, _ = networks.train_members(
        graphs, (table - centre) / spread, cut, "cgcnn", {}, task, training, files, spread[0]
    )
    scale = {"centre": centre, "spread": spread}
    for number, target in enumerate(targets):
        keep(graphs, table, number, target, found, cut, scale, test, extra, chosen)


def keep(graphs, table, number, target, found, cut, scale, test, extra, chosen) -> None:
    """Calibrate the ensemble for one target, test it on the official fold, and write weights and card."""
    import numpy as np
    from matlens.crystal import graphs as flat
    from matlens.job.provenance import provenance
    from matlens.learn.cards import PACKAGES
    from matlens.learn.options import own_options
    from matlens.nets import CRYSTAL_NETS
    from matlens.predict import applicability_domain
    from matlens.predict import crystal_networks as networks
    from matlens.store import io

    file, unit, of = CARDS[target]
    known = np.isfinite(table[cut.train, number])
    own = networks.Cut(cut.members, cut.train[known], cut.parts[known])
    about, domain = applicability_domain.describe(graphs, own.train, own.parts, SEED, extra[own.train])
    arrays = {
        f"{k}/{name}": value.astype(np.float16) if value.dtype.kind == "f" else value
        for k, member in enumerate(found)
        for name, value in networks.output_of("cgcnn", member, number).items()
    } | domain
    card = {
        "method": "cgcnn", "network": own_options(CRYSTAL_NETS, "cgcnn", {}), "ensemble": MEMBERS,
        "leave_out": "clusters", "mean": float(scale["centre"][number]), "std": float(scale["spread"][number]),
        "trained_on": len(own.train), **about,
    }  # fmt: skip
    calibration, held = networks.calibrated(graphs, table[:, number], arrays, card, own, "cpu")
    card |= calibration
    left = left_out(graphs, table[:, number], held, arrays, own)
    tested = test[np.isfinite(table[test, number])]
    add_whole(arrays, card, chosen.whole / file, flat.taken(graphs, tested[:1000]))
    answered, truth = networks.apply(flat.taken(graphs, tested), arrays, card, "cpu"), table[tested, number]
    inside = (answered["low_90"] <= truth) & (truth <= answered["high_90"])
    about = {"knn": {"k": 12, "cutoff_a": 8.0, "ties": "share", "images": "all", "few": "grow"}}
    card |= {
        "target": target, "unit": unit, "interval_of": of, "graph": about, "fold": 0,
        "test_items": len(tested), "test_mae": round(float(np.abs(answered["predicted"] - truth).mean()), 4),
        "test_coverage_90": round(float(inside.mean()), 3),
        "test_flagged": round(float(answered["outside_training_range"].mean()), 3),
        **left,
        "strained_cells": int(extra[own.train].sum()),
        "data": f"{SETS[chosen.which]} (data/catalog.yaml), official fold 0",
        "made_by": f"benchmarks/pretrained_weights.py {chosen.which}, weights in half precision",
        "training": {**OPTIONS, "epochs": chosen.epochs, "batch": 64, "loss": "l1", "seed": SEED},
        **provenance(PACKAGES),
    }  # fmt: skip
    print(file, {k: v for k, v in card.items() if k.startswith(("test_", "left_", "knots", "scales"))}, flush=True)
    io.write_weights(chosen.weights / f"{file}.safetensors", arrays)
    io.write_json(chosen.weights / f"{file}.json", {k: v for k, v in card.items() if v is not None})


def left_out(graphs, y, held: dict, arrays: dict, cut) -> dict:
    """Score the members on what they left out, each with an interval that was calibrated on the other parts.

    Returns the mean absolute error, and the coverage of the 90 % interval of all crystals, of the part with the least,
    and of the nearest and farthest third from what the member learned from.
    """
    import numpy as np
    from matlens.crystal import graphs as flat
    from matlens.predict import applicability_domain, ensembles

    position, residual = held["position"], np.abs(held["predicted"] - y[held["position"]])
    each = applicability_domain.distances(flat.taken(graphs, position), arrays)[0]
    part = cut.parts[np.searchsorted(cut.train, position)]
    distance, inside = ensembles.others(each)[np.arange(len(part)), part], np.zeros(len(part), bool)
    for number in range(MEMBERS):
        card, own = ensembles.calibrate(residual[part != number], distance[part != number]), part == number
        _, low, high = ensembles.combine(np.zeros((1, own.sum())), distance[own][:, None], card)
        inside[own] = residual[own] <= (high - low) / 2
    thirds = np.quantile(distance, [1 / 3, 2 / 3])
    parts = [inside[part == number].mean() for number in range(MEMBERS)]
    found = {
        "left_out_mae": residual.mean(), "left_out_coverage_90": inside.mean(), "left_out_coverage_least": min(parts),
        "left_out_coverage_near": inside[distance < thirds[0]].mean(),
        "left_out_coverage_far": inside[distance > thirds[1]].mean(),
    }  # fmt: skip
    return {name: round(float(value), 4) for name, value in found.items()}


def add_whole(arrays: dict, card: dict, path: Path, some) -> None:
    """Add the networks that learned from all training crystals, and scale the interval to theirs.

    some: graphs on which their intervals are as wide as usual; no target is needed.
    """
    import numpy as np
    from matlens.predict import applicability_domain as domain
    from matlens.predict import crystal_networks as networks
    from matlens.predict import ensembles
    from matlens.store import io

    other, old = io.read_weights(path.with_suffix(".safetensors")), io.read_json(path.with_suffix(".json"))
    first = old["ensemble"] if "whole" in old else 0  # a card of this script has them after the others
    count = old.get("whole", old["ensemble"])
    for k in range(count):
        own = {name.partition("/")[2]: value for name, value in other.items() if name.startswith(f"{first + k}/")}
        shift = (old["mean"] - card["mean"]) / card["std"]  # the last layer gives the numbers of the new card
        own["fc_out.weight"] = (own["fc_out.weight"].astype(float) * old["std"] / card["std"]).astype(np.float32)
        own["fc_out.bias"] = (own["fc_out.bias"].astype(float) * old["std"] / card["std"] + shift).astype(np.float32)
        arrays |= {
            f"{MEMBERS + k}/{name}": value.astype(np.float16) if value.dtype.kind == "f" else value
            for name, value in own.items()
        }
    points = arrays[domain.POINTS][~arrays[domain.STRAINED]].astype(np.float32)
    alone = domain._nearest(points, points, np.zeros(len(points), int), 1, itself=True)[:, 0]
    level = card["ratios"][int(0.9 * len(card["ratios"]))]
    usual = level * float(ensembles.scale_at(np.median(alone), card))
    half = float(np.median(networks.apply(some, other, old, "cpu")["half_width_90"]))
    card |= {"whole": count, "interval_factor": half / usual, "half_width_90": half}


if __name__ == "__main__":
    main()
