"""Preconditioned conjugate gradients with a stop by equilibrium; the same for elasticity and conduction."""

from collections.abc import Callable

import numpy as np

from matlens.job.batch import BadItem


def conjugate_gradients(
    u: np.ndarray,
    residual: np.ndarray,
    apply: Callable,
    precondition: Callable,
    dot: Callable,
    scale: float,
    tol: float,
    most: int,
    cut: int | None = None,
) -> tuple[np.ndarray, int, float]:
    """Solve `apply(u) = b` from a start `u` with its `residual`; returns u, iterations and the relative residual.

    `scale`: what the rms of the residual is divided by. `cut`: stop after so many iterations, converged or not.
    Raises BadItem if the residual is above `tol` after `most` iterations.
    Source: M. R. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409.
    """
    z = precondition(residual)
    p, rz, done = z, dot(residual, z), 0

    def left() -> float:
        return 0.0 if scale == 0 else float(np.sqrt(max(dot(residual, residual), 0.0)) / scale)

    while done < (most if cut is None else cut) and left() > (tol if cut is None else 1e-14) and rz > 0.0:
        ap = apply(p)
        step = rz / dot(p, ap)
        u, residual = u + step * p, residual - step * ap
        z = precondition(residual)
        rz, before = dot(residual, z), rz
        p = z + rz / before * p
        done += 1
    if cut is None and not left() <= tol:  # not a number, too
        raise BadItem(
            f"the field has not converged: equilibrium residual {left():.1e} after {done} iterations, asked {tol:g}; "
            "raise iterations, or lower the contrast of the phases"
        )
    return u, done, left()
