"""Store to ranking with CGCNN, one thread: structures per CPU-second, and the part that is neither model nor graph.

Needs the public set matbench_log_gvrh_kvrh. `--crystals n` takes the first n. The figure of the authors' code, about 77
a second with files parsed and neighbours searched by pymatgen, was recorded elsewhere.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
NEEDS = {"set": "matbench_log_gvrh_kvrh"}


def stored(count: int, folder: Path) -> Path:
    """Write a shard of crystals as the stage ingest does."""
    import numpy as np
    from matlens.crystal import compositions, structures
    from matlens.ingest.formats.common import matrix
    from matlens.store import catalog, io

    with gzip.open(catalog.find("matbench_log_gvrh_kvrh", "structures.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for _, line in zip(range(count), lines, strict=False)]
    number = {symbol: z for z, symbol in enumerate(compositions.SYMBOLS, 1)}
    made = [
        structures.Crystal(
            np.array(matrix(*row["cell"])),
            np.array([number[s] for s in row["species"]], np.uint8),
            np.array(row["frac"], float),
        )
        for row in rows
    ]
    path = folder / "structures.zarr.zip"
    io.write_ragged(path, structures.to_arrays(structures.pack(range(len(made)), [row["id"] for row in rows], made)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=4000)
    count = parser.parse_args().crystals
    import numpy as np
    import pandas as pd
    import torch
    from matlens import connect, registry, screen
    from matlens.crystal import graphs, structures
    from matlens.predict import properties
    from matlens.screen import shortlist
    from matlens.store import io

    torch.set_num_threads(1)
    knn = registry.load(connect.METHODS, "knn")
    weights = "data/weights/cgcnn_log10_bulk_modulus"
    card, arrays = io.read_json(f"{weights}.json"), io.read_weights(f"{weights}.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        path = stored(count, Path(folder))
        knn(np.eye(3) * 4.0, np.zeros((1, 3)))  # compiled before the clock starts
        clock = [time.process_time()]
        every = structures.from_arrays(io.read_ragged(path))
        clock.append(time.process_time())
        edges = connect.stack([knn(one.cell, one.frac) for one in every], "knn")
        clock.append(time.process_time())
        some = graphs.from_arrays(structures.to_arrays(every) | edges)
        table = properties.by_networks(some, {"k": (arrays, card)}, "cpu")
        clock.append(time.process_time())
        index = pd.DataFrame({"item": every.item, "formula": "Ni"})
        wish = {"k": {"goal": "maximize", "target": None, "weight": 1.0, "min": None, "max": None}}
        settings = {
            "properties": wish, "sure": 0.0, "without": [], "only": [], "most_elements": None, "unseen_elements": True,
            "outside_training_range": True, "cautious": 0.0,
            "most": 20, "diverse": False, "seed": 0,
        }  # fmt: skip
        score = partial(registry.call, registry.load(screen.METHODS, "weighted"), options={})
        shortlist.make(table, index, settings, score)
        clock.append(time.process_time())
    spent = dict(zip(("read", "graphs", "network", "ranking"), np.diff(clock), strict=True))
    total = sum(spent.values())
    print(f"{len(every)} crystals: {len(every) / total:.0f} a CPU-second (the authors' path: about 77)")
    for name, seconds in spent.items():
        print(f"  {name:8s} {seconds:6.2f} s  {seconds / total:5.1%}")
    print(f"  neither network nor graph: {(spent['read'] + spent['ranking']) / total:.1%}")


if __name__ == "__main__":
    main()
