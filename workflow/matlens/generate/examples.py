"""Real images as examples: cut to one size, with their conditions, and divided into learned from and held back.

The division is by group (specimen or parent) within every condition, never by tile. A condition with one group alone
is divided by place: one half of the parent is learned from, the other is held back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matlens import columns
from matlens.generate import conditions as states
from matlens.job import batch
from matlens.job.batch import BadItem

TRAIN, HELD, UNSEEN = "train", "val", "test"  # learned from, held back of a known condition, of an unknown one


@dataclass(frozen=True)
class Examples:
    """Real images of one size: labels uint8 (n, ...), images float32 (n, ...), conditions (n, c); by image: items,
    groups, roles."""

    labels: np.ndarray
    images: np.ndarray
    conditions: np.ndarray
    items: np.ndarray
    groups: np.ndarray
    roles: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: np.ndarray) -> "Examples":
        """Return the examples that a mask or an index chooses."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in vars(self)})

    def known(self) -> np.ndarray:
        """Return every condition once, sorted, (m, c)."""
        return np.unique(self.conditions, axis=0)

    def of(self, asked: np.ndarray) -> "Examples":
        """Return the examples of one condition."""
        return self.where(states.same(self.conditions, asked))

    def nearest(self, asked: np.ndarray) -> "Examples":
        """Return the examples of the condition nearest to one that is asked."""
        known = self.known()
        return self.of(known[int(np.argmin(states.distances(asked, known)))])


def item_roles(
    items: Iterable[Mapping], *, conditions: Sequence = (), unseen: Sequence = (), random_seed: int = 0
) -> dict[str, str]:
    """Assign every item "train", "val" (held back) or "test" (of a condition that is never learned from).

    `items`: rows with item and, where known, group and split. Within a condition half of the groups, drawn by
    `random_seed`, is held back; of one group alone every item is "train", and `divided` holds back a part of it.
    Where rows have a split, those marked train are learned from. A group is never divided between conditions.
    """
    rows = [dict(row) for row in items]
    names = [name for name in conditions if name != states.FRACTION]
    later = [one for one in unseen if states.FRACTION in one]
    marked = any(_known(row.get(columns.SPLIT)) for row in rows)
    roles, of_group, by_state = {}, {}, {}
    for row in rows:
        values, group = states.of_row(row, names), str(_known(row.get(columns.GROUP)) or row[columns.ITEM])
        row["group"] = group
        if values is None or states.matches(values, names, [one for one in unseen if one not in later]):
            of_group[group] = UNSEEN
        elif marked:
            of_group.setdefault(group, TRAIN if row.get(columns.SPLIT) == "train" else HELD)
        else:
            by_state.setdefault(values, []).append(group)
    rng = np.random.default_rng([random_seed, 17])
    for values in sorted(by_state):
        free = sorted(set(by_state[values]) - set(of_group))
        order = rng.permutation(len(free))
        for place, number in enumerate(order):
            of_group[free[number]] = TRAIN if place < (len(free) + 1) // 2 else HELD
    for row in rows:
        roles[row[columns.ITEM]] = of_group[row["group"]]
    return roles


def _known(value):
    """Return a cell of a table, or None where it is empty."""
    return None if value is None or value != value or value == "" else value


