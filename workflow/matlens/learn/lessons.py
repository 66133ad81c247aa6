"""Lessons of a stage: the roles and the samples of the items of a study.

The package of a stage names the functions: LESSONS (samples of a shard), and where it has them ROLES (instead of
`roles.split`) and ABOUT (what the card says of the samples).
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping

from matlens import columns, registry
from matlens.job.batch import BadItem
from matlens.store import io

SPLIT = "matlens.learn.roles:split"


def named(stage: str, name: str, otherwise: str = "") -> str:
    """Return the entry of a function that the package of a stage names."""
    return getattr(importlib.import_module(f"matlens.{stage}"), name, otherwise)


def _call(stage: str, entry: str, offered: Mapping, options: Mapping):
    return registry.call(registry.load({stage: entry}, stage), offered, options)


def roles(stage: str, rows: list, options: Mapping) -> dict[str, str]:
    """Assign a role to every item of an index."""
    return _call(stage, named(stage, "ROLES", SPLIT), {"items": rows}, options)


def ranks(rows: list, learned: Iterable[tuple[str, Mapping]]) -> dict[str, int]:
    """Rank items for pictures: 0 for items that no method learned from, 1 for those of validation, 2 for training.

    `rows`: of the index; `learned`: stage and options of every method that was trained, whose items left out one by one
    are 0. Without such methods, the column `split` of the index decides, where there is one.
    """
    trained = [_roles_or_none(rows, *one) for one in learned if not one[1].get("leave_one_out")]
    trained = trained or [{row[columns.ITEM]: row.get(columns.SPLIT) for row in rows}]
    worst = {"val": 1, "train": 2}
    return {row[columns.ITEM]: max(worst.get(one.get(row[columns.ITEM]), 0) for one in trained) for row in rows}


def _roles_or_none(rows: list, stage: str, options: Mapping) -> dict[str, str]:
    """Return the roles of items, none where the method itself cannot tell: it fails, a picture does not."""
    try:
        return roles(stage, rows, options)
    except BadItem:
        return {}


def samples(stage: str, taken: list, answers: list, offered: Mapping, options: Mapping) -> Iterator[tuple]:
    """Yield the training and validation samples of every shard; the item is the last entry of each.

    `taken`, `answers`: files by shard. The function takes `arrays` and `marks`, both open, and what is `offered`:
    `roles` by item, `rows` of the index, ....
    """
    for given, answer in zip(taken, answers, strict=True):
        with io.read_arrays(given) as arrays, io.read_arrays(answer) as marks:
            yield from _call(stage, named(stage, "LESSONS"), {**offered, "arrays": arrays, "marks": marks}, options)


def about(stage: str, offered: Mapping, options: Mapping) -> dict:
    """Return the record of the training samples for the card of a method."""
    entry = named(stage, "ABOUT")
    return _call(stage, entry, offered, options) if entry else {}
