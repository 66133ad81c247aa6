"""Crystal pattern network (GCPNet).

J. Gao et al., the network of github.com/feiji110/GCPNet (MIT licence): two levels of graph convolutional attention.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks, elements

DEGREES, GROUPS, EMBEDDING, HIGH = 12, 6, 64, 8.0


class Operator(nn.Module):
    """Graph convolutional attention operator (GCAO) on nodes and edges.

    x_i <- x_i + AGAT(x, e)_i; e_ij <- e_ij + BN(sigmoid(L_f z) softplus(L_s z)), z = x_i (+) x_j (+) e_ij.
    """

    def __init__(self, width: int):
        super().__init__()
        self.attention = blocks.Attention(width, F.silu)
        self.lin_f, self.lin_s = nn.Linear(3 * width, width), nn.Linear(3 * width, width)
        self.bn = nn.BatchNorm1d(width)

    def _split(self, layer: nn.Linear, x, edges, source, neighbour):
        own, other, along = layer.weight.split(x.shape[1], dim=1)
        return (x @ own.T)[source] + (x @ other.T)[neighbour] + F.linear(edges, along, layer.bias)

    def forward(self, x, edges, source, neighbour):
        x = x + self.attention(x, edges, source, neighbour)
        gate = torch.sigmoid(self._split(self.lin_f, x, edges, source, neighbour))
        return x, edges + self.bn(gate * F.softplus(self._split(self.lin_s, x, edges, source, neighbour)))


class _Embed(nn.Sequential):
    def __init__(self, inside: int, outside: int):
        super().__init__(nn.Linear(inside, outside), blocks.DiffGroupNorm(outside, GROUPS), nn.SiLU())


class GCPNet(blocks.MeanNetwork):
    """Predict a property of crystals by attention over bonds and angles first, then over bonds.

    Options: `width`, number of layers of the `first` level (an operator on the line graph, then one on atoms) and of
    the `second` (on atoms). 194,625, 725,025 and 2,818,017 parameters at widths 32, 64 and 128, as published.
    Distances are spread over fifty Gaussians in angstrom; the authors' code divides them by 8 and reaches eight.
    Every periodic image is a neighbour, where the authors keep one edge for each pair of atoms.
    """

    line_graph, readout = True, "fc"

    def __init__(self, *, width: int = 64, first: int = 4, second: int = 4):
        super().__init__()
        self.elements = blocks.Elements()
        self.embed_atoms = _Embed(elements.BITS + DEGREES + 1, width)
        distances = blocks.Gaussians(0.0, HIGH, 50, 49 / HIGH)
        angles = blocks.Gaussians(0.0, torch.pi, 40, 39 / torch.pi)
        self.embed_bonds = nn.Sequential(distances, _Embed(50, EMBEDDING), _Embed(EMBEDDING, width))
        self.embed_angles = nn.Sequential(angles, _Embed(40, EMBEDDING), _Embed(EMBEDDING, width))
        self.on_bonds = nn.ModuleList(Operator(width) for _ in range(first))
        self.on_atoms = nn.ModuleList(Operator(width) for _ in range(first))
        self.last = nn.ModuleList(Operator(width) for _ in range(second))
        self.fc = nn.Linear(width, 1)

    def atoms(self, graph: dict) -> torch.Tensor:
        """Give every atom (n, width) the vector that it has after both levels."""
        table = torch.cat([self.elements(graph["species"]), blocks.degrees(graph, DEGREES)], dim=1)
        x, bonds = self.embed_atoms(table), self.embed_bonds(graph["distance"])
        limit = 1.0 - 1e-6  # the slope of the arc cosine has no bound at 1
        angles = self.embed_angles(torch.arccos(graph["angle_cos"].clamp(-limit, limit)))
        for pairs, atoms in zip(self.on_bonds, self.on_atoms, strict=True):
            bonds, angles = pairs(bonds, angles, graph["line_source"], graph["line_neighbour"])
            x, bonds = atoms(x, bonds, graph["source"], graph["neighbour"])
        for layer in self.last:
            x, bonds = layer(x, bonds, graph["source"], graph["neighbour"])
        return x

    def head(self, vectors: torch.Tensor) -> torch.Tensor:
        """Read a number from every vector (m, width); it is linear, so that site values average to the prediction."""
        return self.fc(vectors).squeeze(1)
