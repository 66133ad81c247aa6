"""A small feature pyramid: encoder features at strides 4, 8 and 16, with the coarse levels added to the fine."""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import Encoder, start

LEVELS = (2, 3, 4)  # of the encoder, whose level l has cells of 2^l pixels
STRIDES = tuple(2**level for level in LEVELS)


class Pyramid(nn.Module):
    """Features of `features` channels at three strides. Source: T.-Y. Lin et al., CVPR 2017, fig. 3."""

    def __init__(self, *, channels: int, width: int, norm: str, features: int):
        super().__init__()
        self.encoder = Encoder(
            dims=2, channels=channels, width=width, depth=LEVELS[-1], norm=norm, encoder="plain", padding="zeros"
        )
        self.lateral = nn.ModuleList(nn.Conv2d(self.encoder.widths[level], features, 1) for level in LEVELS)
        self.smooth = nn.ModuleList(nn.Conv2d(features, features, 3, padding=1) for _ in LEVELS)
        self.radius = self.encoder.reach[-1] + STRIDES[-1]  # of the coarsest level after smoothing; the finer see less
        start(self)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of an image whose sides are multiples of the coarsest stride, the finest first."""
        seen = [lateral(part) for lateral, part in zip(self.lateral, self.encoder(x)[LEVELS[0] :], strict=True)]
        for level in range(len(seen) - 2, -1, -1):
            seen[level] = seen[level] + functional.interpolate(seen[level + 1], scale_factor=2, mode="nearest")
        return [smooth(part) for smooth, part in zip(self.smooth, seen, strict=True)]
