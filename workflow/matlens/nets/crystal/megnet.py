"""Materials graph network with a global state (MEGNet).

C. Chen et al., Chem. Mater. 31 (2019) 3564; layers as the authors' code has them.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from matlens.nets.crystal import blocks

ELEMENTS, EMBEDDING, STATE = 95, 16, 2
LN2 = 0.6931471805599453


def softplus2(x: torch.Tensor) -> torch.Tensor:
    """Return ln(exp(x) + 1) - ln 2, which is 0 at 0."""
    return F.softplus(x).sub_(LN2)


class Dense(nn.Module):
    """Layers of the given widths, each with softplus2 after it; the first may take parts as `blocks.joined` does."""

    def __init__(self, *widths: int):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, *parts):
        first = self.layers[0]
        x = softplus2(blocks.joined(first.weight, first.bias, *parts) if isinstance(parts[0], tuple) else first(*parts))
        for layer in self.layers[1:]:
            x = softplus2(layer(x))
        return x


class Block(nn.Module):
    """One MEGNet block: update bonds, then atoms, then the state, each from its neighbours, with skips.

    e' = phi_e(v_s (+) v_r (+) e (+) u); v' = phi_v(mean_j e' (+) v (+) u); u' = phi_u(mean e' (+) mean v' (+) u).
    """

    def __init__(self, widths: tuple[int, int], first: bool):
        super().__init__()
        wide, out = widths
        self.before = nn.ModuleList() if first else nn.ModuleList(Dense(out, wide, out) for _ in range(3))
        self.phi_e, self.phi_v, self.phi_u = (Dense(n * out, wide, wide, out) for n in (4, 3, 3))

    def forward(self, v, e, u, graph):
        source, neighbour, crystal = graph["source"], graph["neighbour"], graph["crystal"]
        whose = crystal[source]
        x, bonds, state = v, e, u
        if self.before:
            x, bonds, state = (layer(part) for layer, part in zip(self.before, (v, e, u), strict=True))
        new_e = self.phi_e((x, source), (x, neighbour), (bonds, None), (state, whose))
        heard = blocks.mean_of(new_e, source, len(x))
        new_v = self.phi_v(torch.cat([heard, x, state.index_select(0, crystal)], dim=1))
        means = [blocks.mean_of(part, member, graph["count"]) for part, member in ((new_e, whose), (new_v, crystal))]
        new_u = self.phi_u(torch.cat([*means, state], dim=1))
        return v + new_v, e + new_e, u + new_u


class Set2Set(nn.Module):
    """Read a set as a vector that does not depend on its order (count, 2 n).

    m = M x + b; three times: h = LSTM(q); a = softmax(<m, h>); r = sum a m; q = h (+) r.
    Source: O. Vinyals, S. Bengio, M. Kudlur, ICLR (2016), arXiv:1511.06391.
    """

    def __init__(self, width: int, hidden: int, steps: int = 3):
        super().__init__()
        self.memory = nn.Linear(width, hidden)
        self.recurrent = nn.Linear(2 * hidden, 4 * hidden)
        self.steps = steps

    def forward(self, x, member, count: int):
        memory = self.memory(x)
        hidden = memory.shape[1]
        query, cell = memory.new_zeros(count, 2 * hidden), memory.new_zeros(count, hidden)
        for _ in range(self.steps):
            enter, forget, new, leave = self.recurrent(query).chunk(4, dim=1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            answer = torch.sigmoid(leave) * torch.tanh(cell)
            scores = (memory * answer.index_select(0, member)).sum(dim=1, keepdim=True)
            weight = blocks.softmax(scores, member, count)
            read = blocks.sum_of(weight * memory, member, count)
            query = torch.cat([answer, read], dim=1)
        return query


class MEGNet(blocks.Network):
    """Predict a property of crystals from atoms, bonds and a state of the whole.

    Options: `layers`, number of MEGNet blocks; `gaussians` of the distance, with centres from 0 to `high` angstrom and
    `sigma` wide. 167,761 parameters at the defaults, as published. The state starts as (0, 0).
    """

    def __init__(self, *, layers: int = 3, gaussians: int = 100, high: float = 5.0, sigma: float = 0.5):
        super().__init__()
        wide, out, read = 64, 32, 16
        self.distances = blocks.Gaussians(0.0, high, gaussians, 1 / sigma**2)
        self.embedding = nn.Embedding(ELEMENTS, EMBEDDING)
        self.pre = nn.ModuleList(Dense(n, wide, out) for n in (EMBEDDING, gaussians, STATE))
        self.blocks = nn.ModuleList(Block((wide, out), number == 0) for number in range(layers))
        self.read_v, self.read_e = Set2Set(out, read), Set2Set(out, read)
        self.dense = Dense(2 * 2 * read + out, 32, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, graph: dict) -> torch.Tensor:
        """Predict one number a crystal (count,) from a batch as `matlens.crystal.graphs.batch` makes it."""
        distances = self.distances(graph["distance"])
        state = distances.new_zeros(graph["count"], STATE)
        table = self.embedding(graph["species"].clamp(max=ELEMENTS) - 1)
        v, e, u = (layer(part) for layer, part in zip(self.pre, (table, distances, state), strict=True))
        for block in self.blocks:
            v, e, u = block(v, e, u, graph)
        whose = graph["crystal"][graph["source"]]
        read = [self.read_v(v, graph["crystal"], graph["count"]), self.read_e(e, whose, graph["count"]), u]
        return self.out(self.dense(torch.cat(read, dim=1))).squeeze(1)
