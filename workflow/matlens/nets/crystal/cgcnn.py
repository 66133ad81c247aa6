"""Crystal graph convolutional network (CGCNN).

T. Xie, J. C. Grossman, Phys. Rev. Lett. 120 (2018) 145301, eqs. 5 and 6; the layer as the authors' code has it, with
batch normalisation on the gates and on the sum.
"""

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks, elements


class Convolution(nn.Module):
    """One crystal convolution: x_i <- softplus(x_i + BN(sum_j sigmoid(f_ij) * softplus(c_ij))).

    (f, c) = BN(z W + b) with z_ij = x_i (+) x_j (+) e_ij. The product with W is split over the three parts, so that the
    two products over atoms are done once per atom and not once per edge; an answer has the first BN in W and b. Edges
    that share a place among the nearest neighbours count by their weights: the mean over all ways to cut their shell.
    """

    def __init__(self, width: int, edge_width: int):
        super().__init__()
        self.fc_full = nn.Linear(2 * width + edge_width, 2 * width)
        self.bn1 = nn.BatchNorm1d(2 * width)
        self.bn2 = nn.BatchNorm1d(width)

    def forward(self, x, edges, source, neighbour, weights=None):
        learns = self.bn1.training
        weight, bias = (self.fc_full.weight, self.fc_full.bias) if learns else blocks.folded(self.fc_full, self.bn1)
        gates = blocks.joined(weight, bias, (x, source), (x, neighbour), (edges, None))
        filters, core = (self.bn1(gates) if learns else gates).chunk(2, dim=1)
        messages = torch.sigmoid(filters) * F.softplus(core)
        if weights is not None:
            messages = messages * weights[:, None]
        return F.softplus(x + self.bn2(blocks.sum_of(messages, source, len(x))))


class CGCNN(blocks.SoftplusReader):
    """Predict a property of crystals from their graphs.

    Options: `width` of an atom's vector, number of `convolutions`, `hidden` width and number of hidden `layers` after
    pooling, and the Gaussians of the distance: centres from 0 to `cutoff` every `step` angstrom, width `step`. 80,833
    parameters at the defaults, 96,641 with four convolutions and 32 hidden units (the authors' checkpoints).
    Parameters bear the authors' names, so that their weights load; site values are the site energies of the paper.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        convolutions: int = 3,
        hidden: int = 128,
        layers: int = 1,
        cutoff: float = 8.0,
        step: float = 0.2,
    ):
        super().__init__()
        centres = torch.linspace(0.0, cutoff, round(cutoff / step) + 1)
        self.register_buffer("centres", centres, persistent=False)
        self.register_buffer("elements", torch.from_numpy(elements.table()), persistent=False)
        self.step = step
        self.embedding = nn.Linear(elements.BITS, width)
        self.convs = nn.ModuleList(Convolution(width, len(centres)) for _ in range(convolutions))
        self._make_head(width, hidden, layers)

    def atoms(self, graph: dict) -> torch.Tensor:
        """Return the vector of every atom (n, width) after the convolutions."""
        spread = (graph["distance"][:, None] - self.centres) / self.step
        edges = torch.exp((-(spread**2)).clamp(min=blocks.LEAST))
        x = self.embedding(self.elements)[graph["species"]]  # once per element, not once per atom
        for convolution in self.convs:
            x = convolution(x, edges, graph["source"], graph["neighbour"], graph.get("weight"))
        return x
