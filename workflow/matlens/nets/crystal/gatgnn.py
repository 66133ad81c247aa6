"""Graph attention network with global attention (GATGNN).

S.-Y. Louis et al., Phys. Chem. Chem. Phys. 22 (2020) 18141; layers as the authors' code has them.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks, elements

COMPOSITION = 103  # elements in the input of the global attention
SLOPE = 0.2


class _Layer(blocks.Attention):
    def __init__(self, width: int):
        super().__init__(width, F.softplus)
        self.prelu = nn.PReLU()  # of the authors' layer, which does not use it either


class _Composition(nn.Module):
    """Weigh the atoms of a crystal: softmax of w2 softplus(W1 [x (+) composition])."""

    def __init__(self, width: int):
        super().__init__()
        self.node_layer1 = nn.Linear(width + COMPOSITION, 32)
        self.atten_layer = nn.Linear(32, 1)

    def forward(self, x, graph):
        whole = blocks.composition(graph, COMPOSITION)[graph["crystal"]]
        return self.atten_layer(F.softplus(self.node_layer1(torch.cat([x, whole], dim=1))))


class _Unread(nn.Module):
    """Weights of the authors' attention over clusters, which takes no part where attention is over the composition."""

    def __init__(self, width: int):
        super().__init__()
        self.learn_unpool = nn.Linear(2 * width + 3, 3)
        self.layer_1 = nn.Linear(width, width)
        self.atten_layer = nn.Linear(width, 1)


class GATGNN(blocks.Network):
    """Predict a property of crystals by attention over neighbours and then over atoms.

    Options: `width` of an atom's vector, number of attention `layers`. Each layer is AGAT, batch normalisation and
    softplus; atoms are weighed by a softmax that sees the composition (GI-M1 of the paper) and summed.
    134,154 parameters with three layers and 201,116 with five, as published; 11,277 and one a layer of them, those of
    other variants, are never read. They are kept so that weights of the authors' code load by name.
    """

    def __init__(self, *, width: int = 64, layers: int = 3):
        super().__init__()
        self.elements = blocks.Elements()
        self.distances = blocks.Gaussians(0.0, 8.0, 41, 25.0)
        self.embed_n = nn.Linear(elements.BITS, width)
        self.embed_e = nn.Linear(41, width)
        self.embed_comp = nn.Linear(COMPOSITION, width)
        self.node_att = nn.ModuleList(_Layer(width) for _ in range(layers))
        self.batch_norm = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(layers))
        self.cluster_att = _Unread(width)
        self.comp_atten = _Composition(width)
        self.linear1 = nn.Linear(width, width)
        self.linear2 = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def _weighed(self, graph: dict) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.embed_n(self.elements(graph["species"]))
        distances, bond = torch.unique(graph["distance"], return_inverse=True)
        bonds = F.leaky_relu(self.embed_e(self.distances(distances)), SLOPE)
        at = blocks.ends(graph["source"], graph["neighbour"], bond, len(bonds))
        for layer, norm in zip(self.node_att, self.batch_norm, strict=True):
            x = F.softplus(norm(layer(x, bonds, graph["source"], graph["neighbour"], at)))
        return x, blocks.softmax(self.comp_atten(x, graph), graph["crystal"], graph["count"])

    def forward(self, graph: dict) -> torch.Tensor:
        """Predict one number a crystal (count,) from a batch as `matlens.crystal.graphs.batch` makes it."""
        x, weight = self._weighed(graph)
        pooled = blocks.sum_of(x * weight, graph["crystal"], graph["count"])
        pooled = F.softplus(self.linear2(F.softplus(self.linear1(pooled))))
        return self.out(pooled).squeeze(1)

    def site_values(self, graph: dict) -> torch.Tensor:
        """Return the weight of every atom (n,) in the prediction; those of a crystal sum to 1."""
        return self._weighed(graph)[1].squeeze(1)
