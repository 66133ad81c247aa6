"""Crystals as flat arrays: cells, atoms and the offsets between them, so that a shard loads without parsing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Crystal(NamedTuple):
    """One crystal: cell (3, 3), its rows in angstrom; atomic numbers (n,); fractional coordinates (n, 3)."""

    cell: np.ndarray
    species: np.ndarray
    frac: np.ndarray


@dataclass
class Crystals:
    """Many crystals, one after the other.

    `key` (n,) int64 and `item` (n,) text name them; `cell` (n, 3, 3) float64 has the cell vectors as rows, in angstrom;
    `species` (N,) uint8 holds atomic numbers and `frac` (N, 3) float64 fractional coordinates of all atoms; those of
    crystal i are `offsets[i]` to `offsets[i + 1]`. Iteration and `crystals[3]` give a Crystal each; a slice or an array
    of positions gives Crystals.
    """

    key: np.ndarray
    item: np.ndarray
    cell: np.ndarray
    species: np.ndarray
    frac: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.cell)

    def __iter__(self) -> Iterator[Crystal]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, chosen):
        if isinstance(chosen, (int, np.integer)):
            first, last = self.offsets[range(len(self))[chosen] :][:2]
            return Crystal(self.cell[chosen], self.species[first:last], self.frac[first:last])
        chosen = np.arange(len(self))[chosen]
        atoms, offsets = gather(self.offsets, chosen)
        return Crystals(
            self.key[chosen], self.item[chosen], self.cell[chosen], self.species[atoms], self.frac[atoms], offsets
        )


def gather(offsets: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the flat positions of some rows of a ragged array, in their order, and the offsets of these rows."""
    counts = np.diff(offsets)[chosen]
    made = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(offsets[chosen] - made[:-1], counts) + np.arange(made[-1]), made


def pack(keys: Iterable[int], items: Iterable[str], found: list[Crystal]) -> Crystals:
    """Put crystals one after the other."""
    return Crystals(
        np.array(list(keys), np.int64),
        np.array(list(items), dtype=object),
        np.array([one.cell for one in found], float).reshape(-1, 3, 3),
        np.concatenate([np.zeros(0, np.uint8), *(one.species for one in found)]).astype(np.uint8),
        np.concatenate([np.zeros((0, 3)), *(one.frac for one in found)]),
        np.concatenate([[0], np.cumsum([len(one.species) for one in found])]).astype(np.int64),
    )


def concatenate(parts: Iterable[Crystals]) -> Crystals:
    """Put the crystals of many shards one after the other."""
    parts = list(parts)
    joined = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Crystals)}
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return Crystals(**{**joined, "offsets": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)})


def by_item(parts: Iterable[Crystals]) -> dict[str, Crystal]:
    """Return the crystals of many shards by item."""
    return {str(item): part[at] for part in parts for at, item in enumerate(part.item)}


def to_arrays(crystals: Crystals) -> dict[str, np.ndarray]:
    """Return the arrays to store by name; ids become one array of UTF-8 bytes and its offsets."""
    texts = [str(item).encode() for item in crystals.item]
    return {
        "key": crystals.key,
        "item": np.frombuffer(b"".join(texts), np.uint8),
        "item_offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
        "cell": crystals.cell,
        "species": crystals.species,
        "frac": crystals.frac,
        "offsets": crystals.offsets,
    }


def from_arrays(arrays: dict[str, np.ndarray]) -> Crystals:
    """Rebuild crystals from stored arrays; arrays of other names (edges) are left alone."""
    text, edges = arrays["item"].tobytes(), arrays["item_offsets"].tolist()
    items = [text[first:last].decode() for first, last in pairwise(edges)]
    flat = {name: arrays[name] for name in ("key", "cell", "species", "frac", "offsets")}
    return Crystals(item=np.array(items, dtype=object), **flat)
