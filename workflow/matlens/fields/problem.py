"""The problem to solve: properties of phases on the grid of the labels, and the mean load by named components."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from matlens.fields import percolation, stokes
from matlens.fields.elastic import lame
from matlens.fields.settings import DIAMOND_GPA, OPTIONAL, QUANTITIES, is_tensor, unneeded
from matlens.job.batch import BadItem

UNKNOWN = 255
SOFT = 0.02  # of the largest stiffness or conductivity: below it, what touches at corners is several per cent too stiff
CHANCE = 1.0  # pixels by which a face may differ more than lines inside


class Problem(NamedTuple):
    """A periodic cell: `labels` of phases (*shape), properties by phase, and the mean load in the order of the axes.

    `mirrors`: of a mirrored cell under a flow, `labels` are the item alone, the part that the rest is an image of; see
    `stokes.Fold`.
    """

    quantity: str
    labels: np.ndarray
    properties: Mapping[str, np.ndarray]
    load: np.ndarray
    spacing: tuple[float, ...]
    plane_stress: bool = False
    pixel_um: float | None = None
    mirrors: tuple[int, ...] = ()

    def mean(self, field: np.ndarray) -> np.ndarray:
        """Average a field (components..., *shape) over the cell; components that change sign in an image have none."""
        made = field.mean(axis=tuple(range(-self.labels.ndim, 0)))
        return made if not self.mirrors else np.where(np.array(self.mirrors) < 0, made, 0.0)

    def eigenstrain(self) -> np.ndarray | None:
        """Return the isotropic stress-free strain of every voxel (axes, axes, *shape); None if no phase has one.

        In plane strain it acts across the image, too, where the body cannot grow: in the plane that is the same as a
        strain 1 + poisson times as large (S. P. Timoshenko, J. N. Goodier, Theory of Elasticity (1970), ch. 13).
        """
        own = self.properties.get("eigenstrain")
        if own is None or not own.any():
            return None
        if self.labels.ndim == 2 and not self.plane_stress:
            own = own * (1.0 + self.properties["poisson"])
        return np.eye(self.labels.ndim).reshape(self.labels.ndim, -1, *(1,) * self.labels.ndim) * own[self.labels]

    def pores(self) -> np.ndarray:
        """Return where the fluid of a flow is, bool (*shape)."""
        return np.isfinite(self.voxels("viscosity_pa_s"))

    def viscosity(self) -> float:
        """Return the viscosity of the fluid, Pa s."""
        return float(min(self.properties["viscosity_pa_s"]))

    def width(self) -> float:
        """Return the edge of a voxel in metres; in pixels where no pixel size is known."""
        return self.spacing[-1] * (self.pixel_um * 1e-6 if self.pixel_um else 1.0)

    def local(self) -> np.ndarray:
        """Return the conductivity of every voxel; of a flow, the squared distance from the wall over the viscosity."""
        if self.quantity == "stokes":
            return stokes.distance_squared(self.pores(), self.mirrors) * self.width() ** 2 / self.viscosity()
        return self.voxels(next(iter(self.properties)))

    def voxels(self, name: str) -> np.ndarray:
        """Return a property of every voxel (*shape)."""
        return self.properties[name][self.labels]

    def lame(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the Lame constants of every voxel."""
        pair = lame(self.properties["youngs_gpa"], self.properties["poisson"], self.plane_stress)
        return tuple(values[self.labels] for values in pair)


def mean_load(loading: Mapping[str, float], axes: str, quantity: str) -> np.ndarray:
    """Return the mean load in the order of the axes of the array: (axes, axes), symmetric, or (axes,)."""
    place = {letter: k for k, letter in enumerate(axes)}
    load = np.zeros((len(axes),) * (2 if is_tensor(quantity) else 1))
    for name, value in loading.items():
        if set(name) - set(axes):
            raise BadItem(
                f"the load has the component '{name}', and the image the axes {axes}; name its own components"
            )
        at = tuple(place[letter] for letter in name)
        load[at] = load[at[::-1]] = value
    return load


def mismatch(labels: np.ndarray) -> tuple[float, float]:
    """Return the part of neighbouring voxels of different phase across the border of the worst axis, and the largest
    such part between two planes inside, which is as large where a layer ends."""
    found = []
    for axis in range(labels.ndim):
        differs = (labels != np.roll(labels, -1, axis)).mean(axis=tuple(k for k in range(labels.ndim) if k != axis))
        found.append((float(differs[-1]), float(differs[:-1].max(initial=0.0))))
    return max(found, key=lambda pair: pair[0] - pair[1])


