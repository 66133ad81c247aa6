"""Compute the permeability of tiles of Berea sandstone along x, beside the published ones, and on a grid twice as fine.

Run: PYTHONPATH=workflow OMP_NUM_THREADS=1 python benchmarks/berea_permeability.py [TILES]
Tiles of 128^3 are put beside their mirror images; the published values are those of a finite-volume solver on the same
voxels. TILES: numbers, 0,13,26 by default. The finer grid is that of a part of 64^3 of the first tile.
"""

import sys
import time

import numpy as np
from matlens.fields import stokes
from matlens.store import catalog

NEEDS = {"set": "porous3d"}
EDGE, PART, VOXEL_M = 128, 64, 2e-6  # voxels, and their width in the published computation
LOAD = np.array([0.0, 0.0, 1.0])


def permeability(pores: np.ndarray, width: float) -> tuple[float, int, float]:
    """Return the permeability in m2, the steps and the CPU seconds."""
    start = time.process_time()
    velocity, steps, _ = stokes.solve(pores, LOAD, stokes.mirrors_of(LOAD), tol=2e-3)
    return float(velocity[2].mean()) * width**2, steps, time.process_time() - start


def main(tiles: str = "0,13,26") -> None:
    """Print a line per tile, and the effect of the grid."""
    import pandas as pd
    import tifffile

    volume = tifffile.imread(catalog.find(NEEDS["set"], "berea.tif"))
    published = pd.read_csv(catalog.find(NEEDS["set"], "berea_permeability.csv")).query("direction == 'X'")
    published = published.set_index("tile")
    ratios = []
    for tile in map(int, tiles.split(",")):
        about = published.loc[tile]
        place = tuple(slice(int(about[f"axis{k}_start"]), int(about[f"axis{k}_start"]) + EDGE) for k in range(3))
        found, steps, seconds = permeability(volume[place] == 0, VOXEL_M)
        ratios.append(found / about["K_m2"])
        beside = f"{found:.3e} m2, published {about['K_m2']:.3e}: {ratios[-1]:.2f}"
        print(f"tile {tile:2d}, {EDGE}^3: {beside}; {steps} steps, {seconds:.0f} s", flush=True)
    print(f"mean ratio {np.mean(ratios):.2f}, spread of the ratio {np.ptp(ratios):.2f}")
    part = volume[:PART, :PART, :PART] == 0
    coarse, fine = (permeability(np.kron(part, np.ones((factor,) * 3, bool)), VOXEL_M / factor)[0] for factor in (1, 2))
    print(f"{PART}^3: {coarse:.3e} m2, on a grid twice as fine {fine:.3e}: {fine / coarse:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
