"""One item by a trained network: predicted, or solved where it is unlike the training set, and judged by the truth."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from matlens import columns, registry
from matlens.fields import cells, components, effective, hot_spots, networks, report
from matlens.fields.methods import Field, cut, fft
from matlens.fields.problem import Problem, make
from matlens.fields.settings import components as component_names
from matlens.job.batch import BadItem
from matlens.learn.roles import split_of

MOST = 32  # iterations within which the solver is asked for the error of a network


def predicted(
    labels: np.ndarray,
    item: Mapping,
    function: Callable,
    method: str,
    spacing: Sequence[float],
    options: Mapping,
    settings: Mapping,
    phases: list,
    model: networks.Model,
    solver: Mapping,
    true: np.ndarray | None,
) -> cells.Solved:
    """Predict the fields of an item and compare them with the truth and with all controls.

    An item that the network has learned from is not judged by its truth.

    `solver`: options of the method of the truth; `true`: its field by component, None if it has none of this item.
    """
    problem = make(labels, item["axes"], phases, spacing, settings, item.get(columns.PIXEL_SIZE))
    scheme, names = solver["scheme"], component_names(item["axes"], problem.quantity)
    item = {**item, columns.SPLIT: split_of(model.card, item[columns.ITEM])}
    judged = true is not None and item[columns.SPLIT] != "train"
    about = (problem, function, options, {**settings, "phases": phases}, model, solver)
    (field, by, away), spent = cells.timed(lambda: solved_or_predicted(*about))
    costs = [cells.cost(item, method, by or registry.method_of(method), field.iterations or float("nan"), spent)]
    truth = whole(problem, true, names, item["axes"], settings) if judged else None
    if truth is None:
        own = report.own_rows(problem, field, scheme)
    else:
        hot = hot_spots.places(problem, truth, phases, settings)
        own = report.quality_rows(problem, field, truth, scheme)
        own |= hot_spots.compared(problem, field, hot, phases, settings)
        if item[columns.SPLIT] == "test":
            own |= equal_cut(problem, field, truth, scheme)
            costs += [cut_cost(problem, item, method, own["equal_cut_iterations"], scheme)]
    own["strangeness"] = away
    quality = cells.tidy(item, registry.method_of(method), own, False, by)
    if truth is not None:
        linear = networks.linear(problem, model, options.get("scale", 1.0))
        made = cells.controls(problem, truth, scheme, settings) | {"linear_kernel": linear}
        quality += cells.control_rows(problem, made, truth, hot, scheme, item, phases, settings)
    rows = effective.by_load(problem, names, field)
    attrs = cells.described(problem, names, settings, scheme) | {
        "solved_by": by or registry.method_of(method),
        columns.SPLIT: item[columns.SPLIT],
    }
    made = cells.finished(problem, field, names, item, labels.shape, phases, settings, attrs, rows, quality)
    return made._replace(costs=tuple(costs))


def solved_or_predicted(
    problem: Problem, function: Callable, options: Mapping, settings: Mapping, model: networks.Model, solver: Mapping
) -> tuple[Field, str, float]:
    """Return the field, the solver that stood in for the network ("" if none did), and the strangeness of the cell.

    Raises BadItem if the item is unlike those of the training set and the option `fallback` says to reject it, or if
    the network has learned another problem and nothing stands in for it.
    """
    why, away = networks.different(problem, model.card, {**settings, "scheme": solver["scheme"]}), float("inf")
    known = not why
    if known:
        away = networks.strangeness(problem, model, options.get("scale", 1.0))
        if away > 1:
            why = f"it is {away:.1f} times as far from the training items as these are from each other"
    choice = options["fallback"]
    if not why or (known and choice == "none"):
        offered = {"problem": problem, "model": model, "scheme": solver["scheme"]}
        return registry.call(function, offered, options), "", away
    if choice != "fft":
        raise BadItem(f"the network is not for it: {why}; set fallback: fft, or train on items like it")
    return registry.call(fft, {"problem": problem}, solver), "fft", away


def whole(problem: Problem, true: np.ndarray, names: list[str], axes: str, settings: Mapping) -> Field:
    """Return the true field of a cell from its stored components; of a mirrored cell, with its mirror images.

    Raises BadItem if it is of another shape than the labels.
    """
    parts = [components.unstacked(half.astype(float), names, axes) for half in np.split(true, 2)]
    if settings["boundary"] == "mirrored":
        parts = [components.mirrored(part, problem.load) for part in parts]
    if parts[0].shape[-problem.labels.ndim :] != problem.labels.shape:
        raise BadItem(f"its true field is of the shape {true.shape[1:]}; remove the results of the study and run again")
    return Field(*parts)


def equal_cut(problem: Problem, field: Field, truth: Field, scheme: str) -> dict[str, float]:
    """Return after how many iterations the solver is as good as a field, by the error of the answer and by that of the
    cause; NaN if it is not within 32."""
    made = {}
    for name in ("answer", "cause"):
        true = getattr(truth, name)
        made[name] = {"true": true, "wanted": np.linalg.norm(getattr(field, name) - true), "after": float("nan")}
    for iterations in range(MOST + 1):
        found = cut(problem, scheme, iterations=iterations)
        for name, one in made.items():
            if np.isnan(one["after"]) and np.linalg.norm(getattr(found, name) - one["true"]) <= one["wanted"]:
                one["after"] = float(iterations)
        if not any(np.isnan(one["after"]) for one in made.values()):
            break
    return {"equal_cut_iterations": made["answer"]["after"], "equal_cut_iterations_cause": made["cause"]["after"]}


def cut_cost(problem: Problem, item: Mapping, method: str, iterations: float, scheme: str) -> dict:
    """Measure the solver, stopped when it is as good as a network; without seconds where it is not within 32."""
    if np.isnan(iterations):
        return cells.cost(item, method, "cut", iterations, float("nan"))
    spent = cells.timed(lambda: cut(problem, scheme, iterations=int(iterations)))[1]
    return cells.cost(item, method, "cut", iterations, spent)
