"""Applicability domain: the training set as points, the distance of a crystal to them, and flags on those outside.

A point holds composition, volume, contacts and gaps (see `descriptors`), and how far lengths are from those that the
composition suggests, so that a strained cell is far from all points.
"""

from collections.abc import Mapping

import numpy as np

from matlens.crystal import graphs as flat
from matlens.predict import descriptors
from matlens.predict.far import EDGE

COMPOSITION_WEIGHT = 10.0**0.5  # of all composition features together, where each statistic of the structure has 1
LENGTHS = slice(0, 4)  # volume and nearest contacts, among descriptors.STRUCTURE
RIDGE = 1.0  # of the lengths that a composition suggests, in crystals
DIMENSIONS = 40  # of a point; principal components
MOST_POINTS = 20_000
CHUNK = 500  # crystals whose distances are computed at a time
LEAST_STD = 0.05  # of a descriptor; a training set of one kind of crystals has hardly any scatter
POINTS, MATRIX, OFFSET, PART = "domain/points", "domain/matrix", "domain/offset", "domain/part"
STRAINED = "domain/strained"
SIZE = "domain/size/{}"  # of the residuals of an output at the points, see `ensembles.local`


def _ranges(graphs) -> np.ndarray:
    """Return volume per atom (A^3) and nearest distance (A) of every crystal (n, 2)."""
    nearest = np.full(len(graphs), np.nan)
    full = np.diff(graphs.edge_offsets) > 0
    if full.any():
        nearest[full] = np.minimum.reduceat(graphs.edges["distance"], graphs.edge_offsets[:-1][full])
    return np.stack([descriptors.volumes(graphs), nearest], axis=1)


def _raw(graphs) -> np.ndarray:
    return np.hstack([descriptors.composition(graphs), descriptors.structure(graphs)])