def tiles(labels: np.ndarray, size: Sequence[int] | None) -> Iterator[tuple[slice | int, ...]]:
    """Yield the cuts of non-overlapping tiles; flat ones of a volume are as far apart as they are high.

    Raises BadItem if the item is smaller than a tile.
    """
    size = tuple(labels.shape if size is None else size)
    own = labels.shape[labels.ndim - len(size) :]
    if labels.ndim < len(size) or any(n < edge for n, edge in zip(own, size, strict=True)):
        raise BadItem(f"it is {list(labels.shape)} pixels, and size_px is {list(size)}; give a smaller size_px")
    first = min(size[0], labels.shape[0]) // 2  # of a thin volume the middle
    planes = range(first, labels.shape[0], size[0]) if labels.ndim > len(size) else [None]
    for plane in planes:
        for start in np.ndindex(*(n // edge for n, edge in zip(own, size, strict=True))):
            cut = tuple(slice(at * edge, (at + 1) * edge) for at, edge in zip(start, size, strict=True))
            yield cut if plane is None else (plane, *cut)


def samples(arrays, marks, rows: list[dict], options: Mapping, lost: list | None = None) -> Iterator[tuple]:
    """Yield (labels, image, conditions, group, item) of every tile of a shard that has its conditions.

    `arrays`, `marks`: labels and images, open; `rows`: of the index; `options`: conditions, size_px, phase. Tiles with
    pixels that are not labelled are left out. Items that cannot be used become rows of `lost`.
    """
    known = {row[columns.ITEM]: row for row in rows}
    items = [{**known[about[columns.ITEM]], columns.KEY: about["key"]} for about in arrays.described()]
    work = lambda row: of_item(row, arrays[row[columns.KEY]], marks.unit_interval(row[columns.KEY]), options)  # noqa: E731
    for _, found in batch.survive(items, work, [] if lost is None else lost, "generate"):
        yield from found


def of_item(row: Mapping, labels: np.ndarray, image: np.ndarray, options: Mapping) -> list[tuple]:
    """Return the samples of one item, see `samples`. Raises BadItem if a condition is empty or no tile is whole."""
    names, item = options["conditions"], row[columns.ITEM]
    values = states.of_row(row, names)
    if labels.dtype != np.uint8:
        labels = np.where(labels < 0, 255, labels > 0).astype(np.uint8)  # a region is phase 1
    if values is None:
        empty = [name for name in names if name != states.FRACTION and states.of_row(row, [name]) is None]
        given = row.get(empty[0])
        what = "is empty" if given is None or given != given or given == "" else f"is '{given}', no finite number"
        raise BadItem(f"its condition '{empty[0]}' {what}; complete the index, or drop the item")
    group = str(_known(row.get(columns.GROUP)) or item)
    cuts = [cut for cut in tiles(labels, options["size_px"]) if not (labels[cut] == 255).any()]
    if not cuts:
        raise BadItem("no tile of it is labelled as a whole; give a smaller size_px, or complete its labels")
    return [
        (labels[cut], image[cut].astype(np.float32), states.with_fraction(values, names, labels[cut], options["phase"]),
         group, item)
        for cut in cuts
    ]  # fmt: skip


def collected(found: Sequence[tuple], roles: Mapping[str, str], options: Mapping) -> Examples:
    """Stack samples and give each its role.

    Raises BadItem if there is none, if their sizes differ, or if the measured phase is in none of them.
    """
    if not found:
        raise BadItem(
            "no real image is left that has all conditions and is labelled as a whole: items that were rejected "
            "before, and why, are in the tables 'rejected'; check conditions and size_px"
        )
    sizes = sorted({part[0].shape for part in found})
    if len(sizes) > 1:
        raise BadItem(f"images differ in size ({list(sizes[0])}, {list(sizes[-1])}); give size_px, the size of a tile")
    if not any((part[0] == options["phase"]).any() for part in found):
        raise BadItem(f"phase {options['phase']} is in no real image; check its number in 'phase', and the labels")
    # By item, so that the number of shards changes nothing; the tiles of an item stay in order.
    labels, images, states_, groups, items = zip(*sorted(found, key=lambda part: part[-1]), strict=True)
    made = Examples(
        np.stack(labels),
        np.stack(images),
        np.array(states_, float).reshape(len(found), -1),
        np.array(items),
        np.array(groups),
        np.array([roles.get(item, UNSEEN) for item in items], dtype="<U5"),
    )
    return divided(made, options)


def divided(made: Examples, options: Mapping) -> Examples:
    """Hold back the second half of the tiles of every condition that has no held-back image; mark unseen ones."""
    roles, names = made.roles.copy(), options["conditions"]
    for values in made.known():
        own = np.flatnonzero((made.conditions == values).all(1))
        if states.matches(values, names, options["unseen"]):
            roles[own] = UNSEEN
        elif len(own) > 1 and (roles[own] == TRAIN).all():
            for group in np.unique(made.groups[own]):
                tiles_of = own[made.groups[own] == group]
                roles[tiles_of[(len(tiles_of) + 1) // 2 :]] = HELD
    return replace(made, roles=roles)
