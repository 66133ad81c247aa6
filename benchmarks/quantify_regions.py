"""Regions and neighbours beside scikit-image, in CPU-seconds: `python benchmarks/quantify_regions.py`.

The image has Voronoi grains around random points. Each time is the smallest of three (scikit-image: of one).
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from _timing import cpu_seconds

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

SAME = ["label", "area", "equivalent_diameter_area", "centroid", "bbox", "axis_major_length", "axis_minor_length"]
SAME += ["orientation", "eccentricity", "perimeter_crofton", "area_convex", "solidity", "feret_diameter_max"]
PROMISED = {"regions": 20, "neighbours": 50}


def grains(size: int, number: int) -> np.ndarray:
    """Draw a region map of Voronoi cells."""
    from scipy.spatial import cKDTree

    points = np.random.default_rng(0).random((number, 2)) * size
    pixels = np.stack(np.mgrid[:size, :size], -1).reshape(-1, 2)
    return (cKDTree(points).query(pixels)[1] + 1).reshape(size, size).astype(np.int32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--grains", type=int, default=5000)
    parser.add_argument("--check", action="store_true", help="fail when slower than promised")
    options = parser.parse_args()

    from matlens.quantify import neighbours, polygons, regions, sizes
    from skimage.graph import RAG
    from skimage.measure import regionprops_table

    labels, phases = grains(options.size, options.grains), ["boundary", "grain"]
    cases = {
        "regions": (
            lambda: regions.measure(labels, phases),
            lambda: regionprops_table(labels, properties=SAME),
        ),
        "neighbours": (lambda: neighbours.measure(labels, phases), lambda: RAG(labels)),
        "polygons": (lambda: polygons.measure(labels, phases), None),
        "triple_points": (lambda: polygons.triple_points(labels, phases), None),
        "sizes": (lambda: sizes.measure(labels, phases), None),
    }
    print(f"{options.size} x {options.size} pixels, {options.grains} grains, CPU-seconds")
    print(f"{'measure':<14}{'first call':>11}{'matlens':>9}{'skimage':>9}{'ratio':>8}{'promised':>10}")
    slow = []
    for name, (mine, theirs) in cases.items():
        first, seconds = cpu_seconds(mine, 1), cpu_seconds(mine, 3)
        peer = cpu_seconds(theirs, 1) if theirs else np.nan
        promise = PROMISED.get(name)
        print(f"{name:<14}{first:>11.3f}{seconds:>9.3f}{peer:>9.2f}{peer / seconds:>8.0f}{promise or '':>10}")
        slow += [name] if promise and peer / seconds < promise else []
    if slow:
        print(f"slower than promised: {', '.join(slow)}")
    return int(options.check and bool(slow))


if __name__ == "__main__":
    sys.exit(main())
