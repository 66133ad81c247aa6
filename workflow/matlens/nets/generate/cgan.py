"""Conditional generative adversarial network: a generator, and a critic that sees the condition."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from matlens.nets.generate.blocks import Modulated, padding_of
from matlens.nets.pixel.blocks import convolution, group_norm


class Generator(nn.Module):
    """Noise (n, latent, y / 2^depth, x / 2^depth) and conditions (n, conditions) to images in [-1, 1]."""

    def __init__(self, *, channels: int, conditions: int, wraps: bool, latent: int, width: int, depth: int):
        super().__init__()
        widths = [width * min(2**level, 4) for level in reversed(range(depth + 1))]
        self.latent, self.stride = latent, 2**depth
        self.enter = convolution(2, latent, widths[0], 3, padding_of(wraps))
        self.blocks = nn.ModuleList(
            Modulated(inputs=a, width=b, state=max(conditions, 1), wraps=wraps)
            for a, b in zip([widths[0], *widths], widths, strict=False)
        )
        self.leave = nn.Sequential(group_norm(width), nn.SiLU(), nn.Conv2d(width, channels, 1))

    def forward(self, noise: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        x, state = self.enter(noise), conditions if conditions.shape[1] else conditions.new_zeros(len(noise), 1)
        for number, block in enumerate(self.blocks):
            x = block(functional.interpolate(x, scale_factor=2, mode="nearest") if number else x, state)
        return torch.tanh(self.leave(x))


class Critic(nn.Module):
    """Images and conditions to a number, high for real ones: psi(h) + c . V h (T. Miyato, M. Koyama, ICLR 2018).

    Spectral norm: T. Miyato et al., ICLR 2018.
    """

    def __init__(self, *, channels: int, conditions: int, wraps: bool, width: int, depth: int):
        super().__init__()
        widths = [width * min(2**level, 4) for level in range(depth + 1)]
        around = padding_of(wraps)
        self.layers = nn.ModuleList(
            spectral_norm(convolution(2, a, b, 3, around)) for a, b in zip([channels, *widths], widths, strict=False)
        )
        self.last = spectral_norm(convolution(2, widths[-1], widths[-1], 3, around))
        self.score = spectral_norm(nn.Linear(widths[-1], 1))
        self.heed = spectral_norm(nn.Linear(max(conditions, 1), widths[-1], bias=False))

    def forward(self, x: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        state = conditions if conditions.shape[1] else conditions.new_zeros(len(x), 1)
        for number, layer in enumerate(self.layers):
            x = functional.leaky_relu(layer(functional.avg_pool2d(x, 2) if number else x), 0.2)
        x = functional.leaky_relu(self.last(x), 0.2).mean((2, 3))
        return self.score(x)[:, 0] + (self.heed(state) * x).sum(1)


class CGAN(nn.ModuleDict):
    """Both networks, under the names `generator` and `critic`."""

    def __init__(
        self, *, channels: int, conditions: int, wraps: bool, latent: int = 8, width: int = 24, depth: int = 3
    ):
        common = {"channels": channels, "conditions": conditions, "wraps": wraps, "width": width, "depth": depth}
        super().__init__({"generator": Generator(latent=latent, **common), "critic": Critic(**common)})
