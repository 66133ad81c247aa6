"""A small convolutional network that reads one number from an image."""

from itertools import pairwise

import torch
from torch import nn


def _block(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(), nn.MaxPool2d(2)
    )


class ImageRegressor(nn.Module):
    """Predict one number from a grey image: convolution blocks, global average pooling, a linear layer.

    After R. Kondo et al., Acta Mater. 141 (2017) 29: blocks of 3 x 3 convolution, batch normalisation, ReLU and 2 x 2
    pooling; the average over positions makes the answer one of texture and not of place. Options: `width` of the first
    block, doubled by each of the `depth` blocks.
    """

    def __init__(self, *, width: int = 8, depth: int = 4):
        super().__init__()
        widths = [1, *(width * 2**k for k in range(depth))]
        self.blocks = nn.Sequential(*(_block(a, b) for a, b in pairwise(widths)))
        self.out = nn.Linear(widths[-1], 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Predict from images (batch, 1, y, x); returns (batch,)."""
        return self.out(self.blocks(images).mean(dim=(2, 3))).squeeze(1)
