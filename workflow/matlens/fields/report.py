"""Tables of a field: its quality against the truth, effective values beside their bounds, hot spots."""

import numpy as np

from matlens.fields import bounds, conduction, elastic, quality
from matlens.fields.grid import Grid
from matlens.fields.methods import Field
from matlens.fields.problem import Problem, is_tensor


def quality_rows(problem: Problem, field: Field, truth: Field, scheme: str) -> dict[str, float]:
    """Measure a field: errors of the answer, by phase too, both residuals, Hill-Mandel, and the error of the load."""
    made = quality.norms(field.answer, truth.answer)
    for phase in np.unique(problem.labels):
        inside = problem.labels == phase
        if 0 < inside.sum() < inside.size:
            made[f"rel_l2_phase_{phase}"] = quality.norms(field.answer, truth.answer, inside)["rel_l2"]
    means = [
        x.reshape(*x.shape[: -problem.labels.ndim], -1).mean(axis=-1) for x in (field.answer, truth.answer, field.cause)
    ]
    made["mean_error"] = float(np.linalg.norm(means[0] - means[1]) / np.linalg.norm(means[1]))
    made["load_error"] = float(np.linalg.norm(means[2] - problem.load) / np.linalg.norm(problem.load))
    if is_tensor(problem.quantity) and scheme != "hexahedra":  # whose residuals live on nodes, not in means of elements
        grid = Grid(problem.labels.shape, problem.spacing, scheme)
        made["equilibrium"] = quality.equilibrium(field.answer, grid)
        made["compatibility"] = quality.compatibility(field.cause, grid)
        made["hill_mandel"] = quality.hill_mandel(field.answer, field.cause)
    return made


def refined(problem: Problem, factor: int = 2) -> Problem:
    """Return the same cell with every voxel divided into `factor` per axis."""
    labels = problem.labels
    for axis in range(labels.ndim):
        labels = np.repeat(labels, factor, axis)
    return problem._replace(labels=labels, spacing=tuple(step / factor for step in problem.spacing))


def coarsened(field: np.ndarray, axes: int, factor: int = 2) -> np.ndarray:
    """Average a field over blocks of `factor` voxels per axis."""
    lead, shape = field.shape[:-axes], field.shape[-axes:]
    blocks = field.reshape(*lead, *(part for n in shape for part in (n // factor, factor)))
    return blocks.mean(axis=tuple(len(lead) + 1 + 2 * k for k in range(axes)))


def effective_rows(problem: Problem, names: list[str], scheme: str, tol: float) -> list[dict]:
    """Return the effective stiffness or conductivity, one row per component, between its bounds.

    `names`: components as `problem.components` lists them. Stiffness is that of strains and stresses, not of
    engineering shears times 2. Bounds are Reuss and Voigt; of a conductivity Hashin and Shtrikman, too.
    """
    phases = len(next(iter(problem.properties.values())))
    share = np.bincount(problem.labels.ravel(), minlength=phases) / problem.labels.size
    axes, options = problem.labels.ndim, {"spacing": problem.spacing, "scheme": scheme, "tol": tol}
    if is_tensor(problem.quantity):
        local = [_mandel(*pair, axes) for pair in zip(*phase_lame(problem), strict=True)]
        whole = elastic.stiffness(*problem.lame(), **options)
        order = [*range(axes - 1, -1, -1), *range(axes, len(whole))][: len(whole)]
        order[axes:] = order[axes:][::-1] if axes == 3 else order[axes:]  # pairs of axes z, y, x are xy, xz, yz
        scale = np.array([1.0] * axes + [np.sqrt(2.0)] * (len(whole) - axes))
    else:
        name = next(iter(problem.properties))
        local = [value * np.eye(axes) for value in problem.properties[name]]
        whole = conduction.effective(problem.voxels(name), **options)
        order, scale = list(range(axes - 1, -1, -1)), np.ones(axes)
    voigt, reuss = _means(local, share)
    voigt, reuss, whole = (part[np.ix_(order, order)] / np.outer(scale, scale) for part in (voigt, reuss, whole))
    more = {}
    if not is_tensor(problem.quantity):
        values = next(iter(problem.properties.values()))
        low, high = bounds.hashin_shtrikman_conductivity(values, share, axes)
        more = {"hashin_shtrikman_low": low, "hashin_shtrikman_high": high}
    rows = []
    for a in range(len(whole)):
        for b in range(a, len(whole)):
            limits = {"reuss": float(reuss[a, a]), "voigt": float(voigt[a, a]), **more} if a == b else {}
            rows.append({"row": names[a], "column": names[b], "value": float(whole[a, b]), **limits})
    return rows


def phase_lame(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return the Lame constants of every phase."""
    return elastic.lame(problem.properties["youngs_gpa"], problem.properties["poisson"], problem.plane_stress)


def _mandel(first: float, mu: float, axes: int) -> np.ndarray:
    """Return the stiffness of an isotropic phase in Mandel notation."""
    matrix = np.diag([2.0 * mu] * (axes * (axes + 1) // 2))
    matrix[:axes, :axes] += first
    return matrix


def _means(local: list[np.ndarray], share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Voigt and Reuss averages of matrices; Reuss is 0 if a phase has no stiffness."""
    voigt = sum(part * matrix for part, matrix in zip(share, local, strict=True))
    if any(part > 0 and np.linalg.det(matrix) <= 0 for part, matrix in zip(share, local, strict=True)):
        return voigt, np.zeros_like(voigt)
    inverse = sum(part * np.linalg.inv(matrix) for part, matrix in zip(share, local, strict=True) if part > 0)
    return voigt, np.linalg.inv(inverse)
