"""What a montage and a tomogram that are larger than memory cost, step by step, from a file to the report.

    python benchmarks/larger_than_memory.py [--montage 20000] [--tomogram 800] [--workers 0] [--folder .]

Discs (balls) on a lattice, with noise, are written into one TIFF file (NumPy file) of so many pixels a side; 0 leaves
one out. Then a study runs on one core, a step at a time: ingest, Otsu, fractions, regions, sizes, tables and picture.
`--workers` shares bands out over so many dask workers. 100,000 x 100,000 pixels take 25 GB of disk below `--folder`.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import scale

TILE, CELL = 2048, {2: 128, 3: 64}
RADIUS = {2: 40, 3: 22}
CHUNK = {2: 2048, 3: 128}


def montage(path: Path, side: int) -> None:
    """Write a TIFF of discs, with noise and light that changes from edge to edge, tile by tile."""
    import tifffile

    y, x = np.mgrid[:TILE, :TILE] % CELL[2] - CELL[2] // 2
    noise = np.random.default_rng(0).normal(0, 12, (TILE, TILE))
    tile = (90 + 80 * (np.hypot(y, x) < RADIUS[2]) + noise).astype(np.float32)
    light = np.linspace(-10, 10, side, dtype=np.float32)
    pixels = tifffile.memmap(path, shape=(side, side), dtype=np.uint8, bigtiff=True)
    for top in range(0, side, TILE):
        for left in range(0, side, TILE):
            part = pixels[top : top + TILE, left : left + TILE]
            turned = np.roll(tile, 31 * left // TILE + top, 1)[: part.shape[0], : part.shape[1]]
            part[...] = np.clip(turned + light[left : left + TILE], 0, 255)
        pixels.flush()


def tomogram(path: Path, side: int) -> None:
    """Write a volume of balls on a skew lattice, with noise, slice by slice."""
    y, x = np.mgrid[:side, :side].astype(np.int32)
    noise = np.random.default_rng(0).normal(0, 12, (side, side)).astype(np.float32)
    half, pixels = CELL[3] // 2, np.lib.format.open_memmap(path, "w+", np.uint8, (side, side, side))
    for z in range(side):
        layer, depth = divmod(z, CELL[3])
        flat = (y + 7 * layer) % CELL[3] - half, (x + 13 * layer) % CELL[3] - half
        ball = flat[0] ** 2 + flat[1] ** 2 + (depth - half) ** 2 < RADIUS[3] ** 2
        pixels[z] = np.clip(90 + 80 * ball + np.roll(noise, 31 * z, 1), 0, 255)
        if z % 64 == 63:
            pixels.flush()


KINDS = {2: (montage, "montage.tif", {}), 3: (tomogram, "tomogram.npy", {"stack": "z"})}


class Watched(threading.Thread):
    """Note the most memory that all processes below this one took together; `with` begins and ends it."""

    def __enter__(self):
        self.mb, self._over = 0.0, threading.Event()
        self.start()
        return self

    def run(self):
        while not self._over.wait(0.5):
            used = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    used += process.memory_info().rss
                except psutil.Error:
                    continue
            self.mb = max(self.mb, used / 2**20)

    def __exit__(self, *_):
        self._over.set()
        self.join()


def step(folder: Path, workers: int, target: str) -> dict:
    """Make one file of the study, or all, and tell what it took."""
    shared = [f"{rule}:dask_workers={workers}" for rule in ("segment", "quantify")]
    words = ["--cores", "1", "--quiet", "all", *(["--set-resources", *shared] if workers else [])]
    with Watched() as watched:
        found = scale.measured(scale.snakemake(*words, "--", *([target] if target else [])), folder)
    return found | {"all_mb": watched.mb}


def line(dimensions: int, side: int, workers: int, where: Path) -> None:
    """Take one image through the line, print a row for each step, and check what was found."""
    write, name, more = KINDS[dimensions]
    with tempfile.TemporaryDirectory(dir=where) as temporary:
        folder = scale.house(Path(temporary))
        began = time.monotonic()
        # A process of its own: what it mapped would count as memory of every command started afterwards.
        drawing = multiprocessing.get_context("spawn").Process(target=write, args=(folder / name, side))
        drawing.start()
        drawing.join()
        print(f"\n{name}: {'x'.join([f'{side:,}'] * dimensions)}, written in {time.monotonic() - began:.0f} s")
        limits = {"max_pixels": side**dimensions, "max_side_px": side}
        settings = {
            "title": "larger than memory",
            "phases": ["ground", "inside"],
            "ingest": {"files": {"path": name, **more, **limits}},
            "segment": {"otsu": {}},
            "quantify": {"fractions": {}, "regions": {}, "sizes": {}},
            "figures": {"overlays": {}},
        }
        (folder / "config/studies/scale.yaml").write_text(json.dumps(settings))
        results = "results/scale"
        steps = {"ingest": f"{results}/ingest/files/images/0000.zarr.zip"}
        steps["otsu"] = f"{results}/segment/otsu/labels/0000.zarr.zip"
        steps |= {name: f"{results}/quantify/otsu/{name}/0000.parquet" for name in settings["quantify"]}
        print(f"| step, {workers} workers | wall, min | CPU, min | largest process, MB | all processes, MB |")
        print("|---|---|---|---|---|", flush=True)
        for name, target in {**steps, "tables and picture": ""}.items():
            row = step(folder, workers, target)
            cells = f"{row['wall_s'] / 60:.1f} | {row['cpu_s'] / 60:.1f} | {row['mb']:.0f} | {row['all_mb']:.0f}"
            print(f"| {name} | {cells} |", flush=True)
        check(folder / results / "tables", dimensions)


def check(tables: Path, dimensions: int) -> None:
    """Hold the tables against what was drawn."""
    import pandas as pd

    cell, radius = CELL[dimensions], RADIUS[dimensions]
    drawn = {2: np.pi * radius**2, 3: 4 / 3 * np.pi * radius**3}[dimensions]
    share = pd.read_csv(tables / "fractions.csv")["area_fraction"].iloc[1]
    found = pd.read_csv(tables / "regions.csv")
    inner = found[~found["touches_border"]]
    size = inner["area_px2" if dimensions == 2 else "volume_px3"]
    print(f"fraction {share:.4f}, drawn {drawn / cell**dimensions:.4f}; {len(found):,} regions, {len(inner):,} inside")
    print(f"mean size {size.mean():.1f}, drawn {drawn:.1f}; rejected {len(pd.read_csv(tables / 'rejected.csv'))}")
    assert abs(share / (drawn / cell**dimensions) - 1) < 0.05
    assert abs(size.median() / drawn - 1) < 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--montage", type=int, default=20_000)
    parser.add_argument("--tomogram", type=int, default=800)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path())
    chosen = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for dimensions, side in ((2, chosen.montage), (3, chosen.tomogram)):
        if side:
            line(dimensions, side, chosen.workers, chosen.folder.resolve())


if __name__ == "__main__":
    sys.exit(main())
