"""Build graphs of crystals.

A method is `connect(cell, frac, *, options)`. It takes the cell of one crystal (rows are the cell vectors, in angstrom)
and fractional coordinates (n, 3), and returns its edges, sorted by source and distance, as arrays by name: `source` and
`neighbour` (int32, atoms of the crystal), `image` (int16, 3: the cell in which the neighbour is), `distance` (float64,
angstrom), and further arrays with one row per edge: `weight` (float32), below 1 where tied neighbours share a place.
Periodic images count separately. An edge points from the atom that receives messages to the neighbour; its vector is
`(frac[neighbour] + image - frac[source]) @ cell`.
"""

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem

METHODS = {
    "knn": "matlens.connect.knn:connect",
    "radius": "matlens.connect.radius:connect",
    "voronoi": "matlens.connect.voronoi:connect",
}
EDGE_ARRAYS = ("source", "neighbour", "image", "distance")
MORE_ARRAYS = {"voronoi": ("solid_angle", "area"), "knn": ("weight",)}
HEAVIEST = 100  # fermium: the networks have element features up to here


def check(species: np.ndarray) -> None:
    """Raise BadItem if an element is beyond the element features of the networks."""
    if species.max(initial=0) > HEAVIEST:
        raise BadItem(f"networks have no features of element {int(species.max())}, only of 1 to {HEAVIEST}; remove it")


def named(edges: tuple) -> dict[str, np.ndarray]:
    """Name the arrays of a kernel: source, neighbour, image, distance, solid angle, area."""
    return dict(zip((*EDGE_ARRAYS, "solid_angle", "area"), edges, strict=False))


def stack(graphs: list[dict], method: str) -> dict[str, np.ndarray]:
    """Concatenate the edges of many crystals; crystal i has edges `edge_offsets[i]` to `edge_offsets[i + 1]`.

    Atoms are numbered within their crystal. All arrays of the method are present, even without any graph.
    """
    offsets = np.cumsum([0, *(len(graph["source"]) for graph in graphs)], dtype=np.int64)
    none = named((np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 3), np.int16), *[np.zeros(0)] * 3))
    none["weight"] = np.zeros(0, np.float32)
    arrays = EDGE_ARRAYS + MORE_ARRAYS.get(method, ())
    return {name: np.concatenate([none[name], *(graph[name] for graph in graphs)]) for name in arrays} | {
        "edge_offsets": offsets
    }


def describe(item: str, key: int, atoms: int, graph: dict) -> dict:
    """Describe the graph of a crystal in one table row."""
    counts, distance = np.bincount(graph["source"], minlength=atoms), graph["distance"]
    return {
        columns.KEY: key,
        columns.ITEM: item,
        "atoms": atoms,
        "edges": len(distance),
        "mean_neighbours": float(counts.mean()),
        "least_neighbours": int(counts.min()),
        "nearest_a": float(distance.min()) if len(distance) else float("nan"),
        "farthest_a": float(distance.max()) if len(distance) else float("nan"),
    }


def table(rows: list[dict]):
    """Build the table from rows; an empty table keeps its columns."""
    import pandas as pd

    return pd.DataFrame(
        rows,
        columns=[
            *(columns.KEY, columns.ITEM, "atoms", "edges", "mean_neighbours", "least_neighbours"),
            *("nearest_a", "farthest_a"),
        ],
    )
