"""Roles of items in learning: who is learned from, who judges, who is never seen; by item and group."""

import difflib
import fnmatch
from collections.abc import Iterable, Mapping

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem

ROLES = ("train", "val", "test")


def split(
    items: Iterable[Mapping],
    *,
    validation: str = "split",
    validation_part: float = 0.2,
    hold_out: tuple = (),
    split_by: str = "group",
    seed: int = 0,
) -> dict[str, str]:
    """Assign each item to the training ("train"), validation ("val") or test set ("test").

    `items`: rows with item and, where known, split and group; an item without a group is one of its own. Groups or
    items that match a pattern of `hold_out` are "test". Where the rows have splits, only those marked train are learned
    from; those marked val judge when `validation` is "split", and are "test" when it is "groups". Where that leaves no
    judge, a part `validation_part` of the groups is drawn for it (0: none). A group is never divided: where its rows
    disagree test beats val beats train; with `split_by` "item" every item is a group of its own, and what is held out
    may be of a specimen that was learned from. Raises BadItem if a pattern matches nothing: what it was to hold out
    would be learned from.
    """
    rows = [
        {"item": row[columns.ITEM], **{k: _known(row.get(k)) for k in (columns.SPLIT, columns.GROUP)}} for row in items
    ]
    _check_patterns(hold_out, sorted({str(row[key]) for row in rows for key in ("item", "group") if row[key]}))
    marked = any(row[columns.SPLIT] for row in rows)
    roles = {}
    for row in rows:
        row["group"] = str((split_by == "group" and row[columns.GROUP]) or row["item"])
        role = row[columns.SPLIT] if marked else "train"
        if role not in ("train", "val") or (role == "val" and validation == "groups"):
            role = "test"
        if any(fnmatch.fnmatchcase(str(name), p) for p in hold_out for name in (row["item"], row["group"])):
            role = "test"
        roles[row["group"]] = max(role, roles.get(row["group"], "train"), key=ROLES.index)
    free = sorted(group for group, role in roles.items() if role == "train")
    if "val" not in roles.values() and validation_part > 0 and len(free) > 1:
        count = min(max(1, round(validation_part * len(free))), len(free) - 1)
        for index in np.random.default_rng(seed).permutation(len(free))[:count]:
            roles[free[index]] = "val"
    return {row["item"]: roles[row["group"]] for row in rows}


def _check_patterns(patterns: Iterable[str], names: list[str]) -> None:
    """Raise BadItem if a pattern of `hold_out` matches none of the names of items and groups."""
    for pattern in patterns:
        if names and not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern, names, n=3, cutoff=0) or names[:3]
            raise BadItem(
                f"hold_out: '{pattern}' matches no item and no group that was read; some are {', '.join(near)}; where "
                "its file was rejected, take it out of hold_out, or correct the file"
            )


def of_folds(items: Iterable, train: Iterable[int], validation: Iterable[int] = ()) -> dict[str, str]:
    """Assign every item a role in a fold; `train`, `validation`: positions; all others are "test"."""
    names, train, validation = list(items), set(map(int, train)), set(map(int, validation))
    return {
        str(name): "train" if at in train else "val" if at in validation else "test" for at, name in enumerate(names)
    }


def split_of(card: Mapping, item: str) -> str:
    """Return the split of an item by a model card: "train", "val", or "test" if it was not used.

    A card of leave-one-out has no items that it learned from: each is judged by the model that left it out.
    """
    if "folds" in card:
        return "test"
    return next((split for split in ("train", "val") if item in card["items"][split]), "test")


def _known(value):
    """Return a cell of a table, or None where it is empty (NaN differs from itself)."""
    return None if value is None or value != value or value == "" else value
