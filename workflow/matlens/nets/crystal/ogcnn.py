"""Orbital graph convolutional network (OGCNN): CGCNN whose atoms also bring the orbitals of their neighbours.

M. Karamad et al., Phys. Rev. Mater. 4 (2020) 093801; the orbital field matrix of T. L. Pham et al., Sci. Technol. Adv.
Mater. 18 (2017) 756.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks, elements
from matlens.nets.crystal.cgcnn import Convolution

BOHR_A = 0.529177210903
SHELLS = (2, 6, 10, 14)  # electrons that s, p, d and f shells hold
BITS = sum(SHELLS)
_VALENCE = """
    1000 2000 1000 2000 2100 2200 2300 2400 2500 2600 1000 2000 2100 2200 2300 2400 2500 2600 1000 2000
    2010 2020 2030 1050 2050 2060 2070 2080 10a0 20a0 21a0 22a0 23a0 24a0 25a0 26a0 1000 2000 2010 2020
    1040 1050 2050 1070 1080 00a0 10a0 20a0 21a0 22a0 23a0 24a0 25a0 26a0 1000 2000 2010 2011 2003 2004
    2005 2006 2007 2017 2009 200a 200b 200c 200d 200e 201e 202e 203e 204e 205e 206e 207e 109e 10ae 20ae
    21ae 22ae 23ae 24ae 25ae 26ae 1000 2000 2010 2020 2012 2013 2014 2006 2007 2017 2009 200a 200b 200c
"""  # electrons beyond the noble gas in s, p, d and f shells of elements 1 to 100, a hexadecimal digit each


def valence() -> torch.Tensor:
    """Return a bit for the number of electrons in every valence shell, by atomic number: (119, 32)."""
    table = torch.zeros(elements.ROWS, BITS)
    for number, digits in enumerate(_VALENCE.split(), 1):
        first = 0
        for digit, most in zip(digits, SHELLS, strict=True):
            if int(digit, 16):
                table[number, first + int(digit, 16) - 1] = 1.0
            first += most
    return table


def orbital_fields(graph: dict, table: torch.Tensor, power: int = 1) -> torch.Tensor:
    """Return the orbital field matrix of every atom (n, 32, 32): sum over Voronoi neighbours of h_k^T h_i w_k / d_k^p.

    w_k is the solid angle of the facet over the largest of the atom, d_k the distance in bohr, p the `power`; rows are
    the orbitals of the neighbours, columns those of the atom.
    """
    source, angle = graph["source"], graph["solid_angle"]
    atoms = len(graph["species"])
    largest = angle.new_zeros(atoms).scatter_reduce(0, source, angle, "amax")
    weight = angle / largest[source] * (BOHR_A / graph["distance"]) ** power
    h = table[graph["species"]].to(angle.dtype)
    around = blocks.sum_of(weight[:, None] * h[graph["neighbour"]], source, atoms)
    return around[:, :, None] * h[:, None, :]  # the atom's own bits do not depend on the neighbour: one product each


class OGCNN(blocks.SoftplusReader):
    """Predict a property of crystals by CGCNN on atoms that start as element bits and orbital fields.

    Options: `width` of an atom's vector, `encoded` width before it, number of `convolutions`, `hidden` width after
    pooling, and the `power` of the distance by which the field of a neighbour falls: 1 in the paper of the matrix, 4 in
    the authors' code. The 1,148 numbers of an atom are the 92 bits of its element, its own 32 orbital bits and its
    orbital field matrix. 30,986,753 parameters at width 1536 and encoded 768, the defaults of the authors' code.
    """

    def __init__(
        self, *, width: int = 64, encoded: int = 768, convolutions: int = 3, hidden: int = 128, power: int = 1
    ):
        super().__init__()
        self.power = power
        self.elements = blocks.Elements()
        self.register_buffer("valence", valence(), persistent=False)
        self.distances = blocks.Gaussians(0.0, 8.0, 41, 25.0)
        self.encoder = nn.Linear(elements.BITS + BITS * (BITS + 1), encoded)
        self.decoder = nn.Linear(encoded, width)
        self.convs = nn.ModuleList(Convolution(width, 41) for _ in range(convolutions))
        self._make_head(width, hidden)

    def atoms(self, graph: dict) -> torch.Tensor:
        """Return the vector of every atom (n, width) after the convolutions."""
        bits = [self.elements(graph["species"]), self.valence[graph["species"]]]
        fields = orbital_fields(graph, self.valence, self.power).flatten(1)
        x = self.decoder(F.softplus(self.encoder(torch.cat([*bits, fields], dim=1))))
        edges = self.distances(graph["distance"])
        for convolution in self.convs:
            x = convolution(x, edges, graph["source"], graph["neighbour"])
        return x
