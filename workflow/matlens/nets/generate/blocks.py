"""Building blocks of generating networks: convolutions whose features are scaled and shifted by a condition."""

import math

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import convolution, group_norm


def padding_of(wraps: bool) -> str:
    """Name what lies around an image."""
    return "circular" if wraps else "reflect"


class Modulated(nn.Module):
    """Two 3-wide convolutions; features are scaled and shifted by the condition between them; shortcut around both.

    FiLM: E. Perez et al., AAAI 2018, eq. 2.
    """

    def __init__(self, *, inputs: int, width: int, state: int, wraps: bool):
        super().__init__()
        around = padding_of(wraps)
        self.first, self.second = (convolution(2, n, width, 3, around) for n in (inputs, width))
        self.norms = nn.ModuleList(group_norm(n) for n in (inputs, width))
        self.film = nn.Linear(state, 2 * width)
        self.shortcut = nn.Conv2d(inputs, width, 1) if inputs != width else nn.Identity()
        nn.init.zeros_(self.second.weight)

    def forward(self, x: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        y = self.first(functional.silu(self.norms[0](x)))
        scale, shift = self.film(state)[..., None, None].chunk(2, 1)
        return self.shortcut(x) + self.second(functional.silu(self.norms[1](y) * (1 + scale) + shift))


def waves(values: torch.Tensor, number: int) -> torch.Tensor:
    """Return sine and cosine features of numbers (n,), (n, number), at frequencies from 1 to 1000."""
    rates = torch.exp(torch.linspace(0.0, math.log(1000.0), number // 2, device=values.device))
    angle = values[:, None] * rates
    return torch.cat([angle.sin(), angle.cos()], 1)
