"""Preconditioned conjugate gradients with a stop by equilibrium; the same for elasticity and conduction."""

from collections.abc import Callable

import numpy as np

from matlens.job.batch import BadItem

LEAST = 1e-3  # of the stress of the softest phase: a stress below it is 0, the cell comes apart


def rms(field: np.ndarray, axes: int) -> float:
    """Return the rms over the voxels of the norm of a field (components..., *shape) over `axes` axes."""
    return float(np.sqrt((field**2).sum(axis=tuple(range(field.ndim - axes))).mean()))


def least(scale: float, stiffness: np.ndarray) -> float:
    """Return the smallest scale of an answer, from that of a uniform strain or gradient and the stiffness or
    conductivity of every voxel."""
    there = stiffness[stiffness > 0]
    return LEAST * scale * float(there.min() / there.max()) if there.size else 0.0


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
    look: Callable | None = None,
    smallest: float = 0.0,
) -> tuple[np.ndarray, int, float]:
    """Solve `apply(u) = b` from a start `u` with its `residual`; returns u, iterations and the relative residual.

    `scale`: what the rms of the residual is divided by. `cut`: stop after so many iterations, converged or not.
    `look(u)`: the residual and the scale of an answer, computed anew. Between stiff phases the stress falls by orders
    of magnitude from that of the start, and so does what may be left of it; `smallest`: the least scale, see `least`.
    Raises BadItem if the residual is above `tol` after `most` iterations.
    Source: M. R. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409.
    """
    z = precondition(residual)
    p, rz, done = z, dot(residual, z), 0
    most, stop = (most, tol) if cut is None else (cut, 1e-14)

    def left() -> float:
        return 0.0 if scale == 0 else float(np.sqrt(max(dot(residual, residual), 0.0)) / scale)

    while rz > 0.0:
        if left() <= stop:
            exact, scale = look(u) if look else (residual, scale)
            scale = max(scale, smallest)
            if left() <= stop:  # by the scale of this answer, too; `exact` has what rounding leaves of the equations
                residual = exact
                if left() <= stop:
                    break
                z = precondition(residual)
                p, rz = z, dot(residual, z)
        if done >= most:
            break
        ap = apply(p)
        work = dot(p, ap)
        if not work > 0.0:  # rounding alone is left
            break
        step = rz / work
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
