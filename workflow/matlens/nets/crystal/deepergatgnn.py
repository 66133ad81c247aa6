"""Deeper graph attention network (DeeperGATGNN).

S. S. Omee et al., Patterns 3 (2022) 100491; layers as the authors' code has them.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks

ELEMENTS, DEGREES, COMPOSITION, GROUPS = 100, 13, 108, 10
CUTOFF = 8.0
SLOPE = 0.2


def minimum_image(graph: dict) -> dict:
    """Keep one edge, the shortest, of every pair of atoms, as the authors' distance matrices do."""
    pair = graph["source"] * len(graph["species"]) + graph["neighbour"]
    order = torch.argsort(graph["distance"], stable=True)
    order = order[torch.argsort(pair[order], stable=True)]
    sorted_pair = pair[order]
    first = torch.ones_like(sorted_pair, dtype=torch.bool)
    first[1:] = sorted_pair[1:] != sorted_pair[:-1]
    kept = order[first]
    kept = kept[graph["source"][kept] != graph["neighbour"][kept]]
    return graph | {name: graph[name][kept] for name in ("source", "neighbour", "distance")}


class _Global(nn.Module):
    """Weigh the atoms of a crystal by three layers that see its composition; the norms are the authors', and unread."""

    def __init__(self, width: int):
        super().__init__()
        sizes = (width + COMPOSITION, width, width, 1)
        self.global_mlp = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.bn_list = nn.ModuleList(blocks.DiffGroupNorm(width, GROUPS) for _ in range(3))

    def forward(self, x, graph):
        out = torch.cat([x, blocks.composition(graph, COMPOSITION)[graph["crystal"]]], dim=1)
        for layer in self.global_mlp[:-1]:
            out = F.softplus(layer(out))
        return self.global_mlp[-1](out)


class DeeperGATGNN(blocks.Network):
    """Predict a property of crystals by many layers of attention, each x <- x + DGN(AGAT(x, e)).

    Options: `width`, number of `layers` (737,186 parameters with twenty, as published; 5,760 of them, norms of the
    global attention, are never read), and `minimum_image`, the authors' graph with one edge for each pair of atoms and
    none from an atom to its own images; by default every periodic image is a neighbour. Every atom is also an edge to
    itself, of length 0. `norm`: "group" (differentiable group normalisation), "batch" or "none"; `skips`: whether a
    layer adds to its input, x <- x + DGN(AGAT(x, e)), or replaces it. The paper compares these against depth.
    """

    readout = "lin_out"

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 20,
        minimum_image: bool = False,
        norm: str = "group",
        skips: bool = True,
    ):
        super().__init__()
        self.minimum_image, self.skips = minimum_image, skips
        norms = {"group": lambda: blocks.DiffGroupNorm(width, GROUPS), "batch": lambda: nn.BatchNorm1d(width)}
        self.distances = blocks.Gaussians(0.0, 1.0, 50, 1 / 0.2**2)
        self.pre_lin_list_N = nn.ModuleList([nn.Linear(ELEMENTS + DEGREES + 1, width)])
        self.pre_lin_list_E = nn.ModuleList([nn.Linear(50, width)])
        self.conv_list = nn.ModuleList(blocks.Attention(width, F.softplus) for _ in range(layers))
        self.bn_list = nn.ModuleList(norms.get(norm, nn.Identity)() for _ in range(layers))
        self.global_att_LAYER = _Global(width)
        self.lin_out = nn.Linear(width, 1)

    def _weighed(self, graph: dict) -> tuple[torch.Tensor, torch.Tensor]:
        if self.minimum_image:
            graph = minimum_image(graph)
        atoms = F.one_hot(graph["species"].clamp(max=ELEMENTS) - 1, ELEMENTS).to(graph["distance"].dtype)
        itself = torch.arange(len(atoms), device=atoms.device)
        source, neighbour = torch.cat([graph["source"], itself]), torch.cat([graph["neighbour"], itself])
        distance = torch.cat([graph["distance"], graph["distance"].new_zeros(len(itself))])
        degrees = blocks.degrees({**graph, "source": source}, DEGREES)
        x = F.leaky_relu(self.pre_lin_list_N[0](torch.cat([atoms, degrees], dim=1)), SLOPE)
        distances, bond = torch.unique(distance, return_inverse=True)
        bonds = F.leaky_relu(self.pre_lin_list_E[0](self.distances(distances / CUTOFF)), SLOPE)
        at = blocks.ends(source, neighbour, bond, len(bonds))
        for layer, norm in zip(self.conv_list, self.bn_list, strict=True):
            new = norm(layer(x, bonds, source, neighbour, at))
            x = x + new if self.skips else new
        return x, blocks.softmax(self.global_att_LAYER(x, graph), graph["crystal"], graph["count"])

    def forward(self, graph: dict) -> torch.Tensor:
        """Predict one number a crystal (count,) from a batch as `matlens.crystal.graphs.batch` makes it."""
        x, weight = self._weighed(graph)
        pooled = blocks.sum_of(x * weight, graph["crystal"], graph["count"])
        return self.lin_out(pooled).squeeze(1)

    def site_values(self, graph: dict) -> torch.Tensor:
        """Give the weight of every atom (n,) in the prediction; those of a crystal sum to 1."""
        return self._weighed(graph)[1].squeeze(1)
