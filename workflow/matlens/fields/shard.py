"""The items of one shard, one after the other, by a solver or a trained network."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matlens import fields as room
from matlens import registry
from matlens.fields import cells, learned
from matlens.job import batch
from matlens.store import io


def model(method: str, arrays: Mapping, card: Mapping, options: Mapping):
    """Build the model of a method from weights and their card. Raises ValueError if they are of another method."""
    bare = registry.method_of(method)
    if card["method"] != bare:
        raise ValueError(f"the weights are of method '{card['method']}', not '{method}'; apply them by that one")
    return registry.call(registry.load(room.PREPARES, method), {"arrays": arrays, "card": card}, options)


@contextlib.contextmanager
def opened(path) -> Iterator:
    """Open the fields of the truth; without a file there are none."""
    if not path:
        yield {}
        return
    with io.read_arrays(path) as arrays:
        yield arrays


@dataclass
class Solver:
    """A method with its options, the settings of the stage and, if it has learned, its model.

    `solver`: options of the method of the truth.
    """

    methods: Mapping
    method: str
    options: Mapping
    settings: Mapping
    phases: list
    model: object
    solver: Mapping

    def solve(self, labels, item: dict, true) -> cells.Solved:
        """Compute the fields of an item."""
        function = registry.load(self.methods, self.method)
        spacing = io.spacing_ratio(item, item["axes"])
        about = (labels, item, function, self.method, spacing, self.options, self.settings, self.phases)
        if self.model is None:
            return cells.solved(*about)
        return learned.predicted(*about, self.model, self.solver, true)


def write(solver: Solver, marks, truths, images, out) -> tuple[list[cells.Solved], list[dict]]:
    """Write the fields of all items of a shard; returns what else was found, without the arrays, and lost items.

    `images`: of ingest; their layers that have the name of a component are published fields, which it is checked by.
    """
    lost, done, there = [], [], set(truths)

    def work(item: dict) -> cells.Solved:
        key = item["key"]
        found = solver.solve(marks[key], item, truths[key] if key in there else None)
        return cells.compared(found, images.layers(key, found.attrs["components"]), item, solver.method)

    for item, found in batch.survive(marks.described(), work, lost, f"fields/{solver.method}"):
        layers = {"labels": marks[item["key"]], **found.layers}
        out.add(item["key"], found.array, "c" + item["axes"], item | found.attrs, layers)
        done.append(found._replace(array=None, layers={}))
    return done, lost
