"""One item: its labels become a cell, the cell is solved, and field, controls and effective values become tables."""

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from matlens import columns, fields, registry
from matlens.fields import components, cracks, effective, hot_spots, report
from matlens.fields.methods import Field
from matlens.fields.problem import Problem, beyond_solids, by_corners, make, mismatch
from matlens.fields.quality import norms
from matlens.fields.settings import QUANTITIES, is_tensor
from matlens.fields.settings import components as component_names
from matlens.store.arrays import spacing_of

EFFECTIVE = ("item", "row", "column", "value", "unit", "reuss", "voigt", "hashin_shtrikman_low")
EFFECTIVE = (*EFFECTIVE, "hashin_shtrikman_high", columns.REMARK)
QUALITY = (columns.ITEM, columns.SPLIT, "field", "measure", "value", "control", "solved_by")
HOT_SPOTS = (
    columns.ITEM, "rank", "quantity", "unit", "mean", "percentile_99", "maximum", columns.PHASE, columns.PHASE_NAME,
    "x_px", "x_um", "y_px", "y_um", "z_px", "z_um", "rate_m_per_s", "rate_low_m_per_s", "rate_high_m_per_s",
)  # fmt: skip


HALF_WIDTH = "half_width"  # layer of a field: half the 90 % interval of every component of the stress or flux
COSTS = (columns.ITEM, columns.SPLIT, "method", "field", "iterations", "cpu_s")


class Solved(NamedTuple):
    """The field of an item (component, *shape), the settings that it belongs to, and rows of the tables.

    `costs`: apart from the tables, since they differ between runs. `layers`: arrays that are stored beside the field.
    """

    array: np.ndarray
    attrs: dict
    effective: list[dict]
    quality: list[dict]
    hot_spots: list[dict]
    costs: tuple[dict, ...] = ()
    layers: Mapping[str, np.ndarray] = MappingProxyType({})


def timed(compute: Callable) -> tuple:
    """Return what a function returns, and its CPU seconds; those of the first item include loading of libraries."""
    begun = time.process_time()
    return compute(), time.process_time() - begun


def cost(item: Mapping, method: str, field: str, iterations: float, seconds: float) -> dict:
    """Return a row of the costs: CPU seconds of one field of an item."""
    about = {columns.ITEM: item[columns.ITEM], columns.SPLIT: item.get(columns.SPLIT) or "", "method": method}
    return about | {"field": field, "iterations": float(iterations), "cpu_s": seconds}


def solved(
    labels: np.ndarray,
    item: Mapping,
    function: Callable,
    method: str,
    spacing: Sequence[float],
    options: Mapping,
    settings: Mapping,
    phases: list,
) -> Solved:
    """Solve the cell of an item by a method, judge its field, and compute the controls.

    `spacing`: of every axis, in pixel widths. Raises BadItem if the labels cannot be a cell, or if it does not
    converge.
    """
    problem = make(labels, item["axes"], phases, spacing, settings, item.get(columns.PIXEL_SIZE))
    truth, spent = timed(lambda: registry.call(function, {"problem": problem}, options))
    names, scheme = component_names(item["axes"], problem.quantity), options["scheme"]
    own = report.own_rows(problem, truth, scheme) | {"iterations": truth.iterations, "residual": truth.residual}
    if checked(item, settings):
        of_solver = {name: options[name] for name in ("tol", "iterations")}
        rows = effective.effective_rows(problem, names, scheme, truth, **of_solver)
        fine = report.finer(problem, lambda one: registry.call(function, {"problem": one}, options))
        own |= report.discretisation_rows(problem, truth, fine) | {"bounds_violated": effective.violated(rows)}
        hot = hot_spots.compared(problem, truth, hot_spots.places(problem, fine, phases, settings), phases, settings)
        own |= {f"discretisation_{name}": value for name, value in hot.items()}
    else:
        rows = effective.by_load(problem, names, truth)
    border, inside = (0.0, 0.0) if problem.mirrors else mismatch(problem.labels)
    own["border_mismatch"] = border / inside if inside else 0.0
    quality = tidy(item, registry.method_of(method), own, False)
    made, true = controls(problem, truth, scheme, settings), hot_spots.places(problem, truth, phases, settings)
    quality += control_rows(problem, made, truth, true, scheme, item, phases, settings)
    about = described(problem, names, settings, scheme)
    made = finished(problem, truth, names, item, labels.shape, phases, settings, about, rows, quality)
    return made._replace(costs=(cost(item, method, registry.method_of(method), truth.iterations, spent),))


