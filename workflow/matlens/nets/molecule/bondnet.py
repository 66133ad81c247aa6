"""Network for bond dissociation energies of molecules (BonDNet).

M. Wen et al., Chem. Sci. 12 (2021) 1858.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks
from matlens.nets.crystal.megnet import Set2Set


class Gated(nn.Module):
    """Update bonds, atoms and the whole of molecules in turn, with residuals.

    e_ij <- e_ij + ReLU BN(A (h_i + h_j) + B e_ij + C u);
    h_i <- h_i + ReLU BN(D h_i + sum_j s(e_ij) E h_j / (sum_j s(e_ij) + 1e-6) + F u);
    u <- u + ReLU BN(G mean h + H mean e + I u); s is the logistic function.
    """

    def __init__(self, width: int):
        super().__init__()
        for name in "abcdefghi":
            self.add_module(name, nn.Linear(width, width))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(3))

    def forward(self, x, edges, whole, graph):
        source, neighbour, bond = graph["source"], graph["neighbour"], graph["bond"]
        half = len(edges)
        ends = self.a(x)
        new = ends[source[:half]] + ends[neighbour[:half]] + self.b(edges) + self.c(whole)[graph["molecule_of_bond"]]
        edges = edges + F.relu(self.norms[0](new))
        gate = torch.sigmoid(edges)[bond]
        heard = blocks.sum_of(gate * self.e(x)[neighbour], source, len(x))
        heard = heard / (blocks.sum_of(gate, source, len(x)) + 1e-6)
        x = x + F.relu(self.norms[1](self.d(x) + heard + self.f(whole)[graph["molecule"]]))
        means = self.g(blocks.mean_of(x, graph["molecule"], len(whole)))
        means = means + self.h(blocks.mean_of(edges, graph["molecule_of_bond"], len(whole)))
        return x, edges, whole + F.relu(self.norms[2](means + self.i(whole)))


class BonDNet(nn.Module):
    """Predict the energy of breaking a bond from the products minus the reactant.

    Options: `layers`, number of gated layers of `width` channels; `steps` of Set2Set.
    """

    def __init__(self, *, inputs: tuple[int, int, int], layers: int = 3, width: int = 64, steps: int = 6):
        super().__init__()
        self.embed = nn.ModuleList(nn.Linear(size, width) for size in inputs)
        self.layers = nn.ModuleList(Gated(width) for _ in range(layers))
        self.read_atoms, self.read_bonds = Set2Set(width, width, steps), Set2Set(width, width, steps)
        self.head = nn.Sequential(
            nn.Linear(5 * width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, graph: dict) -> torch.Tensor:
        """Predict one number a reaction (reactants,) from a batch as `matlens.molecule.graphs.batch` makes it."""
        x, edges, whole = (f(graph[n]) for f, n in zip(self.embed, ("atoms", "bonds", "whole"), strict=True))
        for layer in self.layers:
            x, edges, whole = layer(x, edges, whole, graph)
        count, half = graph["reactants"], len(graph["reaction_of_atom"])
        size = len(graph["reaction_of_bond"])
        atoms = x[half:] - x[:half]
        bonds = (-edges[:size]).index_add(0, graph["kept"], edges[size:])
        total = blocks.sum_of(whole[count:], graph["reaction"], count) - whole[:count]
        read = [
            self.read_atoms(atoms, graph["reaction_of_atom"], count),
            self.read_bonds(bonds, graph["reaction_of_bond"], count),
            total,
        ]
        return self.head(torch.cat(read, dim=1)).squeeze(1)
