"""Teach a small network the formation energies of a universal potential, and measure it on formulas it never saw.

    python benchmarks/formation_energy.py [--weights data/weights/cgcnn_formation_energy]

The crystals are those of matbench_log_gvrh_kvrh, as the Materials Project relaxed them; CHGNet says the energy of each
as it is, counted from the elements of data/weights/chgnet_elements.csv. The study learns from four fifths of the
formulas. The network reads 1,000 crystals in the second in which the potential reads 50: it sorts what is then relaxed.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import scale

sys.path.insert(0, str(scale.ROOT / "workflow"))
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
TARGET = "formation_energy_ev_per_atom"
SET = "matbench_log_gvrh_kvrh"
STUDY = {
    "title": "formation energies",
    "ingest": {"shards": 2, "structures": {"path": "energies.jsonl", "targets": [TARGET]}},
    "connect": {"knn": {}},
    "predict": {
        "target": TARGET, "group": "formula", "use_folds": [0], "shuffles": 0, "curve_steps": 0,
        "cgcnn": {"epochs": 60}, "magpie_forest": {"trees": 100}, "mean": {},
    },
}  # fmt: skip
FOUND = "results/formation/predict"
NEEDS = {"set": "matbench_log_gvrh_kvrh"}


def energies(path: Path) -> None:
    """Write each crystal of the set with its formation energy by the potential, a line each."""
    import numpy as np
    from matlens.crystal import compositions, element_references, potentials
    from matlens.crystal.structures import Crystal
    from matlens.ingest.formats.common import matrix
    from matlens.store import catalog

    elements = element_references.read(scale.ROOT / "data/weights/chgnet_elements.csv")
    began, count = time.process_time(), 0
    with gzip.open(catalog.find(SET, "structures.jsonl.gz"), "rt") as lines, open(path, "w") as out:
        for row in map(json.loads, lines):
            numbers = np.array([compositions.SYMBOLS.index(one) + 1 for one in row["species"]], np.uint8)
            if not all(one in elements for one in numbers.tolist()):
                continue
            crystal = Crystal(np.array(matrix(*row["cell"])), numbers, np.array(row["frac"], float))
            formation = potentials.energy(crystal) - float(np.mean([elements[one] for one in numbers.tolist()]))
            keep = {"id": row["id"], "cell": crystal.cell.tolist(), "species": row["species"], "frac": row["frac"]}
            out.write(json.dumps(keep | {TARGET: round(formation, 5)}) + "\n")
            count += 1
            if count % 1000 == 0:
                print(f"{count} energies, {count / (time.process_time() - began):.0f} a CPU second", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    chosen = parser.parse_args()
    from matlens.store import io

    with tempfile.TemporaryDirectory() as name:
        folder = scale.house(Path(name))
        energies(folder / "energies.jsonl")
        (folder / "config/studies/formation.yaml").write_text(json.dumps(STUDY))
        run = [sys.executable, "-m", "snakemake", "--config", "studies=formation", "--cores", "1", "--quiet", "all"]
        spent = scale.measured(run, folder)
        for method in ("cgcnn", "magpie_forest", "mean"):
            table = io.read_table(folder / FOUND / method / "errors/all.parquet")
            print(method, table.to_string(index=False), sep="\n")
        print(f"{spent['cpu_s'] / 60:.0f} CPU minutes of learning")
        if chosen.weights:
            keep(folder / FOUND / "cgcnn", chosen.weights)


def keep(found: Path, weights: Path) -> None:
    """Keep the network and its card, the weights in half precision."""
    import numpy as np
    from matlens.store import io

    arrays, card = io.read_weights(found / "weights/0000.safetensors"), io.read_json(found / "card/0000.json")
    table = io.read_table(found / "predictions/all.parquet")
    tested = table[table["fold"] == 0]
    card |= {
        "test_items": len(tested),
        "test_mae": round(float((tested["predicted"] - tested["target"]).abs().mean()), 4),
        "data": f"crystals of {SET} (data/catalog.yaml), CC BY 4.0; energies by CHGNet 0.3.0, as they are, counted from"
        " data/weights/chgnet_elements.csv",
        "made_by": "benchmarks/formation_energy.py, weights rounded to half precision",
        "unit": "eV per atom",
    }
    half = {name: a.astype(np.float16).astype(a.dtype) if a.dtype.kind == "f" else a for name, a in arrays.items()}
    io.write_weights(weights.with_suffix(".safetensors"), half)
    io.write_json(weights.with_suffix(".json"), {name: value for name, value in card.items() if value is not None})


if __name__ == "__main__":
    main()
