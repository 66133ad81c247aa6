"""Improved crystal graph convolutional network (iCGCNN).

C. W. Park, C. Wolverton, Phys. Rev. Mater. 4 (2020) 063801. The authors published no code; the equations below are
those of the preprint arXiv:1906.05267 as they are usually quoted, and no number of the paper could be repeated here.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets import crystal_blocks as blocks
from matlens.nets import elements

FACET = 3  # solid angle, area and volume of the Voronoi facet between two atoms


class Gate(nn.Module):
    """Return BN(sigmoid(z W_f + b)) * softplus(z W_c + b)) for z made of parts that are multiplied before they meet."""

    def __init__(self, parts: tuple[int, ...], width: int):
        super().__init__()
        self.parts = nn.ModuleList(nn.Linear(part, 2 * width, bias=number == 0) for number, part in enumerate(parts))
        self.norm = nn.BatchNorm1d(2 * width)

    def forward(self, *parts):
        """Take for every part its rows, and the row that each result takes of them (None: all in order)."""
        total = 0
        for layer, (values, chosen) in zip(self.parts, parts, strict=True):
            made = layer(values)
            total = total + (made if chosen is None else made[chosen])
        gate, core = self.norm(total).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.softplus(core)


class Convolution(nn.Module):
    """Two- and three-body updates of atoms and bonds.

    x_i <- x_i + sum_j g(x_i, x_j, u_ij) + sum_{j,l} g'(x_i, x_j, x_l, u_ij, u_il);
    u_ij <- u_ij + h(x_i, x_j, u_ij) + sum_l h'(x_i, x_j, x_l, u_ij, u_il), each with gates of its own.
    """

    def __init__(self, width: int, bond: int):
        super().__init__()
        two, three = (width, width, bond), (width, width, width, bond, bond)
        self.atom_two, self.atom_three = Gate(two, width), Gate(three, width)
        self.bond_two, self.bond_three = Gate(two, bond), Gate(three, bond)
        self.norm_atoms, self.norm_bonds = nn.BatchNorm1d(width), nn.BatchNorm1d(bond)

    def forward(self, x, bonds, graph):
        source, neighbour = graph["source"], graph["neighbour"]
        one, two = graph["line_source"], graph["line_neighbour"]
        centre = source[one]
        pair = ((x, source), (x, neighbour), (bonds, None))
        triple = ((x, centre), (x, neighbour[one]), (x, neighbour[two]), (bonds, one), (bonds, two))
        atoms = torch.zeros_like(x).index_add(0, source, self.atom_two(*pair))
        atoms = atoms.index_add(0, centre, self.atom_three(*triple))
        change = self.bond_two(*pair)
        change = change + torch.zeros_like(bonds).index_add(0, one, self.bond_three(*triple))
        return F.softplus(x + self.norm_atoms(atoms)), F.softplus(bonds + self.norm_bonds(change))


class ICGCNN(nn.Module):
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
        self.conv_to_fc = nn.Linear(width, hidden)
        self.fc_out = nn.Linear(hidden, 1)

    def atoms(self, graph: dict) -> torch.Tensor:
        """Give every atom (n, width) the vector that it has after the convolutions."""
        volume = graph["area"] * graph["distance"] / 6.0  # of the pyramid from the atom to the facet half-way
        facet = torch.stack([graph["solid_angle"], graph["area"], volume], dim=1)
        bonds = self.bonds(torch.cat([self.distances(graph["distance"]), facet], dim=1))
        x = self.embedding(self.elements(graph["species"]))
        for convolution in self.convs:
            x, bonds = convolution(x, bonds, graph)
        return x

    def head(self, pooled: torch.Tensor) -> torch.Tensor:
        """Read a number from every vector (m, width)."""
        return self.fc_out(F.softplus(self.conv_to_fc(F.softplus(pooled)))).squeeze(1)

    def forward(self, graph: dict) -> torch.Tensor:
        """Predict one number a crystal (count,) from a batch of Voronoi graphs with a line graph."""
        return self.head(blocks.mean_of(self.atoms(graph), graph["crystal"], graph["count"]))

    def site_values(self, graph: dict) -> torch.Tensor:
        """Read from every atom (n,) alone what the network reads from their mean."""
        return self.head(self.atoms(graph))
