"""U-Net that removes the noise of an image for a given level of noise and condition."""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.generate.blocks import Modulated, padding_of, waves
from matlens.nets.pixel.blocks import convolution, group_norm

LEVEL = 8.0  # scale of the mean of an image with noise, so that it is about 1


class DDPM(nn.Module):
    """Denoising U-Net, `depth` times halved, each level twice as wide (at most 4 x); sides are multiples of 2^depth.

    It takes images with noise (n, channels, y, x), the noise level t (n,) in [0, 1], conditions (n, conditions) of mean
    0 and spread 1, and `context`, images (n, c, y, x) that stand beside, or None; it returns v = a e - s x (n,
    channels, y, x). J. Ho et al., NeurIPS 2020; v: T. Salimans, J. Ho, ICLR 2022.
    """

    def __init__(
        self, *, channels: int, conditions: int, wraps: bool, context: int = 0, width: int = 24, depth: int = 2
    ):
        super().__init__()
        self.channels, self.stride, state = channels, 2**depth, 4 * width
        widths = [width * min(2**level, 4) for level in range(depth + 1)]
        self.time = nn.Sequential(nn.Linear(width, state), nn.SiLU(), nn.Linear(state, state))
        self.condition = nn.Linear(max(conditions, 1), state)
        # Normalisation hides the level of an image, and with it how much of a phase there is: the network is told.
        self.level = nn.Linear(channels, state)
        self.enter = convolution(2, channels + context, width, 3, padding_of(wraps))
        common = {"state": state, "wraps": wraps}
        self.down = nn.ModuleList(
            Modulated(inputs=a, width=b, **common) for a, b in zip([width, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            Modulated(inputs=widths[level + 1] + widths[level], width=widths[level], **common) for level in range(depth)
        )
        self.leave = nn.Sequential(group_norm(width), nn.SiLU(), nn.Conv2d(width, channels, 1))
        self.width = width

    def forward(self, x, level, conditions, context=None) -> torch.Tensor:
        if conditions.shape[1] == 0:
            conditions = conditions.new_zeros(len(x), 1)
        state = functional.silu(
            self.time(waves(level, self.width)) + self.condition(conditions) + self.level(LEVEL * x.mean((2, 3)))
        )
        x = self.enter(x if context is None else torch.cat([x, context], 1))
        kept = []
        for number, block in enumerate(self.down):
            x = block(functional.avg_pool2d(x, 2) if number else x, state)
            kept.append(x)
        for number in reversed(range(len(self.up))):
            wide = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = self.up[number](torch.cat([wide, kept[number]], 1), state)
        return self.leave(x)
