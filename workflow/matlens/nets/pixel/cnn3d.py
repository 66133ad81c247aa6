"""A network that predicts the centre voxel of a patch, for all voxels of a cell at once."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import CONV, convolution, start


class PatchNet(nn.Module):
    """Convolutions of 3 pixels without pooling: each adds a pixel to every side of the patch, so that five see 11^3.

    The cell continues at the opposite side. Options: `width`, the channels; `layers`, the convolutions.
    After Z. Yang et al., Acta Mater. 166 (2019) 335, who cut the patches out one by one; computed for all voxels at
    once, neighbours share what they see.
    """

    stride = 1
    padding = "circular"

    def __init__(self, *, dims: int = 3, channels: int = 1, outputs: int = 1, width: int = 24, layers: int = 5):
        super().__init__()
        sizes = [channels, *[width] * layers]
        self.layers = nn.ModuleList(convolution(dims, a, b, 3, "circular") for a, b in pairwise(sizes))
        self.inner = CONV[dims](width, 2 * width, 1)
        self.out = CONV[dims](2 * width, outputs, 1)
        start(self)
        nn.init.zeros_(self.out.weight)  # a correction starts from nothing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.layers[0](x))
        for layer in self.layers[1:]:
            x = functional.relu(x + layer(x))
        return self.out(functional.relu(self.inner(x)))
