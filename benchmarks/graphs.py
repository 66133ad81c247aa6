"""Time the ways to connect crystals, beside pymatgen's get_all_neighbors and VoronoiNN in the same run.

Run: PYTHONPATH=workflow OMP_NUM_THREADS=1 python benchmarks/graphs.py [STRUCTURES.jsonl.gz] [CRYSTALS]
Without a file the elasticity crystals of Matbench are looked for in the public data. Rates are crystals per CPU-second.
"""

import sys
import time
from pathlib import Path

import numpy as np
from matlens.connect import knn, radius, voronoi
from matlens.crystal import structures as crystals
from matlens.ingest.crystals import structures
from matlens.store import catalog, io

NEEDS = {"set": "matbench_log_gvrh_kvrh"}
PEERS = 60  # crystals that the peers are timed on


def rate(function, items) -> tuple[float, int]:
    """Return calls per CPU-second, and how many of them failed."""
    failed, start = 0, time.process_time()
    for item in items:
        try:
            function(item)
        except Exception:
            failed += 1
    return len(items) / (time.process_time() - start), failed


def report(name, found, beside=None):
    """Print one line."""
    ratio = "" if beside is None else f"   {found[0] / beside[0]:8.1f} x the peer"
    print(f"{name:<58} {found[0]:9.1f} /s   failed {found[1]}{ratio}", flush=True)


def main(path=None, most=11_000):
    """Print rates for reading, storing and connecting, and those of pymatgen on some of the same crystals."""
    from pymatgen.analysis.local_env import VoronoiNN
    from pymatgen.core import Lattice, Structure

    path = path or catalog.find(NEEDS["set"], "structures.jsonl.gz")
    start = time.process_time()
    rows = structures.plan(path=str(path)).iloc[: int(most)].to_dict("records")
    print(f"{'plan of ' + str(len(rows)) + ' crystals':<58} {time.process_time() - start:9.2f} s")
    structures.read(rows[0])  # compiles
    start = time.process_time()
    found = [structures.read(row)[0] for row in rows]
    print(f"{'read and check':<58} {len(rows) / (time.process_time() - start):9.1f} /s")
    store = Path("results") / "benchmark_crystals.zarr.zip"
    packed = crystals.pack(range(len(rows)), [row["item"] for row in rows], found)
    io.write_ragged(store, crystals.to_arrays(packed))
    start = time.process_time()
    crystals.from_arrays(io.read_ragged(store))
    print(f"{'load the store':<58} {time.process_time() - start:9.3f} s   {store.stat().st_size / 1e6:.2f} MB")
    store.unlink()

    sample = [found[k] for k in np.random.default_rng(0).permutation(len(found))[:PEERS]]
    peers = [Structure(Lattice(one.cell), one.species.tolist(), one.frac) for one in sample]
    for method in (knn, radius, voronoi):
        method.connect(found[0].cell, found[0].frac)  # compiles
    slow = rate(lambda s: s.get_all_neighbors(8.0), peers)
    report("pymatgen get_all_neighbors 8 A", slow)
    report("  knn 12, 8 A, the same crystals", rate(lambda one: knn.connect(one.cell, one.frac), sample * 10), slow)
    report("  knn 12, 8 A, all", rate(lambda one: knn.connect(one.cell, one.frac), found))
    report("  knn 12, 8 A with ties, all", rate(lambda one: knn.connect(one.cell, one.frac, ties=True), found))
    report("  radius 5 A, all", rate(lambda one: radius.connect(one.cell, one.frac), found))
    slow = rate(lambda s: VoronoiNN().get_all_nn_info(s), peers[: PEERS // 3])
    report("pymatgen VoronoiNN.get_all_nn_info", slow)
    few = sample[: PEERS // 3]
    report("  voronoi, the same crystals", rate(lambda one: voronoi.connect(one.cell, one.frac), few * 10), slow)
    report("  voronoi, all", rate(lambda one: voronoi.connect(one.cell, one.frac), found))


if __name__ == "__main__":
    main(*sys.argv[1:])
