"""Rates of the solvers of fields, their difference from a grid twice as fine, and the solver stopped early.

Run: python benchmarks/fields_speed.py
"""

import sys
from pathlib import Path

import numpy as np
from _timing import cpu_seconds
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from matlens.fields import methods, problem, report

PHASES = ["soft", "hard"]
CELLS = (("elastic", (64, 64)), ("elastic", (128, 128)), ("elastic", (21, 21, 21)))
CELLS = (*CELLS, ("conduction", (64, 64)), ("conduction", (128, 128)), ("conduction", (31, 31, 31)))


def cell(quantity: str, shape: tuple[int, ...], ratio: float) -> problem.Problem:
    """Make a periodic texture of two phases, half of each."""
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 3, mode="wrap")
    labels = (field > np.median(field)).astype(np.uint8)
    elastic = {"soft": {"youngs_gpa": 1.0, "poisson": 0.3}, "hard": {"youngs_gpa": ratio, "poisson": 0.3}}
    conducts = {name: {"conductivity_w_per_m_k": value} for name, value in (("soft", 1.0), ("hard", ratio))}
    settings = {"quantity": quantity, "plane": "strain", "boundary": "periodic"}
    settings |= {"properties": elastic, "loading": {"xx": 1.0}} if quantity == "elastic" else {}
    settings |= {"properties": conducts, "loading": {"x": 1.0}} if quantity == "conduction" else {}
    return problem.make(labels, "zyx"[-len(shape) :], PHASES, None, settings)


def main() -> None:
    """Print a line for every cell and scheme."""
    print("quantity    cell        ratio  scheme     iterations  CPU s  voxels/s   N-2N: L2, mean; cut 4: L2, CPU s")
    for quantity, shape in CELLS:
        for ratio in (10.0, 50.0):
            item = cell(quantity, shape, ratio)
            for scheme in ("rotated", "fourier", *(["hexahedra"] if quantity == "elastic" else [])):
                found = methods.fft(item, scheme=scheme)
                taken = cpu_seconds(lambda s=scheme, i=item: methods.fft(i, scheme=s))
                rows = report.discretisation_rows(
                    item, found, report.finer(item, lambda fine, s=scheme: methods.fft(fine, scheme=s))
                )
                cut = report.quality_rows(item, methods.cut(item, scheme), found, scheme)["rel_l2"]
                cheap = cpu_seconds(lambda s=scheme, i=item: methods.cut(i, s))
                size = "x".join(map(str, shape))
                own = f"{rows['discretisation']:.3f}, {rows['discretisation_mean']:.4f}"
                print(
                    f"{quantity:<11} {size:<11} {ratio:5g}  {scheme:<10} {found.iterations:10d} {taken:6.3f} "
                    f"{item.labels.size / taken:9.2e}  {own}; {cut:.3f}, {cheap:.3f}"
                )


if __name__ == "__main__":
    main()