def check(labels: np.ndarray, axes: str, phases: int, boundary: str) -> None:
    """Raise BadItem if a label image cannot be the cell of a solver."""
    if set(axes) - set("zyx"):
        raise BadItem(f"it has the axes {axes}; fields are solved in images and volumes, save its frames as images")
    if labels.dtype != np.uint8:
        raise BadItem("its labels are regions; a field needs a phase map, from a method that labels phases")
    missing = int((labels == UNKNOWN).sum())
    if missing:
        raise BadItem(
            f"{missing} pixels are not labelled (a scale bar, excluded or empty pixels), and a field needs a phase "
            "everywhere; crop the file, or take blocks of it (block_px): those without such pixels are solved"
        )
    if labels.max() >= phases:
        raise BadItem(f"it has the phase number {labels.max()}, and the study names {phases} phases")
    border, inside = mismatch(labels)
    shortest = labels.size / max(labels.shape)  # pixels of the smallest face: chance alone changes a few of them
    if boundary == "periodic" and border > 1.5 * inside + max(0.02, CHANCE / shortest):
        raise BadItem(
            f"its opposite sides do not match: {border:.0%} of the pixels differ across the border, at most "
            f"{inside:.0%} between two lines inside; set boundary: mirrored"
        )


def unconnected(problem: Problem, corners: bool = True, soft: float = 0.0) -> list[int]:
    """List the loaded axes along which what carries the load is not connected across the cell.

    `corners`: voxels that touch at a corner or an edge are connected, too, as they are to solvers that take differences
    along diagonals; a flow goes through edges, and through the corners of images. `soft`: phases of at most this part
    of the largest stiffness or conductivity carry nothing.
    """
    values = next(iter(problem.properties.values()))
    there = values[np.unique(problem.labels)]
    carries = np.isfinite(values) if problem.quantity == "stokes" else values > soft * there.max()
    if carries.all():
        return []
    spans = percolation.joins if problem.mirrors else percolation.spans
    loaded = [axis for axis in range(problem.labels.ndim) if np.abs(problem.load[axis]).max() > 0]
    reach = 1 if not corners else 2 if problem.quantity == "stokes" else 3
    return [axis for axis in loaded if not spans(carries[problem.labels], axis, reach)]


def by_corners(problem: Problem, soft: float = SOFT) -> list[int]:
    """List the loaded axes along which what carries the load, or nearly all of it, is connected across the cell
    through corners of voxels alone."""
    apart = unconnected(problem, True, soft)
    return [axis for axis in unconnected(problem, False, soft) if axis not in apart]


def _spanning(problem: Problem, axes: str) -> None:
    """Raise BadItem if what carries the load is not connected across the cell along an axis that is loaded."""
    if lost := unconnected(problem):
        name = next(iter(problem.properties))
        raise BadItem(
            f"the phases with a {name} that carry the load are not connected across the cell along {axes[lost[0]]}: "
            "its effective value there is 0, and there is no field to solve for"
        )


def _property(given: Mapping, name: str) -> float:
    """Return a property of a phase, or what stands for one that it does not need."""
    return given[name] if name in given else unneeded(given, name)


def beyond_solids(problem: Problem, phases: list) -> str:
    """Name the phases that are stiffer than any solid: a rigid phase of a model, or moduli in MPa; "" if none is."""
    youngs = problem.properties.get("youngs_gpa", np.zeros(0))
    stiff = [f"{phase} ({own:g} GPa)" for phase, own in zip(phases, youngs, strict=False) if own > DIAMOND_GPA]
    if not stiff:
        return ""
    return f"stiffer than diamond: {', '.join(stiff)}; if the moduli are in MPa, all stresses are 1000 times too large"


def make(labels, axes: str, phases: list, spacing, settings: Mapping, pixel_um: float | None = None) -> Problem:
    """Build the problem of one item; `settings`: quantity, properties by phase, loading, plane, boundary."""
    check(labels, axes, len(phases), settings["boundary"])
    quantity = settings["quantity"]
    properties = {
        name: np.array([_property(settings["properties"][phase], name) for phase in phases], float)
        for name in QUANTITIES[quantity].properties
    }
    for name in OPTIONAL.get(quantity, ()):
        properties[name] = np.array([settings["properties"][phase].get(name, 0.0) for phase in phases], float)
    load = mean_load(settings["loading"], axes, quantity)
    mirrors = stokes.mirrors_of(load) if settings["boundary"] == "mirrored" and quantity == "stokes" else ()
    if settings["boundary"] == "mirrored":
        if is_tensor(quantity) and np.abs(load - np.diag(np.diag(load))).max() > 0:
            raise BadItem(
                "a mirrored cell can be loaded along its axes alone; leave out the shear, or set boundary: periodic"
            )
        for axis in () if mirrors else range(labels.ndim):
            labels = np.concatenate([labels, np.flip(labels, axis)], axis)
    spacing = tuple(spacing or (1.0,) * labels.ndim)
    if quantity == "stokes" and len(set(spacing)) > 1:
        raise BadItem(f"its voxels are no cubes ({', '.join(map(str, spacing))}); a flow needs cubes, resample it")
    flat = settings["plane"] == "stress" and labels.ndim == 2
    problem = Problem(quantity, labels, properties, load, spacing, flat, pixel_um, mirrors)
    _spanning(problem, axes)
    return problem
