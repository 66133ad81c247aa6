"""Improved crystal graph convolutional network (iCGCNN).

C. W. Park, C. Wolverton, Phys. Rev. Mater. 4 (2020) 063801. The authors published no code; the equations below are
those of the preprint arXiv:1906.05267 as they are usually quoted, and no number of the paper could be repeated here.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks, elements

FACET = 3  # solid angle, area and volume of the Voronoi facet between two atoms


class Gate(nn.Module):
    """Return sigmoid(f) * softplus(c), (f, c) = BN(z W + b), which learns for atoms and for bonds at once."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.full, self.norm = nn.Linear(inside, 2 * outside), nn.BatchNorm1d(2 * outside)

    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return W and b; once the norm is frozen it is folded into them."""
        return (self.full.weight, self.full.bias) if self.training else blocks.folded(self.full, self.norm)

    def forward(self, total):
        gate, core = (self.norm(total) if self.training else total).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.softplus(core)


class Convolution(nn.Module):
    """Two- and three-body updates of atoms and bonds, each with a gate of its own.

    x_i <- x_i + sum_j g(x_i, x_j, u_ij) + sum_{j,l} g'(x_i, x_j, u_ij, x_l, u_il);
    u_ij <- u_ij + h(x_i, x_j, u_ij) + sum_l h'(x_i, x_j, u_ij, x_l, u_il).
    The argument of a three-body gate is a sum of one term for each of the two bonds, so that all products are done once
    per atom or bond; g and h see the same, so that they are columns of one gate, and sums over l serve both.
    """

    def __init__(self, width: int, bond: int):
        super().__init__()
        self.two, self.three = Gate(2 * width + bond, width + bond), Gate(3 * width + 2 * bond, width + bond)
        self.norm_atoms, self.norm_bonds = nn.BatchNorm1d(width), nn.BatchNorm1d(bond)

    def forward(self, x, bonds, graph):
        source, neighbour = graph["source"], graph["neighbour"]
        near = ((x, source), (x, neighbour), (bonds, None))
        change = self.two(blocks.joined(*self.two.weights(), *near))
        weight, bias = self.three.weights()
        one, other = weight.split([2 * x.shape[1] + bonds.shape[1], x.shape[1] + bonds.shape[1]], dim=1)
        one = blocks.joined(one, bias, *near)
        other = blocks.joined(other, torch.zeros_like(bias), (x, neighbour), (bonds, None))
        triples = one.index_select(0, graph["line_source"])
        triples = triples.add_(other.index_select(0, graph["line_neighbour"]))
        change = change + blocks.sum_of(self.three(triples), graph["line_source"], len(bonds))
        atoms, along = change.split([x.shape[1], bonds.shape[1]], dim=1)
        atoms = self.norm_atoms(blocks.sum_of(atoms, source, len(x)))
        return F.softplus(x + atoms), F.softplus(bonds + self.norm_bonds(along))


class ICGCNN(blocks.SoftplusReader):
    """Predict a property of crystals from Voronoi neighbours, with three-body correlations and bonds that learn.

    Options: `width` of an atom's vector and `bond` of a bond's, number of `convolutions`, `hidden` width of the layer
    after pooling. A bond starts as 41 Gaussians of its length and the solid angle, area and volume of its facet.
    """

    line_graph = True

    def __init__(self, *, width: int = 64, bond: int = 41, convolutions: int = 3, hidden: int = 128):
        super().__init__()
        self.elements = blocks.Elements()
        self.distances = blocks.Gaussians(0.0, 8.0, 41, 25.0)
        self.embedding = nn.Linear(elements.BITS, width)
        self.bonds = nn.Linear(41 + FACET, bond)
        self.convs = nn.ModuleList(Convolution(width, bond) for _ in range(convolutions))
        self._make_head(width, hidden)

    def atoms(self, graph: dict) -> torch.Tensor:
        """Return the vector of every atom (n, width) after the convolutions."""
        volume = graph["area"] * graph["distance"] / 6.0  # of the pyramid from the atom to the facet half-way
        facet = torch.stack([graph["solid_angle"], graph["area"], volume], dim=1)
        bonds = self.bonds(torch.cat([self.distances(graph["distance"]), facet], dim=1))
        x = self.embedding(self.elements(graph["species"]))
        for convolution in self.convs:
            x, bonds = convolution(x, bonds, graph)
        return x
