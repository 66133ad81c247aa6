"""Atomistic line graph network (ALIGNN).

K. Choudhary, B. DeCost, npj Comput. Mater. 7 (2021) 185; layers as the authors' code has them.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks, elements


class Gated(nn.Module):
    """Edge-gated convolution with residuals.

    m_ij = W_s x_i + W_d x_j + W_e e_ij; e_ij <- e_ij + SiLU(BN(m_ij));
    x_i <- x_i + SiLU(BN(W_u x_i + sum_j sigmoid(m_ij) V x_j / (sum_j sigmoid(m_ij) + 1e-6))).
    """

    def __init__(self, width: int):
        super().__init__()
        names = ("src_gate", "dst_gate", "edge_gate", "src_update", "dst_update")
        for name in names:
            self.add_module(name, nn.Linear(width, width))
        self.bn_nodes, self.bn_edges = nn.BatchNorm1d(width), nn.BatchNorm1d(width)

    def forward(self, x, edges, source, neighbour):
        gates = self.src_gate(x)[source] + self.dst_gate(x)[neighbour] + self.edge_gate(edges)
        open_by = torch.sigmoid(gates)
        heard = blocks.sum_of(open_by * self.dst_update(x)[neighbour], source, len(x))
        total = blocks.sum_of(open_by, source, len(x))
        nodes = self.src_update(x) + heard / (total + 1e-6)
        return x + F.silu(self.bn_nodes(nodes)), edges + F.silu(self.bn_edges(gates))


class _Embed(nn.Sequential):
    def __init__(self, inside: int, outside: int):
        super().__init__(nn.Linear(inside, outside), nn.BatchNorm1d(outside), nn.SiLU())


def _basis(low: float, high: float, count: int) -> blocks.Gaussians:
    return blocks.Gaussians(low, high, count, (count - 1) / (high - low))  # gamma is one over the spacing


class ALIGNN(blocks.MeanNetwork):
    """Predict a property of crystals from distances and, on the line graph, from the angles between bonds.

    Options: `width`, number of `alignn_layers` (a gated convolution on atoms, then one on bonds) and of `gcn_layers`
    (on atoms alone), width of the `embedding` of distances and angles. 4,026,753 parameters at the
    defaults, as published. Bonds are nodes of the line graph; its edges join two bonds of one atom and hold their
    cosine. Without `alignn_layers` no angles are built.
    """

    line_graph, readout = True, "fc"

    def __init__(self, *, width: int = 256, alignn_layers: int = 4, gcn_layers: int = 4, embedding: int = 64):
        super().__init__()
        self.line_graph = alignn_layers > 0
        self.elements = blocks.Elements()
        self.atom_embedding = _Embed(elements.BITS, width)
        self.edge_embedding = nn.Sequential(_basis(0.0, 8.0, 80), _Embed(80, embedding), _Embed(embedding, width))
        if self.line_graph:
            self.angle_embedding = nn.Sequential(_basis(-1.0, 1.0, 40), _Embed(40, embedding), _Embed(embedding, width))
        self.on_atoms = nn.ModuleList(Gated(width) for _ in range(alignn_layers))
        self.on_bonds = nn.ModuleList(Gated(width) for _ in range(alignn_layers))
        self.gcn = nn.ModuleList(Gated(width) for _ in range(gcn_layers))
        self.fc = nn.Linear(width, 1)

    def atoms(self, graph: dict) -> torch.Tensor:
        """Give every atom (n, width) the vector that it has after the convolutions, from a batch with a line graph."""
        x = self.atom_embedding(self.elements(graph["species"]))
        bonds = self.edge_embedding(graph["distance"])
        angles = self.angle_embedding(graph["angle_cos"]) if self.line_graph else None
        for atoms, pairs in zip(self.on_atoms, self.on_bonds, strict=True):
            x, bonds = atoms(x, bonds, graph["source"], graph["neighbour"])
            bonds, angles = pairs(bonds, angles, graph["line_source"], graph["line_neighbour"])
        for layer in self.gcn:
            x, bonds = layer(x, bonds, graph["source"], graph["neighbour"])
        return x

    def head(self, pooled: torch.Tensor) -> torch.Tensor:
        """Read a number from every vector (m, width)."""
        return self.fc(pooled).squeeze(1)
