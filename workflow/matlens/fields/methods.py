"""The solvers and the controls of the stage: each takes a Problem and returns its fields.

Tensor fields are (axes, axes, *shape), vector fields (axes, *shape), in the order of the axes of the array.
"""

from typing import NamedTuple

import numpy as np

from matlens.fields import conduction, elastic, hexahedra, plastic, stokes
from matlens.fields.problem import Problem
from matlens.fields.settings import STEPS, is_tensor


class Field(NamedTuple):
    """`cause` (strain or gradient) and `answer` (stress or flux) of one item; the solver's iterations and residual.

    `across`: the normal stress out of the plane (*shape) of an elastoplastic image, which its strain does not give.
    `half_width`: of the 90 % interval of the answer, by the networks of an ensemble; None where there is none.
    """

    cause: np.ndarray
    answer: np.ndarray
    iterations: int = 0
    residual: float = float("nan")
    across: np.ndarray | None = None
    half_width: np.ndarray | None = None


def fft(
    problem: Problem, *, scheme: str = "rotated", tol: float = 1e-5, iterations: int = 2000, steps: int = STEPS
) -> Field:
    """Solve a periodic cell; `scheme`: rotated, fourier, or hexahedra (finite elements, elasticity alone).

    Raises BadItem if it does not converge.
    """
    return _solved(problem, scheme, steps, tol=tol, iterations=iterations)


def flow(problem: Problem, *, scheme: str = "lattice", tau: float = 1.0, tol: float = 1e-3, iterations: int = 50000):
    """Solve for creeping flow by lattice Boltzmann; the cause is the driving force, the answer the velocity.

    `tau`: relaxation time; `tol`: largest change of the permeability over the last half of all steps. Raises BadItem
    if it still changes after `iterations` steps.
    """
    found, steps, change = stokes.solve(
        problem.pores(), problem.load, problem.mirrors, tau=tau, tol=tol, steps=iterations
    )
    return Field(uniform(problem).cause, found * problem.width() ** 2 / problem.viscosity(), steps, change)


def cut(problem: Problem, scheme: str = "rotated", *, iterations: int = 4) -> Field:
    """Control: the solver, stopped after a few iterations. A network has to be better than it at equal cost.

    An elastoplastic cell is loaded in one step. Of a flow, Darcy's law is solved, with a local permeability.
    """
    if problem.mirrors:
        axis, pores = int(np.abs(problem.load).argmax()), problem.pores()
        speed, _ = stokes.guess_between(pores, problem.mirrors, axis, iterations)
        return Field(uniform(problem).cause, speed * problem.load[axis] * problem.width() ** 2 / problem.viscosity())
    if problem.quantity == "elastoplastic":
        about = {"spacing": problem.spacing, "scheme": scheme}
        strain, stress = plastic.stopped(_material(problem), _mean(problem), iterations, **about)
        return _in_plane(problem, strain, stress, iterations)
    return _linear(problem, scheme, cut=iterations)


def resumed(problem: Problem, cause: np.ndarray, scheme: str, iterations: int) -> Field:
    """Take some iterations of the solver from a field of the cause; with 0, its nearest compatible field."""
    return _linear(problem, scheme, start=cause, cut=iterations)


def _solved(problem: Problem, scheme: str, steps: int, **options) -> Field:
    if problem.quantity == "elastoplastic":
        return _plastic(problem, scheme, steps, **options)
    return _linear(problem, scheme, **options)


def _linear(problem: Problem, scheme: str, **options) -> Field:
    options |= {"spacing": problem.spacing}
    if problem.quantity == "stokes":
        scheme = "rotated"
    if not is_tensor(problem.quantity):
        return Field(*conduction.solve(problem.local(), problem.load, scheme=scheme, **options))
    options["eigenstrain"] = problem.eigenstrain()
    if scheme == "hexahedra":
        return Field(*hexahedra.solve(*problem.lame(), problem.load, **options))
    return Field(*elastic.solve(*problem.lame(), problem.load, scheme=scheme, **options))


def _plastic(problem: Problem, scheme: str, steps: int, **options) -> Field:
    about = {"spacing": problem.spacing, "scheme": scheme, **options}
    strain, stress, _ = plastic.solve(_material(problem), _mean(problem), steps, **about)[-1]
    return _in_plane(problem, strain, stress, steps)


def _mean(problem: Problem) -> np.ndarray:
    """Return the mean strain of an elastoplastic cell (3, 3)."""
    axes, mean = problem.labels.ndim, np.zeros((3, 3))
    mean[-axes:, -axes:] = problem.load
    return mean


def _in_plane(problem: Problem, strain: np.ndarray, stress: np.ndarray, iterations: int) -> Field:
    """Make a field of the axes of the cell; the normal stress across an image is kept beside."""
    axes = problem.labels.ndim
    across = stress[0, 0] if axes == 2 else None
    return Field(strain[-axes:, -axes:], stress[-axes:, -axes:], iterations, across=across)


def _material(problem: Problem) -> plastic.Material:
    return plastic.Material(*problem.lame(), problem.voxels("yield_gpa"), problem.voxels("hardening_gpa"))


def uniform(problem: Problem) -> Field:
    """Control: the mean load everywhere (Voigt); its stress is that of each phase under the mean strain."""
    shape = problem.labels.shape
    cause = np.broadcast_to(
        problem.load.reshape(*problem.load.shape, *(1,) * len(shape)), (*problem.load.shape, *shape)
    )
    return Field(np.array(cause), answer_of(problem, cause))


def answer_of(problem: Problem, cause: np.ndarray) -> np.ndarray:
    """Return the answer of every voxel to a field of its cause: stress of a strain, or flux of a gradient.

    The stress of an elastoplastic voxel is that after the strain has grown in proportion.
    """
    if problem.quantity == "elastoplastic":
        axes = problem.labels.ndim
        return yielded(problem, cause)[-axes:, -axes:]
    if is_tensor(problem.quantity):
        free = problem.eigenstrain()
        return elastic.hooke(np.asarray(cause) - (0.0 if free is None else free), *problem.lame())
    return problem.local() * cause


def yielded(problem: Problem, cause: np.ndarray) -> np.ndarray:
    """Return the stress (3, 3, *shape) of an elastoplastic cell after its strain has grown in proportion."""
    axes, shape = problem.labels.ndim, problem.labels.shape
    strain = np.zeros((3, 3, *shape))
    strain[-axes:, -axes:] = cause
    rest = plastic.State(np.zeros_like(strain), np.zeros(shape))
    return plastic.radial_return(strain, rest, _material(problem))[0]


def phase_means(problem: Problem, truth: Field) -> Field:
    """Control: in every phase the mean of the true field of this item, the best that fractions alone could say."""
    made = []
    for field in (truth.cause, truth.answer):
        flat = np.empty_like(field)
        for phase in np.unique(problem.labels):
            inside = problem.labels == phase
            flat[..., inside] = field[..., inside].mean(axis=-1, keepdims=True)
        if problem.mirrors:  # the other components have no mean in the whole cell
            flat[np.array(problem.mirrors) > 0] = 0.0
        made.append(flat)
    return Field(*made)
