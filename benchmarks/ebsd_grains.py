"""Grains of an EBSD map: CPU-seconds per million points, side by side with orix where it is installed.

    python benchmarks/ebsd_grains.py [--side 1000] [--map FILE]

The map is made of cubic Voronoi grains with half a degree of noise, each point written as a random one of its 24
equivalents, so that every pair needs the symmetry; or it is a file, repeated until it fills the square.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))


def made(side: int):
    """Make Euler angles (3, side, side) with about one grain for every 400 points, the same ones each time."""
    import numpy as np
    from matlens.crystal import orientations
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(0)
    grains = max(2, side * side // 400)
    place = np.stack(np.indices((side, side)), axis=-1).reshape(-1, 2)
    grain = cKDTree(rng.uniform(0, side, (grains, 2))).query(place)[1]
    q = rng.normal(size=(grains, 4))
    q = (q / np.linalg.norm(q, axis=1, keepdims=True))[grain]
    wobble = np.concatenate([np.ones((len(q), 1)), rng.normal(scale=0.002, size=(len(q), 3))], axis=1)
    q = orientations.multiply(orientations.symmetry(11)[rng.integers(0, 24, len(q))], orientations.multiply(wobble, q))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    total, difference = 2 * np.arctan2(-z, w), 2 * np.arctan2(-y, -x)
    phi = 2 * np.arctan2(np.hypot(x, y), np.hypot(w, z))
    angles = np.stack([(total + difference) / 2, phi, (total - difference) / 2])
    return angles.reshape(3, side, side).astype(np.float32)


def repeated(path: str, side: int):
    """Read a map and repeat it over a square of `side` points."""
    import numpy as np
    from matlens.ingest import readers

    layers = readers.read(path, max_pixels=10**8).layers
    return [
        np.pad(v, [(0, 0)] * (v.ndim - 2) + [(0, max(0, side - n)) for n in v.shape[-2:]], mode="wrap")[
            ..., :side, :side
        ]
        for v in (layers["euler_rad"], layers["phase_index"], layers["laue"])
    ]


def main() -> None:
    import numpy as np
    from matlens.crystal import orientations
    from matlens.segment import ebsd_grains

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--map")
    arguments = parser.parse_args()
    side = arguments.side
    if arguments.map:
        euler, phase, laue = repeated(arguments.map, side)
    else:
        euler, phase, laue = made(side), np.ones((side, side), np.uint8), np.full((side, side), 11, np.uint8)
    million = side * side / 1e6
    ebsd_grains.segment(euler[:, :50, :50], phase[:50, :50], laue[:50, :50], min_points=1)  # imports
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        grains = ebsd_grains.segment(euler, phase, laue)
        best = min(best, time.process_time() - start)
    print(f"ebsd_grains, {side} x {side}, {grains.max()} grains: {best / million:.2f} CPU-s per million points")
    q = orientations.from_euler(np.moveaxis(euler, 0, -1)).reshape(-1, 4)
    start = time.process_time()
    found = orientations.misorientation_deg(q[:-1], q[1:], 11)
    print(f"misorientations of m-3m: {(time.process_time() - start) / million:.2f} CPU-s per million pairs")
    try:
        from orix.quaternion import Misorientation, symmetry
    except ImportError:
        print("orix is not installed: no peer to compare with (pip install orix, GPL-3)")
        return
    few = slice(0, min(100_000, len(q) - 1))
    start = time.process_time()
    pairs = Misorientation(orientations.multiply(q[1:], orientations.inverse(q[:-1]))[few])
    pairs.symmetry = (symmetry.Oh, symmetry.Oh)
    angles = np.degrees(pairs.map_into_symmetry_reduced_zone().angle)
    cpu = (time.process_time() - start) / len(angles) * 1e6
    print(
        f"orix: {cpu:.2f} CPU-s per million pairs; largest difference {np.abs(angles - found[few]).max():.2g} degrees"
    )


if __name__ == "__main__":
    main()