def control_rows(
    problem: Problem,
    made: Mapping[str, Field],
    truth: Field,
    true: hot_spots.Spots,
    scheme: str,
    item: Mapping,
    phases: list,
    settings: Mapping,
) -> list[dict]:
    """Judge the controls, and the places that the geometry alone gives; `true`: hot spots of the truth."""
    rows = []
    for name, field in made.items():
        measured = report.quality_rows(problem, field, truth, scheme) | {"iterations": field.iterations}
        rows += tidy(item, name, measured | hot_spots.compared(problem, field, true, phases, settings), True)
    places = hot_spots.by_geometry(problem, true, phases, settings)
    return rows + tidy(item, "ligaments", places, True)


def finished(
    problem: Problem,
    field: Field,
    names: list[str],
    item: Mapping,
    shape: tuple[int, ...],
    phases: list,
    settings: Mapping,
    about: dict,
    rows: list[dict],
    quality: list[dict],
) -> Solved:
    """Assemble the result of an item: its field with the attributes `about`, and its rows of every table."""
    own = cracks.rows(problem, field, phases, settings, about["scheme"])
    said = [remark(item, problem, phases), "" if own else cracks.remark(problem, phases, settings)]
    said, unit = "; ".join(filter(None, said)), effective.unit_of(problem)
    rows = rows + own
    rows = [{columns.ITEM: item[columns.ITEM], "unit": unit, **row, columns.REMARK: said} for row in rows]
    hot = hot_rows(problem, field, shape, item, phases, settings)
    layers = {}
    if field.half_width is not None:
        half = components.stacked(field.half_width, names, item["axes"])
        layers[HALF_WIDTH] = half[(..., *(slice(n) for n in shape))].astype(np.float32)
    return Solved(stacked(field, names, item["axes"], shape), about, rows, quality, hot, layers=layers)


def compared(found: Solved, published: Mapping[str, np.ndarray], item: Mapping, method: str) -> Solved:
    """Add the errors of a field against published ones of the item, by component: (*shape) each."""
    rows, every = {}, np.ones(found.array.shape[1:], bool)
    for name, values in published.items():
        own = found.array[found.attrs["components"].index(name)]
        measured = norms(own[None].astype(float), values[None].astype(float), every)
        rows |= {f"published_{measure}_{name}": value for measure, value in measured.items()}
    more = tidy({**item, columns.SPLIT: found.attrs.get(columns.SPLIT)}, registry.method_of(method), rows, False)
    return found._replace(quality=found.quality + more)


def described(problem: Problem, names: list[str], settings: Mapping, scheme: str) -> dict:
    """Return the attributes of a stored field: its components with their units, and all settings behind it."""
    about = QUANTITIES[problem.quantity]
    return {
        "quantity": problem.quantity,
        "components": [f"{kind}_{name}" for kind in (about.cause, about.answer) for name in names],
        "unit": [unit for unit in (about.cause_unit, effective.answer_unit(problem)) for _ in names],
        "scheme": scheme,
        "spacing": list(problem.spacing),
        **{name: settings[name] for name in ("properties", "loading", "plane", "boundary")},
    }


def checked(item: Mapping, settings: Mapping) -> bool:
    """Draw by its name whether an item is solved on a finer grid and in all directions, too."""
    return zlib.crc32(str(item[columns.ITEM]).encode()) < settings.get("checked_part", 1.0) * 2**32


def controls(problem: Problem, truth: Field, scheme: str, settings: Mapping) -> dict[str, Field]:
    """Compute the field of every control."""
    offered = {"problem": problem, "truth": truth, "scheme": scheme}
    return {
        name: registry.call(registry.load(fields.CONTROLS, name), offered, settings.get(name) or {})
        for name in fields.CONTROLS
    }


