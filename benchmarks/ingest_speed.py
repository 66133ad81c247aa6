"""Ingest of micrographs against a plain zarr write of the same pixels: one command, one table.

    python benchmarks/ingest_speed.py [--images 512] [--side 1024]

The first row is the door of the workflow (workflow/scripts/ingest.py): it reads TIFF files, checks every image, looks
for information bars, and writes images, truth, index and rejected. The others write arrays that are in memory already.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "workflow" / "scripts")]


def micrographs(images: int, side: int):
    """Make images (images, side, side) of uint8 with grains and detector noise, always the same."""
    import numpy as np

    rng = np.random.default_rng(0)
    grains = np.kron(rng.integers(60, 190, (-(-side // 32), -(-side // 32))), np.ones((32, 32), int))[:side, :side]
    noise = rng.normal(0, 12, (side + images, side + images))
    return np.stack(
        [np.clip(grains + noise[k : k + side, k : k + side], 0, 255).astype(np.uint8) for k in range(images)]
    )


def timed(work) -> tuple[float, float]:
    """Run something once; returns CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def plain_zarr(folder: Path, pixels, compressors):
    """Return a writer of a plain zarr array, one image a chunk."""
    import zarr

    def work():
        shutil.rmtree(folder, ignore_errors=True)
        options = {"shape": pixels.shape, "dtype": pixels.dtype, "chunks": (1, *pixels.shape[1:])}
        array = zarr.create_array(store=str(folder), compressors=compressors, **options)
        for number, image in enumerate(pixels):
            array[number] = image

    return work


def door(folder: Path):
    """Return a run of the ingest door on a folder of files."""
    import ingest as script
    import ingest_plan

    out = folder / "out"
    options = {"path": str(folder / "tif")}
    ingest_plan.main("files", options, str(out / "plan.parquet"), str(out / "plan_rejected.parquet"))
    outputs = {name: str(out / f"{name}.zarr.zip") for name in ("images", "truth")}
    outputs["truth_objects"] = str(out / "truth_objects.parquet")
    tables = {name: str(out / f"{name}.parquet") for name in ("index", "rejected")}

    def work():
        plan = str(out / "plan.parquet")
        script.main(plan, "images", "files", options, ["one"], "0000", 1, outputs, **tables)

    return work


def measure(images: int, side: int, folder: Path, repeats: int = 3) -> dict[str, tuple[float, float]]:
    """Time ingest and the plain writes in turn; returns the smallest CPU and wall seconds of each."""
    import tifffile

    pixels = micrographs(images, side)
    (folder / "tif").mkdir()
    for number, image in enumerate(pixels):
        tifffile.imwrite(folder / "tif" / f"{number:05d}.tif", image)
    works = {
        "ingest": door(folder),
        "plain zarr, no codec": plain_zarr(folder / "none.zarr", pixels, None),
        "plain zarr, default codec": plain_zarr(folder / "default.zarr", pixels, "auto"),
    }
    runs = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            runs[name].append(timed(work))
    return {name: tuple(min(column) for column in zip(*times, strict=True)) for name, times in runs.items()}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--side", type=int, default=1024)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(given.images, given.side, Path(folder))
    size = given.images * given.side**2 / 2**20
    print(f"{given.images} images of {given.side} x {given.side} uint8, {size:.0f} MiB; smallest of 3 runs")
    print(f"{'':28}{'CPU s':>8}{'wall s':>8}{'MiB/s':>8}{'ingest / it':>13}")
    first = times["ingest"]
    for name, (cpu, wall) in times.items():
        print(f"{name:28}{cpu:8.2f}{wall:8.2f}{size / wall:8.0f}{wall / first[1]:13.2f}")


if __name__ == "__main__":
    main()
