"""Graphs of crystals as input of networks: flat arrays, with edges counted over the whole batch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matlens.crystal import structures

MORE = ("solid_angle", "area", "weight")  # arrays with a row per edge that only some graphs have


@dataclass
class Graphs:
    """Crystals and their edges. Edges of crystal i are `edge_offsets[i]` to `[i + 1]` of the arrays in `edges`.

    `edges`: source, neighbour (E,) atoms of their own crystal, image (E, 3) cells, distance (E,) angstrom, and
    solid_angle, area, weight where the graph has them.
    """

    crystals: structures.Crystals
    edges: dict[str, np.ndarray]
    edge_offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.crystals)

    @property
    def atoms(self) -> np.ndarray:
        """Count the atoms of every crystal."""
        return np.diff(self.crystals.offsets)


def from_arrays(arrays: dict[str, np.ndarray]) -> Graphs:
    """Build graphs from the stored arrays of a shard of the stage connect."""
    names = ("source", "neighbour", "image", "distance", *(name for name in MORE if name in arrays))
    return Graphs(structures.from_arrays(arrays), {name: arrays[name] for name in names}, arrays["edge_offsets"])


def concatenate(parts: list[Graphs]) -> Graphs:
    """Concatenate the graphs of many shards."""
    counts = np.concatenate([np.diff(part.edge_offsets) for part in parts])
    return Graphs(
        structures.concatenate(part.crystals for part in parts),
        {name: np.concatenate([part.edges[name] for part in parts]) for name in parts[0].edges},
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )


def taken(graphs: Graphs, chosen) -> Graphs:
    """Select graphs by an array of positions, in its order."""
    chosen = np.asarray(chosen, np.int64)
    rows, offsets = structures.gather(graphs.edge_offsets, chosen)
    return Graphs(graphs.crystals[chosen], {name: values[rows] for name, values in graphs.edges.items()}, offsets)


def arrays_of(graphs: Graphs, chosen, line_graph: bool = False) -> dict:
    """Gather some graphs into one: arrays by name, with atoms and edges counted from 0 over all of them.

    `chosen`: positions of k crystals with n atoms and e edges. Returns species, crystal (n,) int64; source, neighbour
    (e,) int64, sorted by source; image (e, 3) int64; distance (e,) and vector (e, 3) float32, angstrom, from an atom
    to its neighbour; volume (k,) float32, cubic angstrom; count k; solid_angle, area, weight (e,) float32 where there
    are such.
    With `line_graph` also line_source, line_neighbour (t,) int64, every ordered pair of edges that leave the same atom,
    and angle_cos (t,) float32 between them.
    """
    some = graphs.crystals[np.asarray(chosen, np.int64)]
    rows, edge_offsets = structures.gather(graphs.edge_offsets, np.asarray(chosen, np.int64))
    counts = np.diff(edge_offsets)
    first = np.repeat(some.offsets[:-1], counts)
    source = graphs.edges["source"][rows] + first
    neighbour = graphs.edges["neighbour"][rows] + first
    image = graphs.edges["image"][rows].astype(np.int64)
    steps = some.frac[neighbour] + image - some.frac[source]
    vector = np.einsum("ei,eij->ej", steps, np.repeat(some.cell, counts, axis=0))
    made = {
        "species": some.species.astype(np.int64),
        "crystal": np.repeat(np.arange(len(some)), np.diff(some.offsets)),
        "source": source,
        "neighbour": neighbour,
        "image": image,
        "distance": graphs.edges["distance"][rows].astype(np.float32),
        "vector": vector.astype(np.float32),
        "volume": np.abs(np.linalg.det(some.cell)).astype(np.float32),
        "count": len(some),
    }
    made |= {name: graphs.edges[name][rows].astype(np.float32) for name in MORE if name in graphs.edges}
    if line_graph:
        from matlens.crystal.kernels import line_graph as pairs

        one, two, cosine = pairs(source, vector)
        made |= {"line_source": one.astype(np.int64), "line_neighbour": two.astype(np.int64)}
        made["angle_cos"] = cosine.astype(np.float32)
    return made


def batch(graphs: Graphs, chosen, line_graph: bool = False) -> dict:
    """Gather some graphs into one batch of torch tensors; see `arrays_of`."""
    import torch

    made = arrays_of(graphs, chosen, line_graph)
    return {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in made.items()}


def shuffled(count: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Deal the numbers below `count` out at random, in ceil(count / size) batches as equal as can be."""
    return np.array_split(rng.permutation(count), max(1, -(-count // size)))


def by_atoms(counts, most: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Deal crystals out at random, in batches with about as many atoms each and at most `most`.

    `counts` (n,): atoms of the crystals. How many batches there are does not depend on `rng`, so that every epoch has
    as many steps. Where a crystal has more than half of `most` atoms, a batch may have half of `most` more than it.
    """
    counts = np.asarray(counts, np.int64)
    room = max(most - int(counts.max()) + 1, -(-most // 2))  # a batch is cut after the crystal that passes its part
    batches = min(len(counts), -(-int(counts.sum()) // room))
    order = rng.permutation(len(counts))
    before, steps = np.cumsum(counts[order]) - counts[order], np.arange(1, batches)
    cuts = np.searchsorted(before, counts.sum() * steps / batches)
    cuts = np.clip(np.maximum.accumulate(cuts - steps), 0, len(counts) - batches) + steps  # no batch is empty
    return np.split(order, cuts)


def in_order(graphs: Graphs, most_edges: int) -> Iterator[np.ndarray]:
    """Cut the graphs, in their order, into runs of at most `most_edges` edges; a larger graph is a run of its own."""
    start, offsets = 0, graphs.edge_offsets
    while start < len(graphs):
        stop = int(np.searchsorted(offsets, offsets[start] + most_edges, side="right")) - 1
        stop = max(start + 1, stop)
        yield np.arange(start, stop)
        start = stop
