"""Components of fields: from tensors to the independent ones by name and back, mirrored cells, and symmetries."""

import itertools

import numpy as np


def places(names: list[str], axes: str) -> list[tuple[int, ...]]:
    """Return the index of each component in a tensor (axes, axes) or vector (axes,), in the order of the axes."""
    return [tuple(axes.index(letter) for letter in name) for name in names]


def stacked(field: np.ndarray, names: list[str], axes: str) -> np.ndarray:
    """Stack the components of a field (axes, [axes,] *shape) by name: (components, *shape)."""
    return np.stack([field[place] for place in places(names, axes)])


def unstacked(values: np.ndarray, names: list[str], axes: str) -> np.ndarray:
    """Return the tensor or vector field of components (components, *shape)."""
    rank = len(names[0])
    made = np.zeros((len(axes),) * rank + values.shape[1:], values.dtype)
    for value, place in zip(values, places(names, axes), strict=True):
        made[place] = made[place[::-1]] = value
    return made


def mirrored(field: np.ndarray, load: np.ndarray | None = None) -> np.ndarray:
    """Put a field beside its mirror image along every axis, under the same mean load: along one axis of a vector field
    (axes, *shape), along any of a tensor field (axes, axes, *shape). Without a load, the field has no components.

    A mirror turns a gradient across it round: there the field of the same load has the opposite sign.
    """
    rank = 0 if load is None else load.ndim
    dims = field.ndim - rank
    for axis in range(dims):
        image = turned(field, rank, tuple(range(dims)), (axis,))
        field = np.concatenate([field, -image if rank == 1 and load[axis] else image], rank + axis)
    return field


def turned(field: np.ndarray, rank: int, order: tuple[int, ...], flips: tuple[int, ...]) -> np.ndarray:
    """Permute the axes of a field and flip some; its components (axes,) * rank in front turn with it."""
    dims = field.ndim - rank
    signs = np.where(np.isin(np.arange(dims), flips), -1.0, 1.0).astype(field.dtype)
    for lead in range(rank):
        field = np.take(field, order, axis=lead) * signs.reshape(-1, *(1,) * (field.ndim - lead - 1))
    field = field.transpose(*range(rank), *(rank + axis for axis in order))
    return np.flip(field, tuple(rank + axis for axis in flips))


def symmetries(load: np.ndarray, shape: tuple[int, ...], spacing: tuple[float, ...]) -> list[tuple]:
    """List the turns (order, flips) of a cell that leave its load, its shape and its spacing as they are."""
    found, dims, rank = [], len(shape), load.ndim
    for order in itertools.permutations(range(dims)):
        same = all(shape[a] == shape[b] and spacing[a] == spacing[b] for a, b in enumerate(order))
        for count in range(dims + 1):
            for flips in itertools.combinations(range(dims), count):
                flat = load.reshape(*load.shape, *(1,) * dims)
                if same and np.array_equal(turned(flat, rank, order, flips), flat):
                    found.append((order, flips))
    return found
