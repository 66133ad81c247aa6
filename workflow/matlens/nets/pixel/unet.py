"""U-Net: an encoder, a decoder, and a shortcut between them at every level."""

import torch
from torch import nn

from matlens.nets.pixel.blocks import CONV, ENCODERS, UP, Encoder, PixelNet, start, upsample


class UNet(PixelNet):
    """U-Net in two or three dimensions.

    `channels` of the input and `outputs` (one a phase, say) are those of the data. `width` of the finest level, doubled
    at each of `depth` poolings; `norm` "batch", "group" or "none"; `encoder` "plain" or "resnet"; `padding`: what lies
    around the image, "zeros", "reflect" (its mirror image) or "circular" (the image again: a periodic cell);
    `deep_supervision` adds a head at every level.
    Source: O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015, fig. 1; with padding, and normalisation where the
    original has biases. In 2-D, at depth 4, with width w, c channels and k phases the plain encoder with batch norm has
    7574 w^2 + (9c + k + 199) w + k parameters; w = 64, c = 3, k = 2: 31,037,698, as github.com/milesial/Pytorch-UNet.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 2,
        width: int = 16,
        depth: int = 3,
        norm: str = "batch",
        encoder: str = "plain",
        padding: str = "zeros",
        deep_supervision: bool = False,
    ):
        super().__init__()
        self.padding = padding
        self.encoder = Encoder(
            dims=dims, channels=channels, width=width, depth=depth, norm=norm, encoder=encoder, padding=padding
        )
        widths, block = self.encoder.widths, ENCODERS[encoder]
        self.ups = nn.ModuleList(UP[dims](widths[i + 1], widths[i], 2, stride=2) for i in range(depth))
        self.blocks = nn.ModuleList(
            block(dims=dims, inputs=2 * widths[i], width=widths[i], norm=norm, padding=padding) for i in range(depth)
        )
        levels = range(depth) if deep_supervision else range(1)
        self.outs = nn.ModuleList(CONV[dims](widths[i], outputs, 1) for i in levels)
        self.stride = 2**depth
        self.radius = self.encoder.reach[-1] + sum((1 + block.convolutions) * 2**i for i in range(depth))
        start(self)

    def coarsest(self, x: torch.Tensor) -> torch.Tensor:
        """Return the features of the coarsest level, as the decoder takes them."""
        return x

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        *skips, x = self.encoder(x)
        found, x = [], self.coarsest(x)
        for level in reversed(range(len(skips))):
            x = self.blocks[level](torch.cat([skips[level], self.ups[level](x)], 1))
            if level < len(self.outs) and (self.training or level == 0):
                found.insert(0, upsample(self.outs[level](x), 2**level, self.padding))
        return found
