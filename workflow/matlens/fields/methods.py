"""The solvers and the controls of the stage: each takes a Problem and returns its fields.

Tensor fields are (axes, axes, *shape), vector fields (axes, *shape), in the order of the axes of the array.
"""

from typing import NamedTuple

import numpy as np

from matlens.fields import conduction, elastic, hexahedra, plastic
from matlens.fields.problem import Problem, is_tensor

STEPS = 20  # of the load of an elastoplastic cell


class Field(NamedTuple):
    """`cause` (strain or gradient) and `answer` (stress or flux) of one item; the solver's iterations and residual."""

    cause: np.ndarray
    answer: np.ndarray
    iterations: int = 0
    residual: float = float("nan")


def fft(
    problem: Problem, *, scheme: str = "rotated", tol: float = 1e-5, iterations: int = 2000, steps: int = STEPS
) -> Field:
    """Solve a periodic cell; `scheme`: rotated, fourier, or hexahedra (finite elements, elasticity alone).

    Raises BadItem if it does not converge.
    """
    return _solved(problem, scheme, steps, tol=tol, iterations=iterations)


def cut(problem: Problem, *, iterations: int = 4, scheme: str = "rotated") -> Field:
    """Control: the solver, stopped after a few iterations. A network has to be better than it at equal cost."""
    return _solved(problem, scheme, STEPS, cut=iterations)


def _solved(problem: Problem, scheme: str, steps: int, **options) -> Field:
    if not is_tensor(problem.quantity):
        name = next(iter(problem.properties))
        found = conduction.solve(problem.voxels(name), problem.load, spacing=problem.spacing, scheme=scheme, **options)
    elif problem.quantity == "elastoplastic":
        return _plastic(problem, scheme, steps, **{k: v for k, v in options.items() if k != "cut"})
    elif scheme == "hexahedra":
        found = hexahedra.solve(*problem.lame(), problem.load, spacing=problem.spacing, **options)
    else:
        found = elastic.solve(*problem.lame(), problem.load, spacing=problem.spacing, scheme=scheme, **options)
    return Field(*found)


def _plastic(problem: Problem, scheme: str, steps: int, **options) -> Field:
    axes = problem.labels.ndim
    material = plastic.Material(*problem.lame(), problem.voxels("yield_gpa"), problem.voxels("hardening_gpa"))
    mean = np.zeros((3, 3))
    mean[-axes:, -axes:] = problem.load
    strain, stress, _ = plastic.solve(material, mean, steps, spacing=problem.spacing, scheme=scheme, **options)[-1]
    return Field(strain[-axes:, -axes:], stress[-axes:, -axes:], steps)


def uniform(problem: Problem) -> Field:
    """Control: the mean load everywhere (Voigt); its stress is that of each phase under the mean strain."""
    shape = problem.labels.shape
    cause = np.broadcast_to(
        problem.load.reshape(*problem.load.shape, *(1,) * len(shape)), (*problem.load.shape, *shape)
    )
    return Field(np.array(cause), answer_of(problem, cause))


def answer_of(problem: Problem, cause: np.ndarray) -> np.ndarray:
    """Return the linear answer of every voxel to a field of its cause: stress of a strain, or flux of a gradient."""
    if is_tensor(problem.quantity):
        return elastic.hooke(np.asarray(cause), *problem.lame())
    return problem.voxels(next(iter(problem.properties))) * cause


def phase_means(problem: Problem, truth: Field) -> Field:
    """Control: in every phase the mean of the true field of this item, the best that fractions alone could say."""
    made = []
    for field in (truth.cause, truth.answer):
        flat = np.empty_like(field)
        for phase in np.unique(problem.labels):
            inside = problem.labels == phase
            flat[..., inside] = field[..., inside].mean(axis=-1, keepdims=True)
        made.append(flat)
    return Field(*made)
