"""Building blocks of crystal networks."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import elements

HEADS = 4  # of the attention, in all published networks
LEAST = -60.0  # exponents end here: sums of numbers below the normal range cost a processor many times as much


def softmax(values: torch.Tensor, member: torch.Tensor, count: int) -> torch.Tensor:
    """Normalise values (n, ...) among those of the same group; `member` (n,) names the group, of `count`."""
    index = member.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    shape = (count, *values.shape[1:])
    top = values.new_full(shape, -torch.inf).scatter_reduce(0, index, values.detach(), "amax")
    grown = torch.exp(values - top[member])
    return grown / (sum_of(grown, member, count)[member] + 1e-16)


def sum_of(values: torch.Tensor, member: torch.Tensor, count: int) -> torch.Tensor:
    """Add up rows (n, ...) by group, in the precision that they have; an empty group is 0."""
    return values.new_zeros(count, *values.shape[1:]).index_add(0, member, values)


def mean_of(values: torch.Tensor, member: torch.Tensor, count: int) -> torch.Tensor:
    """Average rows (n, f) by group; an empty group is 0."""
    return sum_of(values, member, count) / torch.bincount(member, minlength=count).clamp(min=1)[:, None]


def folded(layer: nn.Linear, norm: nn.BatchNorm1d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weight and bias of a layer with a batch norm after it, once that norm has stopped learning."""
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return layer.weight * scale[:, None], (layer.bias - norm.running_mean) * scale + norm.bias


def joined(weight: torch.Tensor, bias: torch.Tensor, *parts: tuple) -> torch.Tensor:
    """Return z W^T + b for rows z that are made of parts side by side, each multiplied before its rows are repeated.

    A part is its rows (m, f), and which of them every z takes: positions (n,), or None for all in order; the first part
    has positions.
    """
    pieces, total = weight.split([values.shape[1] for values, _ in parts], dim=1), None
    for (values, rows), piece in zip(parts, pieces, strict=True):
        if total is None:
            total = F.linear(values, piece, bias).index_select(0, rows)
        elif rows is None:
            total = torch.addmm(total, values, piece.T)
        else:
            total = total.add_((values @ piece.T).index_select(0, rows))
    return total


def composition(graph: dict, size: int) -> torch.Tensor:
    """Return the mole fraction of every element below `size` in every crystal (count, size)."""
    bits = F.one_hot(graph["species"].clamp(max=size) - 1, size).to(graph["distance"].dtype)
    return mean_of(bits, graph["crystal"], graph["count"])


def degrees(graph: dict, most: int) -> torch.Tensor:
    """Count the neighbours of every atom as one bit of `most` + 1; more than `most` are `most`."""
    found = torch.bincount(graph["source"], minlength=len(graph["species"])).clamp(max=most)
    return F.one_hot(found, most + 1).to(graph["distance"].dtype)


class Gaussians(nn.Module):
    """Spread a number over `count` Gaussians with centres from `low` to `high`: exp(-gamma (d - centre)^2)."""

    def __init__(self, low: float, high: float, count: int, gamma: float):
        super().__init__()
        self.register_buffer("centres", torch.linspace(low, high, count), persistent=False)
        self.gamma = gamma

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return torch.exp((-self.gamma * (values[:, None] - self.centres) ** 2).clamp(min=LEAST))


