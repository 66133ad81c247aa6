"""Effective conductivity, stiffness and tortuosity beside scikit-fem and taufactor, as ratios in one run.

scikit-fem is a package of the environment (tests). taufactor has an environment of its own: python -m venv DIR, then
DIR/bin/pip install taufactor. Run: TAUFACTOR_PYTHON=DIR/bin/python python benchmarks/fields_peers.py
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _timing import cpu_seconds, warm
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from matlens.fields import conduction, elastic, hexahedra
from matlens.image import diffusion_kernel


def blobs(shape: tuple[int, ...], part: float = 0.5) -> np.ndarray:
    """Make a periodic texture of two phases."""
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 3, mode="wrap")
    return (field > np.quantile(field, 1 - part)).astype(int)


def row(name: str, own: float, value: float, peer: float, other: float) -> None:
    """Print a line: CPU seconds of both, their ratio, and the relative difference of the results."""
    print(f"{name:<46} {own:8.3f} s {peer:8.3f} s {peer / own:7.1f} x   {value / other - 1:+8.2%}", flush=True)


def by_elements(size: int, ratio: float) -> None:
    """Compare a component of the effective conductivity, and of the stiffness."""
    import _finite_elements as peer

    labels = blobs((size, size))
    k = np.array([1.0, ratio])[labels]
    own = conduction.solve(k, np.array([0.0, 1.0]), tol=1e-5).stress[1].mean()
    seconds = cpu_seconds(lambda: conduction.solve(k, np.array([0.0, 1.0]), tol=1e-5))
    theirs = peer.conduction(k, (1.0, 0.0))[0]
    row(
        f"conduction {size}^2, ratio {ratio:g}",
        seconds,
        own,
        cpu_seconds(lambda: peer.conduction(k, (1.0, 0.0))),
        theirs,
    )
    first, mu = elastic.lame(k, 0.3)
    for name, solve in (("differences", elastic.solve), ("finite elements", hexahedra.solve)):
        own = solve(first, mu, np.diag([0.0, 1.0]), tol=1e-5).stress[1, 1].mean()
        seconds = cpu_seconds(lambda s=solve: s(first, mu, np.diag([0.0, 1.0]), tol=1e-5))
        theirs = peer.elasticity(first, mu, np.diag([1.0, 0.0]))[0, 0]
        taken = cpu_seconds(lambda: peer.elasticity(first, mu, np.diag([1.0, 0.0])), 1)
        row(f"elasticity {size}^2, ratio {ratio:g}, {name}", seconds, own, taken, theirs)


def by_taufactor(size: int, part: float, python: str) -> None:
    """Compare the tortuosity factor of one phase along the first axis."""
    mask = blobs((size,) * 3, part).astype(np.uint8)
    seconds, flow = warm(lambda: diffusion_kernel.solve(mask.astype(bool), (1.0,) * 3, 1e-3))
    own = mask.mean() * size / flow.conductance
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "volume.npy", mask)
        script = [python, str(Path(__file__).with_name("_taufactor.py")), str(Path(folder) / "volume.npy")]
        found = json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    row(f"tortuosity {size}^3, fraction {part:g}", seconds, own, found["seconds"], found["tau"])


def main() -> None:
    """Print the lines that can be computed, and which peer is not there."""
    print(f"{'':<46} {'matlens':>10} {'peer':>10} {'peer / matlens':>14} {'difference':>8}")
    try:
        import skfem

        print(f"scikit-fem {skfem.__version__}")
        for size in (64, 128):
            for ratio in (10.0, 50.0):
                by_elements(size, ratio)
    except ImportError:
        print("scikit-fem is not installed: pip install scikit-fem")
    python = os.environ.get("TAUFACTOR_PYTHON", "")
    if not python:
        print("taufactor: TAUFACTOR_PYTHON names no environment that has it")
        return
    print("taufactor; both until the fluxes through all planes agree within 0.1 %")
    for size, part in ((64, 0.5), (64, 0.25), (96, 0.5), (128, 0.3)):
        by_taufactor(size, part, python)


if __name__ == "__main__":
    main()
