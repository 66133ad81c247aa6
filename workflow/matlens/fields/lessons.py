"""Lessons of networks for fields: cells with the field of a solver."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from matlens.fields import components
from matlens.fields.problem import mean_load
from matlens.job.batch import BadItem


class Lesson(NamedTuple):
    """A cell: labels (*shape), its solved field by component (components, *shape), and the settings behind it."""

    labels: np.ndarray
    field: np.ndarray
    about: Mapping


def samples(arrays, marks, roles: Mapping[str, str], *, truth: str | None = None) -> Iterator[tuple]:
    """Yield (lesson, role, item) of every training and validation item of a shard that was solved.

    `arrays`, `marks`: labels and fields; `truth`: the method of the study whose fields these are, None for the first
    solver; the workflow opens them. Raises BadItem if a field is of another shape than its labels.
    """
    solved = list(marks)
    for key in arrays:
        item = arrays.attrs(key)["item"]
        if key not in solved or roles.get(item) not in ("train", "val"):
            continue
        labels, field, about = arrays[key], marks[key], marks.attrs(key)
        if field.shape[1:] != labels.shape:
            raise BadItem(f"'{item}' has labels of shape {labels.shape} and a field of {field.shape[1:]}")
        if about["boundary"] == "mirrored":
            labels, field = mirrored(labels, field, about)
        yield Lesson(labels, field, {**about, "axes": arrays.attrs(key)["axes"]}), roles[item], item


def names_of(about: Mapping) -> list[str]:
    """Return the names of the components of one field, xx, yy, ..., from the attributes of a solved item."""
    parts = [name.rpartition("_")[2] for name in about["components"]]
    return parts[: len(parts) // 2]


def mirrored(labels: np.ndarray, field: np.ndarray, about: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Put a cell and its field beside their mirror images."""
    names, axes = names_of(about), about["axes"].removeprefix("c")
    load = mean_load(about["loading"], axes, about["quantity"])
    whole = [components.mirrored(components.unstacked(part, names, axes), load) for part in np.split(field, 2)]
    flat = np.concatenate([components.stacked(part, names, axes) for part in whole])
    return components.mirrored(labels), flat
