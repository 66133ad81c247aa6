"""U-Net of a periodic cell, and the discriminator that can be trained against it."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from matlens.nets.pixel.blocks import convolution, start
from matlens.nets.pixel.unet import UNet


class CellUNet(UNet):
    """U-Net whose cell continues at the opposite side; options: `width` of the finest level, `depth`, its poolings.

    Source: O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015, fig. 1, with circular padding.
    """

    def __init__(self, *, dims: int = 2, channels: int = 1, outputs: int = 1, width: int = 16, depth: int = 3):
        super().__init__(
            dims=dims, channels=channels, outputs=outputs, width=width, depth=depth, norm="batch", padding="circular"
        )
        nn.init.zeros_(self.outs[0].weight)  # a correction starts from nothing


class PatchDiscriminator(nn.Module):
    """Judge patches of a field under its geometry: (batch, channels, [z,] y, x) to a map of scores, higher is true.

    Three convolutions, the first followed by pooling, so that a score sees 12 pixels: hot spots have a few.
    Sources: P. Isola et al., CVPR 2017 (PatchGAN); T. Miyato et al., ICLR 2018 (spectral norm).
    """

    def __init__(self, *, dims: int, channels: int, width: int):
        super().__init__()
        sizes = [channels, width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(convolution(dims, a, b, 3, "circular") for a, b in pairwise(sizes))
        self.out = convolution(dims, 2 * width, 1, 1, "circular")
        self.pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[dims]
        start(self)
        for layer in self.layers:
            spectral_norm(layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number, layer in enumerate(self.layers):
            x = functional.leaky_relu(layer(x), 0.2)
            x = x if number else self.pool(x, [min(2, n) for n in x.shape[2:]])
        return self.out(x)