def _map(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix (f, d) and offset (d,) that turn descriptors into points.

    Parts of a point: composition, weighted as a whole; statistics of the structure over their standard deviations; and
    the residuals of the lengths from their least-squares estimate by composition, over theirs.
    """
    split = raw.shape[1] - len(descriptors.STRUCTURE)
    mean = raw.mean(axis=0)
    centred = raw - mean
    size = np.sqrt((centred[:, :split] ** 2).sum(axis=1).mean()) or 1.0
    spread = np.maximum(centred[:, split:].std(axis=0), LEAST_STD)
    lengths = centred[:, split:][:, LENGTHS]
    gram = centred[:, :split].T @ centred[:, :split] + RIDGE * np.eye(split)
    estimate = np.linalg.solve(gram, centred[:, :split].T @ lengths)
    left = np.maximum((lengths - centred[:, :split] @ estimate).std(axis=0), LEAST_STD)
    full = np.zeros((raw.shape[1], raw.shape[1] + len(left)))
    full[:split, :split] = np.eye(split) * COMPOSITION_WEIGHT / size
    full[split:, split : -len(left)] = np.diag(1 / spread)
    full[:split, -len(left) :] = -estimate / left
    full[split:, -len(left) :] = np.eye(len(spread))[:, LENGTHS] / left
    _, _, axes = np.linalg.svd(centred @ full, full_matrices=False)
    matrix = full @ axes[:DIMENSIONS].T
    return matrix, mean @ matrix


def describe(graphs, train, parts=None, seed: int = 0, strained=None) -> tuple[dict, dict[str, np.ndarray]]:
    """Describe the training set: returns entries of a model card, and arrays to store with the weights.

    parts (train,): the part of the training set that each crystal is in, see `ensembles.parts`. strained (train,): true
    for crystals that were strained or invented on purpose; intervals know them, flags are relative to the others.
    Card: elements, ranges of volume and nearest distance, and `distance_limit`, beyond which the fraction EDGE of the
    training crystals is from the nearest other one. Arrays: at most MOST_POINTS points (p, d) in half precision, and
    the map that makes them.
    """
    strained = np.zeros(len(train), bool) if strained is None else np.asarray(strained, bool)
    some, calm = flat.taken(graphs, train), ~strained
    ranges, raw = _ranges(some)[calm], _raw(some)
    matrix, offset = _map(raw[calm])
    chosen = kept(len(some), seed)
    parts = np.zeros(len(some), int) if parts is None else np.asarray(parts)
    arrays = {
        MATRIX: matrix.astype(np.float32),
        OFFSET: offset.astype(np.float32),
        POINTS: (raw[chosen] @ matrix - offset).astype(np.float16),
        PART: parts[chosen].astype(np.uint8),
        STRAINED: strained[chosen],
    }
    points = arrays[POINTS][calm[chosen]].astype(np.float32)
    alone = _nearest(points, points, np.zeros(len(points), int), 1, itself=True)[:, 0]
    return {
        "elements": np.unique(flat.taken(some, np.flatnonzero(calm)).crystals.species).tolist(),
        "volume_a3_per_atom": [float(ranges[:, 0].min()), float(ranges[:, 0].max())],
        "nearest_a": [float(np.nanmin(ranges[:, 1])), float(np.nanmax(ranges[:, 1]))],
        "distance_limit": round(float(np.quantile(alone, 1 - EDGE)), 4) if len(alone) > 1 else None,
    }, arrays


def kept(count: int, seed: int) -> np.ndarray:
    """Return the positions of the training crystals, of `count`, whose points are stored."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:MOST_POINTS])


def at_points(values: np.ndarray, known: np.ndarray, seed: int) -> np.ndarray:
    """Return values of the training crystals that are `known` (bool) at the stored points, half precision, else NaN."""
    every = np.full(len(known), np.nan)
    every[known] = values
    return every[kept(len(known), seed)].astype(np.float16)


def points(graphs, arrays: Mapping) -> np.ndarray:
    """Return the points of crystals (n, d) by the map that is stored with some weights.

    Products are in double precision: in single precision their last bits depend on the number of rows, and so on the
    shards.
    """
    return (_raw(graphs) @ arrays[MATRIX].astype(float) - arrays[OFFSET]).round(7).astype(np.float32)


def _nearest(asked: np.ndarray, points: np.ndarray, part: np.ndarray, count: int, itself: bool = False) -> np.ndarray:
    """Return the distance of each point `asked` (n, d) to the nearest of every part (n, count).

    itself: `asked` are the points, and each of them is left out for itself.
    """
    asked, points = asked.astype(float), points.astype(float)
    squares, own = (points**2).sum(axis=1), [np.flatnonzero(part == number) for number in range(count)]
    found = np.full((len(asked), count), np.inf, np.float32)
    for first in range(0, len(asked), CHUNK):
        rows = asked[first : first + CHUNK]
        square = squares - 2 * rows @ points.T
        if itself:
            square[np.arange(len(rows)), np.arange(first, first + len(rows))] = np.inf
        for number, some in enumerate(own):
            if len(some) > itself:
                away = rows - points[some[square[:, some].argmin(axis=1)]]
                found[first : first + CHUNK, number] = np.sqrt((away**2).sum(axis=1))
    return found


def distances(graphs, arrays: Mapping, asked=None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the distance of every crystal to the nearest training crystal of each part (n, parts), and to the nearest
    of those that were not strained (n,); None if the weights have no points. asked (n, d): `points` of the crystals.
    """
    if POINTS not in arrays:
        return None
    asked = points(graphs, arrays) if asked is None else asked
    kinds = 2 * arrays[PART].astype(int) + arrays[STRAINED]
    count = int(arrays[PART].max(initial=0)) + 1
    found = _nearest(asked, arrays[POINTS].astype(np.float32), kinds, 2 * count).reshape(len(asked), count, 2)
    return found.min(axis=2), found[:, :, 0].min(axis=1)


def flag_outside(graphs, card: Mapping, distance: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Flag crystals outside the training set of a card; returns outside_training_range and unseen_elements (n,).

    distance (n,): to the nearest training crystal that was not strained. A crystal is outside if an element, its volume
    per atom or its nearest distance is, or if it is farther from every training crystal than `distance_limit`.
    """
    from matlens.crystal.compositions import SYMBOLS

    unseen = ~np.isin(graphs.crystals.species, card["elements"])
    names, first = np.full(len(graphs), "", dtype=object), graphs.crystals.offsets
    for crystal in np.unique(descriptors.members(graphs)[unseen]):
        own = slice(first[crystal], first[crystal + 1])
        names[crystal] = ",".join(SYMBOLS[z - 1] for z in np.unique(graphs.crystals.species[own][unseen[own]]))
    ranges = _ranges(graphs)
    limits = np.array([card["volume_a3_per_atom"], card["nearest_a"]])
    outside = ((ranges < limits[:, 0]) | (ranges > limits[:, 1])).any(axis=1) | (names != "")
    if distance is not None and card.get("distance_limit"):
        outside |= distance > card["distance_limit"]
    return {"outside_training_range": outside, "unseen_elements": names}
