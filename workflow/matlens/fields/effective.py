"""Effective stiffness or conductivity of a cell, beside the bounds that its phase fractions alone give."""

import numpy as np

from matlens.fields import bounds, components, conduction, elastic, hexahedra, stokes
from matlens.fields.methods import Field
from matlens.fields.problem import Problem
from matlens.fields.settings import QUANTITIES, is_tensor
from matlens.image import tortuosity

WIDTH = 1e-6  # by which a bound may be missed: the tolerance of the solver


def effective_rows(
    problem: Problem, names: list[str], scheme: str, field: Field | None = None, **options
) -> list[dict]:
    """Return the effective stiffness or conductivity, one row per component, between its bounds.

    `names`: components as `settings.components` lists them; `options`: tol and iterations of the solver. Stiffness
    is C_ijkl, which for a shear is the stress over the engineering strain; of an elastoplastic cell it is that before
    it yields. Bounds are Reuss and Voigt; those of Hashin and Shtrikman are of a conductivity, and of the bulk and
    shear modulus of an isotropic body that is nearest to the stiffness (Voigt average over directions).
    """
    share = fractions(problem)
    if problem.quantity == "stokes":
        return by_load(problem, names, field)
    if not is_tensor(problem.quantity):
        return _conductivity(problem, names, share, scheme, options)
    axes = problem.labels.ndim
    first, mu = elastic.lame(problem.properties["youngs_gpa"], problem.properties["poisson"], problem.plane_stress)
    if scheme == "hexahedra":
        options["solver"] = hexahedra.solve
    else:
        options["scheme"] = scheme
    whole = elastic.stiffness(*problem.lame(), spacing=problem.spacing, **options)
    voigt, reuss = _means([_mandel(*pair, axes) for pair in zip(first, mu, strict=True)], share)
    order = [*range(axes - 1, -1, -1), *range(axes, len(whole))]
    order[axes:] = order[axes:][::-1]  # pairs of the axes z, y, x are xy, xz, yz
    scale = np.array([1.0] * axes + [np.sqrt(2.0)] * (len(whole) - axes))
    tensors = [part[np.ix_(order, order)] / np.outer(scale, scale) for part in (whole, reuss, voigt)]
    return _components(*tensors, names, {}) + _isotropic(tensors[0], first, mu, share, axes)


def by_load(problem: Problem, names: list[str], field: Field) -> list[dict]:
    """Return the effective values that the field of one load gives: a column of the stiffness or conductivity.

    None for a load of several components, for an elastoplastic cell, and where phases have a strain of their own. Of
    a flow: the permeability, the mean velocity times viscosity over the driving force.
    """
    load = problem.load
    loads = [place for place in np.argwhere(load) if len(place) == 1 or place[0] <= place[1]]
    if len(loads) != 1 or problem.quantity == "elastoplastic" or problem.eigenstrain() is not None:
        return []
    axes = "zyx"[-problem.labels.ndim :]
    letters = sorted(axes[k] for k in loads[0])
    column = next(name for name in names if sorted(name) == letters)
    size = load[tuple(loads[0])] * (2.0 if len(set(letters)) > 1 else 1.0)
    size /= problem.viscosity() if problem.quantity == "stokes" else 1.0
    means = problem.mean(field.answer)
    found = []
    for name, place in zip(names, components.places(names, axes), strict=True):
        row, col = (name, column) if names.index(name) <= names.index(column) else (column, name)
        found.append({"row": row, "column": col, "value": float(means[place] / size)})
    return found + (kozeny_carman(problem) if problem.quantity == "stokes" else [])


def kozeny_carman(problem: Problem) -> list[dict]:
    """Return the permeability of a pore space by its fraction and its surface alone, fraction^3 / (5 surface^2).

    The surface per volume follows from the changes of phase along the axes, which do not depend on how voxels
    approximate it: 2 per length in volumes, pi / 2 in sections of a body that is long across them (E. E. Underwood,
    Quantitative Stereology (1970)). Source: P. C. Carman, Trans. Inst. Chem. Eng. 15 (1937) 150; for an isotropic pore
    space.
    """
    pores, changes = problem.pores(), []
    for axis in range(pores.ndim):
        seen = pores != np.roll(pores, -1, axis)
        last = -1 if problem.mirrors else None  # a plane and its image are equal: that says nothing of the surface
        seen = seen[tuple(slice(None, last if k == axis else None) for k in range(pores.ndim))]
        changes += [seen.mean()] if seen.size else []
    surface = (2.0 if pores.ndim == 3 else np.pi / 2) * np.mean(changes or [0.0]) / problem.width()
    if not surface:
        return []
    return [{"row": "kozeny_carman", "column": "", "value": float(pores.mean() ** 3 / (5 * surface**2))}]