class Elements(nn.Module):
    """The bits of the elements of the atoms (n, 92)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.from_numpy(elements.table()), persistent=False)

    def forward(self, species: torch.Tensor) -> torch.Tensor:
        return self.table[species]


class Network(nn.Module):
    """Base class of crystal networks.

    `line_graph`: whether it needs the angles between bonds. `readout`: name of the last layer, a Linear; with several
    outputs the network returns (count, outputs), see `widen`.
    """

    line_graph = False
    readout = "out"

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return getattr(self, self.readout).out_features

    def widen(self, outputs: int) -> None:
        """Give the network several outputs, which share everything but the last layer."""
        self.add_module(self.readout, nn.Linear(getattr(self, self.readout).in_features, outputs))


class MeanNetwork(Network):
    """A network that reads the mean over the atoms of a crystal, and so can read every atom alone.

    What derives from it has `atoms(graph)`, which gives every atom its vector (n, width), and `head(vectors)`, which
    reads a number from each of some vectors (m, width).
    """

    def forward(self, graph: dict) -> torch.Tensor:
        """Predict one number a crystal (count,) from a batch as `matlens.crystal.graphs.batch` makes it."""
        return self.head(mean_of(self.atoms(graph), graph["crystal"], graph["count"]))

    def site_values(self, graph: dict) -> torch.Tensor:
        """Apply the readout of the mean to every atom (n,) alone: the site energies of the CGCNN paper.

        Their mean is the prediction only as far as the layers after pooling are linear.
        """
        return self.head(self.atoms(graph))


class SoftplusReader(MeanNetwork):
    """A network that reads numbers by softplus, a layer, softplus, further layers likewise, and a linear one (CGCNN).

    The layers bear the names of CGCNN's authors, so that their weights load.
    """

    readout = "fc_out"

    def _make_head(self, width: int, hidden: int, layers: int = 1) -> None:
        self.conv_to_fc = nn.Linear(width, hidden)
        self.fcs = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(layers - 1))
        self.fc_out = nn.Linear(hidden, 1)

    def head(self, pooled: torch.Tensor) -> torch.Tensor:
        """Read a number from every vector (m, width)."""
        x = F.softplus(self.conv_to_fc(F.softplus(pooled)))
        for layer in self.fcs:
            x = F.softplus(layer(x))
        return self.fc_out(x).squeeze(1)


class DiffGroupNorm(nn.Module):
    """Normalise atoms by soft groups: x + 0.01 sum_g BN_g(s_g x), s = softmax(U x).

    Source: K. Zhou et al., NeurIPS 33 (2020) 4917.
    """

    def __init__(self, width: int, groups: int):
        super().__init__()
        self.lin = nn.Linear(width, groups, bias=False)
        self.norm = nn.BatchNorm1d(groups * width)

    def forward(self, x):
        parts = self.lin(x).softmax(dim=1)[:, :, None] * x[:, None, :]  # (n, groups, width)
        return x + 0.01 * self.norm(parts.flatten(1)).view_as(parts).sum(dim=1)


class Ends(NamedTuple):
    """Join the features of both ends of every edge, each distinct pair of an atom and a bond once.

    `atom`, `bond` (u,): the pairs. `own`, `other` (e,): the pair of the atom that an edge leaves, and of its neighbour.
    `to`, `heard` (m,): atom and pair of each distinct message; `message` (e,): the one that an edge carries.
    """

    atom: torch.Tensor
    bond: torch.Tensor
    own: torch.Tensor
    other: torch.Tensor
    to: torch.Tensor
    heard: torch.Tensor
    message: torch.Tensor


def ends(source: torch.Tensor, neighbour: torch.Tensor, bond: torch.Tensor, bonds: int) -> Ends:
    """Group edges that share a distance shell or connect to images of one atom.

    `bond` (e,): which of the distinct `bonds` every edge is.
    """
    pairs, place = torch.unique(torch.cat([source, neighbour]) * bonds + torch.cat([bond, bond]), return_inverse=True)
    own, other = place.chunk(2)
    messages, message = torch.unique(source * len(pairs) + other, return_inverse=True)
    to, heard = messages // len(pairs), messages % len(pairs)
    return Ends(pairs // bonds, pairs % bonds, own, other, to, heard, message)


class Attention(nn.Module):
    """Augmented graph attention (AGAT): out_i = mean_k sum_j alpha_ijk h_ijk + b, with k of four heads.

    h_i = act([x_i (+) e_ij] W), h_j = act([x_j (+) e_ij] W); alpha_k = softmax over the edges of i of
    act(BN(act(<a_k, h_i (+) h_j>))). The product with W is split, so that it is done once per atom and once per bond,
    and h is computed once for each pair of the two.
    Source: S.-Y. Louis et al., Phys. Chem. Chem. Phys. 22 (2020) 18141.
    """

    def __init__(self, width: int, act):
        super().__init__()
        self.W = nn.Parameter(torch.empty(2 * width, HEADS * width))
        self.att = nn.Parameter(torch.empty(1, HEADS, 2 * width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.bn1 = nn.BatchNorm1d(HEADS)
        self.act = act
        nn.init.xavier_uniform_(self.W)
        nn.init.xavier_uniform_(self.att)

    def forward(self, x, bonds, source, neighbour, at: Ends | None = None):
        """Aggregate messages from neighbours. x: (n, width); bonds: (edges, width), or indexed by `at`."""
        width = x.shape[1]
        atoms, along = x @ self.W[:width], bonds @ self.W[width:]
        first, second = (torch.block_diag(*part) for part in self.att[0][:, None].split(width, dim=2))
        if at is None:
            own = self.act(atoms.index_select(0, source).add_(along))
            other = self.act(atoms.index_select(0, neighbour).add_(along))
            alpha = self._weights(own @ first.T + other @ second.T, source, len(x))
            return self._sum(other, alpha, source, len(x))
        h = self.act(atoms.index_select(0, at.atom).add_(along.index_select(0, at.bond)))
        one, two = (h @ torch.cat([first, second]).T).chunk(2, dim=1)  # what a pair gives at either end of an edge
        alpha = self._weights(one.index_select(0, at.own) + two.index_select(0, at.other), source, len(x))
        return self._sum(h.index_select(0, at.heard), sum_of(alpha, at.message, len(at.to)), at.to, len(x))

    def _weights(self, scores, source, atoms: int):
        return softmax(self.act(self.bn1(self.act(scores))), source, atoms)

    def _sum(self, values, alpha, to, atoms: int):
        messages = values.view(len(values), HEADS, -1) * (alpha / HEADS)[:, :, None]
        return sum_of(messages.sum(dim=1), to, atoms) + self.bias
