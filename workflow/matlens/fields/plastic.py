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

NEWTON = 40  # steps, the last few of which converge quadratically
TOGETHER = 5  # iterations within a Newton step of a solver that is stopped early


class Material(NamedTuple):
    """Properties of every voxel, each (*shape); an infinite yield stress is elastic."""

    first: np.ndarray
    mu: np.ndarray
    yield_stress: np.ndarray
    hardening: np.ndarray


class State(NamedTuple):
    """State after a load step: plastic strain (3, 3, *shape) and accumulated plastic strain (*shape)."""

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
    safe = np.where(mu > 0, mu, 1.0)  # voids do not flow
    stress = hooke(strain - state.plastic, first, mu)
    trial = deviator(stress)
    size = np.sqrt((trial**2).sum(axis=(0, 1)))
    over = size - np.sqrt(2 / 3) * (limit + hardening * state.accumulated)
    flows = over > 0
    gain = np.where(flows, over, 0.0) / (2 * safe + 2 / 3 * hardening)
    n = trial / np.where(flows, size, 1.0) * flows
    stress = stress - 2 * mu * gain * n
    theta = 1.0 - 2 * mu * gain / np.where(flows, size, 1.0)
    bar = np.where(flows, 1.0 / (1.0 + hardening / (3 * safe)) - (1.0 - theta), 0.0)
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
    cell = _Cell(material, spacing, scheme, tol, iterations)
    state = State(np.zeros((3, 3, *material.mu.shape)), np.zeros(material.mu.shape))
    u, done = np.zeros(cell.grid.d.shape, complex), []
    for step in range(1, steps + 1):
        constant = (np.asarray(mean, float) * step / steps).reshape(3, 3, *(1,) * material.mu.ndim)
        try:
            u, strain, stress, state = cell.loaded(u, constant, state)
        except BadItem as error:
            flows = np.isfinite(material.yield_stress) & (material.mu > 0) & (material.hardening == 0)
            fix = ", or give hardening_gpa: without it a phase may collapse along a band" if flows.any() else ""
            raise BadItem(f"load step {step} of {steps}: {error}; take more steps{fix}") from None
        done.append((strain, stress, state))
    return done


def stopped(
    material: Material, mean: np.ndarray, iterations: int, *, spacing: tuple[float, ...] | None, scheme: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return strain and stress (3, 3, *shape) after one load step that is stopped after so many iterations of conjugate
    gradients, a few in each Newton step."""
    cell = _Cell(material, spacing, scheme, 0.0, iterations)
    state = State(np.zeros((3, 3, *material.mu.shape)), np.zeros(material.mu.shape))
    constant = np.asarray(mean, float).reshape(3, 3, *(1,) * material.mu.ndim)
    u = np.zeros(cell.grid.d.shape, complex)
    seen = cell.looked_at(u, constant, state)
    while iterations > 0 and seen[-1] > 1e-12:
        u, seen, done = cell.improved(u, constant, state, seen, 0.0, min(iterations, TOGETHER))
        iterations -= max(done, 1)
    return seen[0], seen[1]


class _Cell:
    """A periodic cell: its grid, its preconditioner, and how its Newton steps are done."""

    def __init__(self, material: Material, spacing, scheme: str, tol: float, iterations: int):
        self.material, self.tol, self.iterations = material, tol, iterations
        self.grid = Grid(material.mu.shape, spacing, scheme)
        self.operator = inverse(self.grid.d, float(material.first.mean()), float(material.mu.mean()))

    def strain_of(self, u: np.ndarray) -> np.ndarray:
        """Return the strain (3, 3, *shape) of a displacement in Fourier space."""
        axes = len(self.grid.shape)
        gradient = self.grid.d[None] * u[:, None]
        made = np.zeros((3, 3, *self.grid.shape))
        made[-axes:, -axes:] = self.grid.back(0.5 * (gradient + gradient.swapaxes(0, 1)))
        return made

    def force(self, stress: np.ndarray) -> np.ndarray:
        """Return the divergence of a stress in Fourier space, with the sign of the operator."""
        axes = len(self.grid.shape)
        return (self.grid.d.conj()[None] * self.grid.forward(stress[-axes:, -axes:])).sum(axis=1)

    def looked_at(self, u: np.ndarray, constant: np.ndarray, state: State):
        """Return strain, stress, new state, tangent parts, residual and its size relative to the stress."""
        strain = self.strain_of(u) + constant
        stress, new, parts = radial_return(strain, state, self.material)
        residual = -self.force(stress)
        scale = np.sqrt((stress**2).sum(axis=(0, 1)).mean())
        left = np.sqrt(max(self.grid.dot(residual, residual), 0.0)) / scale if scale > 0 else 0.0
        return strain, stress, new, parts, residual, scale, left

    def loaded(self, u: np.ndarray, constant: np.ndarray, state: State):
        """Return displacement, strain, stress and state in equilibrium under a mean strain, by damped Newton steps."""
        seen = self.looked_at(u, constant, state)
        for _ in range(NEWTON):
            strain, stress, new, *_, left = seen
            if left <= self.tol:
                return u, strain, stress, new
            u, seen, _ = self.improved(u, constant, state, seen, max(0.1 * self.tol, 0.01 * left))
        raise BadItem(f"not in equilibrium: residual {left:.1e} after {NEWTON} Newton steps")

    def improved(self, u: np.ndarray, constant: np.ndarray, state: State, seen: tuple, tol: float, cut=None):
        """Take one damped Newton step; returns the displacement, what `looked_at` sees of it, and the iterations."""
        *_, parts, residual, scale, left = seen
        change, done, _ = conjugate_gradients(
            np.zeros_like(u),
            residual,
            lambda p: self.force(tangent(self.strain_of(p), self.material, parts)),
            lambda r: (self.operator * r[None]).sum(axis=1),
            self.grid.dot,
            scale,
            tol,
            self.iterations,
            cut,
        )
        for damping in (1.0, 0.5, 0.25, 0.125):
            seen = self.looked_at(u + damping * change, constant, state)
            if seen[-1] * seen[-2] < left * scale:
                break
        return u + damping * change, seen, done