def stacked(field: Field, names: list[str], axes: str, shape: tuple[int, ...]) -> np.ndarray:
    """Stack both fields by component (components, *shape), float32; of a mirrored cell, its first part."""
    kept = tuple(slice(n) for n in shape)
    at = [tuple(axes.index(letter) for letter in name) for name in names]
    return np.stack([part[place][kept] for part in (field.cause, field.answer) for place in at]).astype(np.float32)


def hot_rows(
    problem: Problem, field: Field, shape: tuple[int, ...], item: Mapping, phases: list, settings: Mapping
) -> list[dict]:
    """Return rows of the largest values of the stress or flux in their order, with places, mean and 99th percentile.

    With a law of slip and dissolution, also the rate of the crack that begins there.
    """
    options, law = settings.get("hot_spots") or {}, settings.get("slip_dissolution")
    size = hot_spots.magnitude(problem, field, options.get("stress", "von_mises"))[tuple(slice(n) for n in shape)]
    spots = hot_spots.of_field(problem, field, phases, shape, **options)
    about, width = QUANTITIES[problem.quantity], item.get(columns.PIXEL_SIZE)
    rates, rows = hot_spots.rates(spots.values, law) if law else [{}] * len(spots.values), []
    for rank, (place, value, rate) in enumerate(zip(spots.places, spots.values, rates, strict=True), 1):
        phase = int(problem.labels[tuple(place)])
        row = {
            columns.ITEM: item[columns.ITEM],
            "rank": rank,
            "quantity": options.get("stress", "von_mises") if is_tensor(problem.quantity) else about.answer,
            "unit": effective.answer_unit(problem),
            "mean": float(size.mean()),
            "percentile_99": float(np.quantile(size, 0.99)),
            "maximum": float(value),
            columns.PHASE: phase,
            columns.PHASE_NAME: phases[phase],
        }
        for letter, at, step in zip(item["axes"], place, problem.spacing, strict=True):
            row[f"{letter}_px"] = float(at)
            row[f"{letter}_um"] = float(at * step * width) if width else float("nan")
        rows.append(row | rate)
    return rows


def tidy(item: Mapping, field: str, measured: Mapping[str, float], control: bool, by: str = "") -> list[dict]:
    """Return one row per measure of a field; `by`: the solver, where it stands in for a network."""
    told = {columns.ITEM: item[columns.ITEM], columns.SPLIT: item.get(columns.SPLIT) or "", "field": field}
    return [
        {**told, "measure": name, "value": float(value), "control": control, "solved_by": by}
        for name, value in measured.items()
    ]


def remark(item: Mapping, problem: Problem, phases: list) -> str:
    """Say what changes the meaning of the effective values: remarks on the labels, and phases that are not there."""
    absent = [phase for phase, part in zip(phases, effective.fractions(problem), strict=True) if part == 0]
    there = f"it has no {' and no '.join(absent)}" if absent else ""
    axes = " and ".join(item["axes"][axis] for axis in by_corners(problem))
    loose = f"what carries the load is connected through corners of voxels alone along {axes}: a finer image may show "
    loose = loose + "that it is not, and that the effective value is far smaller, or 0" if axes else ""
    return "; ".join(
        filter(None, (item.get(columns.REMARK), there, _cubes(item), loose, beyond_solids(problem, phases)))
    )


def _cubes(item: Mapping) -> str:
    """Say that the spacing of an axis was not known beside that of another, and taken as that along x."""
    spacing = spacing_of(item, item["axes"])
    unknown = " and ".join(axis for axis, size in spacing.items() if not size)
    if not unknown or not any(spacing.values()):
        return ""
    return f"the distance of voxels along {unknown} is not known: voxels are taken as cubes; give spacing_um"


def table(rows: list[dict], names: Sequence[str]):
    """Make a DataFrame of rows; one without rows has its columns, too."""
    import pandas as pd

    return pd.DataFrame(rows, columns=list(names))
