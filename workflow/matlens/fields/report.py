"""Judge fields: quality against the truth, against the same cell on a finer grid, and hot spots."""

import numpy as np

from matlens import columns
from matlens.fields import quality
from matlens.fields.grid import Grid
from matlens.fields.methods import Field, answer_of, resumed
from matlens.fields.problem import Problem
from matlens.fields.settings import is_tensor


def quality_rows(problem: Problem, field: Field, truth: Field, scheme: str) -> dict[str, float]:
    """Measure a field: errors of the answer, by phase too, both residuals, Hill-Mandel, and the error of the load."""
    made = quality.norms(field.answer, truth.answer, np.ones(problem.labels.shape, bool))
    for phase in np.unique(problem.labels):
        inside = problem.labels == phase
        if 0 < inside.sum() < inside.size:
            made[f"rel_l2_phase_{phase}"] = quality.norms(field.answer, truth.answer, inside)["rel_l2"]
    cause = quality.norms(field.cause, truth.cause, np.ones(problem.labels.shape, bool))
    made |= {f"{name}_cause": cause[name] for name in ("rel_l2", "rel_l2_fluctuation")}
    if is_tensor(problem.quantity) and np.abs(problem.load).max() > 0:
        place = np.unravel_index(np.abs(problem.load).argmax(), problem.load.shape)
        misses = np.abs(field.cause[place] - truth.cause[place])
        made["mase"] = float(misses.mean() / abs(problem.load[place]))
    made["mean_error"] = mean_error(problem, field.answer, truth.answer)
    if field.half_width is not None:
        made |= quality.interval(field.half_width, field.answer, truth.answer, problem.labels.ndim)
    return made | own_rows(problem, field, scheme)


def own_rows(problem: Problem, field: Field, scheme: str) -> dict[str, float]:
    """Measure what a field shows without a truth: the error of the load, both residuals, Hill-Mandel."""
    mean = problem.mean(field.cause)
    size = np.linalg.norm(problem.load)
    made = {"load_error": float(np.linalg.norm(mean - problem.load) / size) if size > 0 else float("nan")}
    if problem.quantity == "stokes":
        return made | {"plane_flow_spread": flow_spread(problem, field)}
    if scheme == "hexahedra":  # forces are those on the nodes of the nearest compatible strain
        made["equilibrium"] = resumed(problem, field.cause, scheme, 0).residual
        grid = Grid(problem.labels.shape, problem.spacing, "rotated")  # the same mean strains of elements
    else:
        grid = Grid(problem.labels.shape, problem.spacing, scheme)
        made["equilibrium"] = quality.equilibrium(field.answer, grid)
        made["hill_mandel"] = quality.hill_mandel(field.answer, field.cause, problem.labels.ndim)
    made["compatibility"] = quality.compatibility(field.cause, grid)
    law = answer_of(problem, field.cause)
    made["constitutive"] = quality.norms(field.answer, law, np.ones(problem.labels.shape, bool))["rel_l2"]
    return made


def flow_spread(problem: Problem, field: Field) -> float:
    """Return the largest difference between the flows through any two planes across the load, relative to the mean
    flow: 0 where nothing is lost."""
    axis = int(np.abs(problem.load).argmax())
    planes = field.answer[axis].mean(axis=tuple(k for k in range(problem.labels.ndim) if k != axis))
    return float(np.ptp(planes) / abs(planes.mean())) if planes.mean() else float("nan")


def mean_error(problem: Problem, answer: np.ndarray, truth: np.ndarray) -> float:
    """Return the relative error of the mean answer; NaN where the truth has none."""
    means = problem.mean(answer), problem.mean(truth)
    size = np.linalg.norm(means[1])
    return float(np.linalg.norm(means[0] - means[1]) / size) if size > 0 else float("nan")


def finer(problem: Problem, solver) -> Field:
    """Return the field of the same cell on a grid twice as fine, averaged back; `solver(problem)`."""
    axes, fine = problem.labels.ndim, solver(refined(problem))
    across = None if fine.across is None else coarsened(fine.across, axes)
    return Field(coarsened(fine.cause, axes), coarsened(fine.answer, axes), across=across)


def discretisation_rows(problem: Problem, field: Field, fine: Field) -> dict[str, float]:
    """Compare a field with that of a grid twice as fine.

    The error that the grid makes is of this size: no other field is known better than that.
    """
    found = quality.norms(field.answer, fine.answer, np.ones(problem.labels.shape, bool))
    found["mean"] = mean_error(problem, field.answer, fine.answer)
    names = {"rel_l2": "discretisation", "rel_l2_fluctuation": "discretisation_fluctuation"}
    names |= {"q99_error": "discretisation_q99", "peak_error": "discretisation_peak", "mean": "discretisation_mean"}
    return {names[name]: value for name, value in found.items()}


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


def scores(quality):
    """Average a table of quality: mean, median and largest value of every measure, by split and field.

    `items` counts the values that are there, and `below_linear_kernel` the part of them that are smaller than those of
    the linear kernel for the same item.
    """
    import pandas as pd

    keys = [columns.SPLIT, "control", "field", "measure"]
    quality = quality.astype({"value": float})  # of a table without rows
    linear = quality[quality["field"] == "linear_kernel"].set_index([columns.ITEM, "measure"])["value"]
    beside = linear.reindex(pd.MultiIndex.from_frame(quality[[columns.ITEM, "measure"]])).to_numpy()
    known = np.isfinite(beside) & np.isfinite(quality["value"].to_numpy())
    better = pd.Series(np.where(known, quality["value"].to_numpy() < beside, np.nan), quality.index)
    grouped = quality.assign(better=better).groupby(keys, sort=True)
    found = grouped["value"].agg(["count", "mean", "median", "max"])
    found["below_linear_kernel"] = grouped["better"].mean()
    return found.reset_index().rename(columns={"count": "items", "max": "maximum"})