def unit_of(problem: Problem) -> str:
    """Return the unit of effective values; a permeability is in pixels squared where no pixel size is known."""
    return "px2" if problem.quantity == "stokes" and not problem.pixel_um else QUANTITIES[problem.quantity].unit


def answer_unit(problem: Problem) -> str:
    """Return the unit of the stress, flux or velocity; velocities are over pixels squared where no size is known."""
    return (
        "px2/(m s)"
        if problem.quantity == "stokes" and not problem.pixel_um
        else QUANTITIES[problem.quantity].answer_unit
    )


def fractions(problem: Problem) -> np.ndarray:
    """Return the fraction of every phase in the cell (phases,)."""
    phases = len(next(iter(problem.properties.values())))
    return np.bincount(problem.labels.ravel(), minlength=phases) / problem.labels.size


def violated(rows: list[dict]) -> int:
    """Count the effective values outside the bounds of Reuss and Voigt."""
    return sum(
        not row["reuss"] - WIDTH * row["voigt"] <= row["value"] <= row["voigt"] * (1 + WIDTH)
        for row in rows
        if "reuss" in row
    )


def _conductivity(problem: Problem, names: list[str], share: np.ndarray, scheme: str, options: dict) -> list[dict]:
    axes, values = problem.labels.ndim, next(iter(problem.properties.values()))
    voxels = problem.voxels(next(iter(problem.properties)))
    whole = conduction.effective(voxels, spacing=problem.spacing, scheme=scheme, **options)[::-1, ::-1]
    reuss, voigt = (value * np.eye(axes) for value in bounds.voigt_reuss(values, share))
    present = share > 0
    low, high = bounds.hashin_shtrikman_conductivity(values[present], share[present], axes)
    rows = _components(whole, reuss, voigt, names, _limits(low, high))
    return rows + (tortuosities(problem, whole, share, names) if problem.quantity == "diffusion" else [])


def tortuosities(problem: Problem, whole: np.ndarray, share: np.ndarray, names: list[str]) -> list[dict]:
    """Return the tortuosity factor along every axis, fraction x D0 / D_eff, where one phase alone lets through.

    In a mirrored cell that is the tortuosity factor between two faces of the item, and has the solver of
    `quantify.tortuosity`; in others, D_eff is that of the field (`whole`, in the order of `names`).
    """
    values = next(iter(problem.properties.values()))
    if np.count_nonzero((values > 0) & (share > 0)) != 1:
        return []
    open_phase = np.where(share > 0, values, 0.0).argmax()
    relative = np.diag(whole) / values[open_phase]
    pores = problem.labels == open_phase
    fold = stokes.folded(pores, np.eye(problem.labels.ndim)[0])
    if all(fold.mirrors):
        axes = range(problem.labels.ndim)
        relative = [tortuosity.diffusivity(pores[fold.part], axis, problem.spacing) for axis in axes][::-1]
    factors = [tortuosity.factor(share[open_phase], float(own)) for own in relative]
    return [
        {"row": f"tortuosity_{name}", "column": "", "value": value, "unit": "1"}
        for name, value in zip(names, factors, strict=True)
        if np.isfinite(value)
    ]


def _limits(low: float, high: float) -> dict[str, float]:
    return {"hashin_shtrikman_low": float(low), "hashin_shtrikman_high": float(high)}


def _components(whole, reuss, voigt, names: list[str], more: dict) -> list[dict]:
    rows = []
    for a in range(len(whole)):
        for b in range(a, len(whole)):
            limits = {"reuss": float(reuss[a, a]), "voigt": float(voigt[a, a]), **more} if a == b else {}
            rows.append({"row": names[a], "column": names[b], "value": float(whole[a, b]), **limits})
    return rows


def _isotropic(whole: np.ndarray, first: np.ndarray, mu: np.ndarray, share: np.ndarray, axes: int) -> list[dict]:
    """Return the rows of the bulk and shear modulus; in two dimensions both are those of the plane."""
    normal, shears = whole[:axes, :axes], np.trace(whole[axes:, axes:])
    bulk = normal.sum() / axes**2
    # (C_ijij - C_iijj / n) / (n^2 + n - 2); every shear stands twice in the first sum.
    shear = (np.trace(normal) + 2 * shears - normal.sum() / axes) / (axes**2 + axes - 2)
    of_phases = {"bulk": first + 2 * mu / axes, "shear": mu}
    present = share > 0
    limits = bounds.hashin_shtrikman(*(values[present] for values in of_phases.values()), share[present], axes)
    rows = []
    for name, value in (("bulk", bulk), ("shear", shear)):
        reuss, voigt = bounds.voigt_reuss(of_phases[name], share)
        row = {"row": name, "column": "", "value": float(value), "reuss": reuss, "voigt": voigt}
        rows.append(row | _limits(*limits[name]))
    return rows


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
