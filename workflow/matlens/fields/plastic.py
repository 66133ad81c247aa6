"""Small-strain J2 plasticity of periodic microstructures: radial return, and Newton steps by conjugate gradients.

Isotropic linear hardening: the yield stress is `yield_stress + hardening * a`, a the accumulated plastic strain.
Tensors are always (3, 3, *shape), so that two-dimensional cells are in plane strain. Source: J. C. Simo, T. J. R.
Hughes, Computational Inelasticity (1998), boxes 3.1 and 3.2; consistent tangent eq. 3.3.28.
"""

from typing import NamedTuple

import numpy as np

from matlens.fields.elastic import hooke, inverse
from matlens.fields.grid import Grid
from matlens.fields.iterate import conjugate_gradients
from matlens.job.batch import BadItem

NEWTON = 25  # steps; each at least halves the residual near the answer


class Material(NamedTuple):
    """Properties of every voxel, each (*shape); an infinite yield stress is elastic."""

    first: np.ndarray
    mu: np.ndarray
    yield_stress: np.ndarray
    hardening: np.ndarray


class State(NamedTuple):
    """What a load step leaves: plastic strain (3, 3, *shape) and accumulated plastic strain (*shape)."""

    plastic: np.ndarray
    accumulated: np.ndarray


def deviator(tensor: np.ndarray) -> np.ndarray:
    """Return the deviator of (3, 3, *shape)."""
    made = tensor.copy()
    trace = np.trace(tensor) / 3.0
    for axis in range(3):
        made[axis, axis] -= trace
    return made


def radial_return(strain: np.ndarray, state: State, material: Material):
    """Return the stress, the new state, and what the tangent needs: the flow direction and its two factors.

    The tangent maps de to hooke(de) - 2 mu (1 - theta) dev(de) - 2 mu bar n (n : de).
    """
    first, mu, limit, hardening = material
    stress = hooke(strain - state.plastic, first, mu)
    trial = deviator(stress)
    size = np.sqrt((trial**2).sum(axis=(0, 1)))
    over = size - np.sqrt(2 / 3) * (limit + hardening * state.accumulated)
    flows = over > 0
    gain = np.where(flows, over, 0.0) / (2 * mu + 2 / 3 * hardening)
    n = trial / np.where(flows, size, 1.0) * flows
    stress = stress - 2 * mu * gain * n
    theta = 1.0 - 2 * mu * gain / np.where(flows, size, 1.0)
    bar = np.where(flows, 1.0 / (1.0 + hardening / (3 * mu)) - (1.0 - theta), 0.0)
    new = State(state.plastic + gain * n, state.accumulated + np.sqrt(2 / 3) * gain)
    return stress, new, (n, theta, bar)


def tangent(change: np.ndarray, material: Material, parts: tuple) -> np.ndarray:
    """Return the change of stress of a small change of strain (3, 3, *shape)."""
    n, theta, bar = parts
    along = (n * change).sum(axis=(0, 1))
    made = hooke(change, material.first, material.mu)
    return made - 2 * material.mu * ((1.0 - theta) * deviator(change) + bar * along * n)


def solve(
    material: Material,
    mean: np.ndarray,
    steps: int,
    *,
    spacing: tuple[float, ...] | None = None,
    scheme: str = "rotated",
    tol: float = 1e-5,
    iterations: int = 1000,
) -> list[tuple[np.ndarray, np.ndarray, State]]:
    """Load a periodic cell in equal steps up to a mean strain (3, 3); returns (strain, stress, state) of every step.

    Raises BadItem if a step does not converge.
    """
    shape = material.mu.shape
    grid = Grid(shape, spacing, scheme)
    axes, d = len(shape), grid.d
    operator = inverse(d, float(material.first.mean()), float(material.mu.mean()))
    state = State(np.zeros((3, 3, *shape)), np.zeros(shape))
    u, done = np.zeros(d.shape, complex), []

    def strain_of(u):
        gradient = d[None] * u[:, None]
        made = np.zeros((3, 3, *shape))
        made[-axes:, -axes:] = grid.back(0.5 * (gradient + gradient.swapaxes(0, 1)))
        return made

    def force(stress):
        return (d.conj()[None] * grid.forward(stress[-axes:, -axes:])).sum(axis=1)

    for step in range(1, steps + 1):
        constant = (np.asarray(mean, float) * step / steps).reshape(3, 3, *(1,) * axes)
        for _ in range(NEWTON):
            strain = strain_of(u) + constant
            stress, new, parts = radial_return(strain, state, material)
            residual = -force(stress)
            scale = np.sqrt((stress**2).sum(axis=(0, 1)).mean())
            left = np.sqrt(max(grid.dot(residual, residual), 0.0)) / scale if scale > 0 else 0.0
            if left <= tol:
                break
            change, _, _ = conjugate_gradients(
                np.zeros_like(u),
                residual,
                lambda p, parts=parts: force(tangent(strain_of(p), material, parts)),
                lambda r: (operator * r[None]).sum(axis=1),
                grid.dot,
                scale,
                max(0.1 * tol, 0.01 * left),
                iterations,
            )
            u = u + change
        else:
            raise BadItem(f"load step {step} of {steps} has not converged: residual {left:.1e}; take more steps")
        state = new
        done.append((strain, stress, state))
    return done
