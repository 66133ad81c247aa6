"""Calibrate how the intervals of the networks in data/weights grow with the distance to their training crystals.

    python benchmarks/calibrate_weights.py moduli
    python benchmarks/calibrate_weights.py energies [--folder work]
    python benchmarks/calibrate_weights.py flags
    python benchmarks/calibrate_weights.py coverage

The networks and their predictions stay as they are. Added are the points of the training set, the limit of the flag,
and the size of errors against distance.
`energies`: errors of the network itself on crystals of formulas that are not in its set, labelled by CHGNet as they
are: those of matbench_dielectric, perovskites of Castelli et al., and binary prototypes of random elements. Printed are
the coverage on each family, and that with a calibration on the others. Layered crystals and strained cells are never
calibrated on.
`moduli`: as data/weights had them before pretrained_weights.py. Boosted trees on the same descriptors leave out
one fifth after the other, half of it as whole clusters of compositions. Their errors against distance, and those of
similar crystals in the other fifths, are scaled to the interval of the network, which was calibrated on crystals held
out at random. The test items are those of the official fold 0.
`flags`: the part of test crystals that is flagged as outside the training set, as they are and in other cells.
`coverage`: the part of the targets of test items (official fold 0, never trained or calibrated on) inside the 90 %
intervals of the networks as they are: formulas that the training set has or lacks, kinds of compounds, and thirds by
distance. Nothing is written.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
sys.path.insert(0, str(ROOT / "benchmarks"))
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
NEEDS = {"set": "matbench_log_gvrh_kvrh"}
SET, SEED, PARTS = "matbench_log_gvrh_kvrh", 5, 5
FAMILIES = {"dielectric": ("matbench_dielectric", 180), "layered": ("matbench_jdft2d", 60),
            "perovskites": ("matbench_perovskites", 180)}  # fmt: skip
INVENTED, STRAINED, MOST_ATOMS = 180, 100, 12
CALIBRATES = ("dielectric", "perovskites", "binaries")
PROBED, STRETCHES = 400, (1.0, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.3)
WEIGHTS = ROOT / "data/weights"
SHIPPED = {"cgcnn_log10_bulk_modulus": (SET, "y_log_kvrh"), "cgcnn_log10_shear_modulus": (SET, "y_log_gvrh"),
           "cgcnn_perovskite_heat_of_formation": ("matbench_perovskites", "y")}  # fmt: skip
MOST_TESTED, LEAST_COUNTED = 2198, 20


def coverage(card: dict, residual, distance) -> tuple[float, float]:
    """Return the part of the residuals inside the interval, and the median half-width."""
    import numpy as np
    from matlens.predict import ensembles

    _, low, high = ensembles.combine(np.zeros((1, len(distance))), np.asarray(distance)[:, None], card)
    return float((residual <= (high - low) / 2).mean()), float(np.median(high - low) / 2)


def families(made: list, rng) -> dict:
    """Choose crystals of formulas that are not in a set, and strain some of it."""
    import pretrained_weights as weights

    seen, found = {weights.formula(one.species) for one in made}, {}
    for family, (name, count) in FAMILIES.items():
        other, _, _ = weights.crystals_of(name)
        new = [one for one in other if len(one.species) <= MOST_ATOMS and weights.formula(one.species) not in seen]
        found[family] = [new[k] for k in rng.choice(len(new), min(count, len(new)), replace=False)]
    found["binaries"] = weights.prototypes(made, seen, INVENTED, rng)
    small = [one for one in made if len(one.species) <= MOST_ATOMS - 4]
    found["strained"] = weights.strained([small[k] for k in rng.choice(len(small), STRAINED, replace=False)], rng)
    return found


def energies(folder: Path) -> None:
    """Calibrate the formation energies by new labels of CHGNet."""
    import numpy as np
    import pretrained_weights as weights
    from matlens.predict import applicability_domain as domain
    from matlens.predict import crystal_networks as networks
    from matlens.predict import ensembles

    made, names, _ = weights.crystals_of(SET)
    graphs, found = weights.graphs_of(made, names), {}
    arrays, card = stored("cgcnn_formation_energy")
    known = np.flatnonzero([set(one.species.tolist()) <= set(card["elements"]) for one in made])
    about, points = domain.describe(graphs, known)
    for family, new in families(made, np.random.default_rng(SEED)).items():
        truth = weights.formation(new, folder / f"{family}.npy")
        some = weights.graphs_of(new, [f"{k}" for k in range(len(new))])
        answer, distance = networks.apply(some, arrays, card, "cpu"), domain.distances(some, points)[1]
        residual, there = np.abs(answer["predicted"] - truth), np.isfinite(truth)
        before = float((residual <= answer["half_width_90"])[there].mean())
        flagged = float((distance > about["distance_limit"]).mean())
        found[family] = residual[there], distance[there], before, flagged
    report = {}
    for family, (residual, distance, before, flagged) in found.items():
        used = [found[name] for name in CALIBRATES if name != family]
        others = ensembles.calibrate(*(np.concatenate([one[k] for one in used]) for k in (0, 1)))
        new, half = coverage(others, residual, distance)
        report[family] = {"items": len(residual), "mae": residual.mean(), "coverage_before": before,
                          "coverage_left_out": new, "half_width_90": half, "flagged": flagged}  # fmt: skip
    used = [found[name] for name in CALIBRATES]
    fitted = ensembles.calibrate(*(np.concatenate([one[k] for one in used]) for k in (0, 1)))
    for family, (residual, distance, *_) in found.items():
        report[family]["coverage_90"] = coverage(fitted, residual, distance)[0]
        print(family, {name: round(float(value), 3) for name, value in report[family].items()}, flush=True)
    more = {"interval_of": weights.CARDS[weights.ENERGY][2], "calibrated_by": "CHGNet on formulas not in the set"}
    keep("cgcnn_formation_energy", arrays, card, about, points, {**fitted, **more, "families": rounded(report)})


def moduli() -> None:
    """Calibrate the moduli by the errors of trees that leave out clusters."""
    import numpy as np
    import pretrained_weights as weights
    from matlens.crystal import graphs as flat
    from matlens.predict import applicability_domain as domain
    from matlens.predict import crystal_networks as networks
    from matlens.predict import descriptors, ensembles
    from sklearn.ensemble import HistGradientBoostingRegressor

    made, names, rows = weights.crystals_of(SET)
    train, test = weights.official(len(made))
    train, graphs = np.sort(train), weights.graphs_of(made, names)
    part = ensembles.parts(graphs, train, PARTS, "clusters", SEED)
    about, points = domain.describe(graphs, train)
    split = domain.describe(graphs, train, part)[1]
    x = np.hstack([descriptors.composition(graphs), descriptors.structure(graphs), graphs.atoms[:, None]])
    each = domain.distances(flat.taken(graphs, train), split)[0]
    distance = ensembles.others(each)[np.arange(len(train)), part]
    alone = domain._nearest(*[points[domain.POINTS].astype(np.float32)] * 2, np.zeros(len(train), int), 1, itself=True)
    tested = flat.taken(graphs, test)
    for target in ("y_log_kvrh", "y_log_gvrh"):
        file, _, of = weights.CARDS[target]
        y, residual = np.array([row[target] for row in rows]), np.zeros(len(train))
        for number in range(PARTS):
            own = part == number
            trees = HistGradientBoostingRegressor(max_iter=150, learning_rate=0.1, max_features=0.3, random_state=SEED)
            trees.fit(x[train[~own]], y[train[~own]])
            residual[own] = np.abs(trees.predict(x[train[own]]) - y[train[own]])
        crossed, where = np.zeros(len(train), bool), domain.points(flat.taken(graphs, train), points)
        fitted, size, factor = ensembles.calibrate_local(residual, distance, where, part)
        for number in range(PARTS):
            own, card = part == number, ensembles.calibrate(*(a[part != number] for a in (residual / factor, distance)))
            _, low, high = ensembles.combine(np.zeros((1, own.sum())), distance[own][:, None], card, factor[own])
            crossed[own] = residual[own] <= (high - low) / 2
        arrays, card = stored(file)
        points[domain.SIZE.format(0)] = size[domain.kept(len(train), 0)].astype(np.float16)
        half = card.get("half_width_90", card.get("quantile_90", 0) * card.get("floor", 0))
        usual = ensembles.calibrate(residual, distance)["ratios"][90]  # of the network, which knows no factor yet
        usual *= float(ensembles.scale_at(np.median(alone), fitted))
        fitted["scales"] = [float(f"{one * half / usual:.4g}") for one in fitted["scales"]]
        far = distance > np.quantile(distance, 2 / 3)
        more = {"interval_of": of, "half_width_90": half, "left_out_coverage_90": round(float(crossed.mean()), 3),
                "left_out_coverage_far": round(float(crossed[far].mean()), 3),
                "left_out_coverage_least": round(float(min(crossed[part == k].mean() for k in range(PARTS))), 3),
                "calibrated_by": "boosted trees that leave out clusters, scaled to the network"}  # fmt: skip
        arrays, card = keep(file, arrays, card, about, points, {**fitted, **more})
        found = networks.apply(tested, arrays, card, "cpu")
        inside = (found["low_90"] <= y[test]) & (y[test] <= found["high_90"])
        card["test_coverage_90"] = round(float(inside.mean()), 3)
        card["test_flagged"] = round(float(found["outside_training_range"].mean()), 3)
        keep(file, arrays, card, {}, {}, {})
        print(file, {name: card[name] for name in card if name.startswith(("test_", "left_", "knots", "scales"))})


def flags() -> None:
    """Print which part of the test crystals is flagged by the bulk modulus network, as they are and in other cells."""
    import numpy as np
    import pretrained_weights as weights
    from matlens.crystal.structures import Crystal
    from matlens.predict import applicability_domain as domain

    made, _, _ = weights.crystals_of(SET)
    arrays, card = stored("cgcnn_log10_bulk_modulus")
    test = weights.official(len(made))[1]
    some = [made[k] for k in np.random.default_rng(SEED).choice(test, PROBED, replace=False)]
    cells = {f"x {f:g}": [one._replace(cell=one.cell * f) for one in some] for f in STRETCHES}
    cells |= {f"slab, {gap:g} A of vacuum": [slab(one, gap) for one in some] for gap in (6.0, 10.0, 15.0)}
    metals = sorted(card["elements"])
    fcc = np.array(weights.LATTICE["fcc"])
    alone = [fcc * (4 * volume) ** (1 / 3) for volume in np.random.default_rng(SEED).uniform(8, 40, len(metals))]
    cells["fcc of one element, 8 to 40 A3 an atom"] = [
        Crystal(cell, np.array([z], np.uint8), np.zeros((1, 3))) for z, cell in zip(metals, alone, strict=True)
    ]
    for name, probes in cells.items():
        graphs = weights.graphs_of(probes, [f"{k}" for k in range(len(probes))])
        nearest = domain.distances(graphs, arrays)[1]
        found = domain.flag_outside(graphs, card, nearest)["outside_training_range"]
        print(f"{name}: {found.mean():.3f} flagged", flush=True)


KINDS = {  # of compounds, by atomic numbers: those that have one of the first, and none of the second
    "oxides": ({8}, {9, 17, 35, 53, 16, 34, 52}),
    "halides": ({9, 17, 35, 53}, {8, 16, 34, 52}),
    "chalcogenides": ({16, 34, 52}, {8, 9, 17, 35, 53}),
    "with lanthanides or actinides": ({*range(57, 72), *range(89, 104)}, set()),
    "with hydrogen": ({1}, set()),
}
NO_METAL = {1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54, 85, 86}


def kinds_of(made: list, seen: set) -> dict:
    """Return the kinds of compounds: name -> which crystals (n,). seen: formulas of the training set."""
    import numpy as np
    import pretrained_weights as weights

    sets = [set(one.species.tolist()) for one in made]
    new = np.array([weights.formula(one.species) not in seen for one in made])
    found = {"all": new | ~new, "unseen formulas": new, "formulas seen in another structure": ~new}
    found["elements"] = np.array([len(one) == 1 for one in sets])
    found["intermetallics"] = np.array([len(one) > 1 and not one & NO_METAL for one in sets])
    return found | {name: np.array([bool(one & a) and not one & b for one in sets]) for name, (a, b) in KINDS.items()}


def coverages() -> None:
    """Print the coverage of the intervals of shipped networks on test items, by kind of compound and by distance."""
    import numpy as np
    import pretrained_weights as weights
    from matlens.predict import applicability_domain as domain
    from matlens.predict import crystal_networks as networks

    for file, (name, target) in SHIPPED.items():
        made, names, rows = weights.crystals_of(name)
        train, test = weights.official(len(made))
        test = test[:: max(1, len(test) // MOST_TESTED)]
        some, y = [made[k] for k in test], np.array([rows[k][target] for k in test])
        arrays, card = stored(file)
        graphs = weights.graphs_of(some, [names[k] for k in test])
        found, distance = networks.apply(graphs, arrays, card, "cpu"), domain.distances(graphs, arrays)[1]
        inside = (found["low_90"] <= y) & (y <= found["high_90"])
        kinds = kinds_of(some, {weights.formula(made[k].species) for k in train})
        thirds = np.quantile(distance, [1 / 3, 2 / 3])
        kinds |= {"nearest third": distance < thirds[0], "farthest third": distance > thirds[1]}
        kinds["flagged"] = found["outside_training_range"]
        print(f"{file}: target {target}", flush=True)
        for kind, own in kinds.items():
            if own.sum() >= LEAST_COUNTED:
                half, gap = np.median(found["half_width_90"][own]), np.abs(found["predicted"] - y)[own].mean()
                flagged = found["outside_training_range"][own].mean()
                print(f"  {kind}: {own.sum()} items, {inside[own].mean():.3f} inside, median half-width {half:.3f}, "
                      f"mean absolute error {gap:.4f}, {flagged:.3f} flagged", flush=True)  # fmt: skip


def slab(one, gap: float):
    """Repeat a crystal along its third vector to at least 6 A, and add a vacuum."""
    import numpy as np

    length = np.linalg.norm(one.cell[2])
    count = max(1, int(np.ceil(6.0 / length)))
    frac = np.concatenate([one.frac + [0, 0, k] for k in range(count)]) @ one.cell
    cell = one.cell.copy()
    normal = np.cross(cell[0], cell[1])
    cell[2] = cell[2] * count + normal / np.linalg.norm(normal) * gap * np.sign(normal @ cell[2])
    return type(one)(cell, np.tile(one.species, count), frac @ np.linalg.inv(cell))


def stored(file: str) -> tuple[dict, dict]:
    """Read weights and card, without an earlier calibration by distance."""
    from matlens.store import io

    return io.read_weights(WEIGHTS / f"{file}.safetensors"), io.read_json(WEIGHTS / f"{file}.json")


def rounded(report: dict) -> dict:
    return {family: {k: round(float(v), 3) for k, v in values.items()} for family, values in report.items()}


def keep(file: str, arrays: dict, card: dict, about: dict, points: dict, more: dict) -> tuple[dict, dict]:
    """Write weights in half precision, with the points of the training set, and the card."""
    import numpy as np
    from matlens.store import io

    drop = ("element_volumes_a3", "volume_over_elements", "distance_over_radii")
    card = {name: value for name, value in card.items() if name not in drop} | about | more
    half = {
        name: a.astype(np.float16) if a.dtype == np.float32 and name[0].isdigit() else a for name, a in arrays.items()
    }
    arrays = half | points
    io.write_weights(WEIGHTS / f"{file}.safetensors", arrays)
    io.write_json(WEIGHTS / f"{file}.json", card)
    return arrays, card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("moduli", "energies", "flags", "coverage"))
    parser.add_argument("--folder", type=Path, default=Path("results/calibration"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    {"moduli": moduli, "flags": flags, "coverage": coverages, "energies": lambda: energies(chosen.folder)}[
        chosen.which
    ]()


if __name__ == "__main__":
    main()
