"""Rates of the solvers of fields, and the difference from a grid twice as fine; beside scikit-fem where it is installed.

Run: python benchmarks/fields_speed.py
"""

import sys
import time
from pathlib import Path

import numpy as np
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


def seconds(function, repeats: int = 3) -> float:
    """Return the least CPU time of some calls."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return min(taken)


def peer_conduction(item: problem.Problem) -> float:
    """Return the effective conductivity along x by periodic bilinear elements of scikit-fem."""
    import skfem
    from scipy.sparse import coo_matrix
    from skfem.helpers import dot, grad

    ny, nx = item.labels.shape
    mesh = skfem.MeshQuad.init_tensor(np.arange(nx + 1.0), np.arange(ny + 1.0))
    basis = skfem.Basis(mesh, skfem.ElementQuad1())
    middle = mesh.p[:, mesh.t].mean(axis=1).astype(int)
    k = item.voxels("conductivity_w_per_m_k")[middle[1], middle[0]][:, None]
    stiff = skfem.BilinearForm(lambda u, v, w: w.k * dot(grad(u), grad(v))).assemble(basis, k=k + 0 * basis.dx)
    x, y = mesh.p
    owner = (np.round(y).astype(int) % ny) * nx + np.round(x).astype(int) % nx
    join = coo_matrix((np.ones(len(x)), (np.arange(len(x)), owner)), (len(x), nx * ny)).tocsc()
    u = np.zeros(nx * ny)
    reduced, load = (join.T @ stiff @ join).tocsc(), -(join.T @ (stiff @ x))
    u[1:] = skfem.solve(reduced[1:, 1:], load[1:])
    whole = x + join @ u
    return float(whole @ (stiff @ whole)) / (nx * ny)


def main() -> None:
    """Print a line for every cell and scheme."""
    print(
        "quantity    cell        ratio  scheme     iterations  CPU s  voxels/s  N against 2N: L2, mean; cut 4: L2, CPU s"
    )
    for quantity, shape in CELLS:
        for ratio in (10.0, 50.0):
            item = cell(quantity, shape, ratio)
            for scheme in ("rotated", "fourier", *(["hexahedra"] if quantity == "elastic" else [])):
                found = methods.fft(item, scheme=scheme)
                taken = seconds(lambda s=scheme, i=item: methods.fft(i, scheme=s))
                rows = report.discretisation_rows(item, found, lambda fine, s=scheme: methods.fft(fine, scheme=s))
                cut = report.quality_rows(item, methods.cut(item, scheme), found, scheme)["rel_l2"]
                cheap = seconds(lambda s=scheme, i=item: methods.cut(i, s))
                size = "x".join(map(str, shape))
                print(
                    f"{quantity:<11} {size:<11} {ratio:5g}  {scheme:<10} {found.iterations:10d} {taken:6.3f} "
                    f"{item.labels.size / taken:9.2e}  {rows['discretisation']:.3f}, {rows['discretisation_mean']:.4f}; "
                    f"{cut:.3f}, {cheap:.3f}"
                )
    try:
        import skfem  # noqa: F401
    except ImportError:
        print("scikit-fem is not installed: no peer beside these")
        return
    item = cell("conduction", (64, 64), 10.0)
    own = methods.fft(item).answer[1].mean()
    print(f"k along x, 64x64: own {own:.5f}, scikit-fem {peer_conduction(item):.5f}")
    print(
        f"CPU s: own {seconds(lambda: methods.fft(item)):.3f}, scikit-fem {seconds(lambda: peer_conduction(item)):.3f}"
    )


if __name__ == "__main__":
    main()
