"""Networks that predict fields, applied: linear kernel, network, mean load, and steps of the solver from there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matlens import nets, registry
from matlens.fields import components, familiar, linear_kernel
from matlens.fields.methods import Field, resumed
from matlens.fields.problem import Problem
from matlens.fields.settings import components as component_names
from matlens.fields.settings import unlike
from matlens.learn import intervals


@dataclass
class Model:
    """Trained networks of an ensemble with their linear kernel, applicability domain and card."""

    nets: list
    kernel: dict
    domain: dict
    card: dict
    device: object


def build(network: Mapping):
    """Make a network with random weights from its entry in a card."""
    return registry.load(nets.FIELD_NETS, network["name"])(**{k: v for k, v in network.items() if k != "name"})


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto") -> Model:
    """Make a model from weights and their card."""
    from matlens.learn import loop

    parts: dict = {}
    for name, values in arrays.items():
        kind, _, rest = name.partition(".")
        parts.setdefault(kind, {})[rest] = values
    found, place = [], loop.choose_device(device)
    for number in range(card.get("ensemble", 1)):
        net = build(card["network"])
        loop.load_arrays(net, parts[member(number)])
        found.append(net.eval().to(place))
    return Model(found, parts["kernel"], parts["domain"], dict(card), place)


def member(number: int) -> str:
    """Name a network of an ensemble in a file of weights: net, net1, net2, ..."""
    return f"net{number or ''}"


def seen(labels: np.ndarray, phases: int, linear: np.ndarray, scales: Mapping) -> np.ndarray:
    """Return the input of a network: indicators of the phases, their fractions, and the standardised field of the
    linear kernel, (channels, *shape) float32."""
    marks = linear_kernel.indicators(labels, phases)
    share = np.broadcast_to(marks.mean(axis=tuple(range(1, marks.ndim)), keepdims=True), marks.shape)
    return np.concatenate([marks, share, standardised(linear, scales)]).astype(np.float32)


def column(values, ndim: int) -> np.ndarray:
    return np.asarray(values, np.float32).reshape(-1, *(1,) * (ndim - 1))


def standardised(field: np.ndarray, scales: Mapping) -> np.ndarray:
    """Shift and scale the components of a field as those of the training set."""
    return (field - column(scales["mean"], field.ndim)) / column(scales["spread"], field.ndim)


def different(problem: Problem, card: Mapping, settings: Mapping) -> str:
    """Say in which setting a problem differs from what a network has learned; empty if it differs in none."""
    known = card["settings"]
    if why := unlike(known | {name: card[name] for name in ("phases",) if name in card}, settings):
        return why
    if card["network"]["dims"] != problem.labels.ndim:
        return f"it has learned fields of {card['network']['dims']} axes, and the item has {problem.labels.ndim}"
    if any(abs(a - b) > 1e-6 * b for a, b in zip(problem.spacing, known["spacing"], strict=True)):
        return f"it has learned cells of the spacing {known['spacing']}, and the item has {list(problem.spacing)}"
    return ""


def strangeness(problem: Problem, model: Model, scale: float = 1.0) -> float:
    """Return the distance of a cell from the training items, in units of the largest allowed."""
    return familiar.distance(model.domain, familiar.described(problem.labels, _phases(problem), scale))


def _phases(problem: Problem) -> int:
    return len(next(iter(problem.properties.values())))


def linear(problem: Problem, model: Model, scale: float = 1.0) -> Field:
    """Return the field of the linear kernel."""
    return _field(problem, linear_kernel.apply(model.kernel, problem.labels, _phases(problem), scale), model)


def predict(problem: Problem, model: Model, scale: float = 1.0) -> Field:
    """Return the field of an ensemble: that of the linear kernel and the mean correction of the networks.

    The interval of the answer has the width that covers 90 % of the voxels of the validation cells.
    """
    import torch

    scales = model.card["scales"]
    base = linear_kernel.apply(model.kernel, problem.labels, _phases(problem), scale)
    given = torch.from_numpy(seen(problem.labels, _phases(problem), base, scales))[None].to(model.device)
    with torch.no_grad():
        found = np.stack([net(given)[0].cpu().numpy() for net in model.nets])
    wide = column(scales["correction"], base.ndim)
    field = _field(problem, base + found.mean(axis=0) * wide, model)
    interval = model.card.get("interval") or {}
    if not interval.get("calibrated_on"):
        return field
    mean, low, _ = intervals.together(found.reshape(len(found), -1), interval)
    half = np.split((mean - low).reshape(base.shape) * wide, 2)[1]
    names = component_names(model.card["axes"], problem.quantity)
    return field._replace(half_width=components.unstacked(half.astype(float), names, model.card["axes"]))


def _field(problem: Problem, values: np.ndarray, model: Model) -> Field:
    """Make a field of its components; the mean of its cause is the load."""
    names = component_names(model.card["axes"], problem.quantity)
    cause, answer = (
        components.unstacked(part.astype(float), names, model.card["axes"]) for part in np.split(values, 2)
    )
    over = tuple(range(-problem.labels.ndim, 0))
    load = problem.load.reshape(*problem.load.shape, *(1,) * problem.labels.ndim)
    return Field(cause - cause.mean(axis=over, keepdims=True) + load, answer)


def solve(
    problem: Problem,
    model: Model,
    scheme: str = "rotated",
    *,
    refine: int = 0,
    fallback: str = "fft",
    scale: float = 1.0,
) -> Field:
    """Predict the field of a cell by a trained network, then take `refine` steps of conjugate gradients from it.

    `scale`: pixels of the cell in the width of a pixel of the training cells; for networks that count waves, as `fno`.

    `fallback`: what becomes of cells unlike those of the training set: "fft" solves them, "reject" rejects them,
    "none" predicts them all the same; the stage does so, see `learned.solved_or_predicted`.
    """
    found = predict(problem, model, scale)
    return resumed(problem, found.cause, scheme, refine) if refine else found
