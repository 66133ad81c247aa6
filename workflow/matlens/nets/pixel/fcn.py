"""Fully convolutional network with two skips (FCN-8s)."""

import torch
from torch import nn

from matlens.nets.pixel.blocks import CONV, Encoder, PixelNet, start, upsample


class FCN(PixelNet):
    """FCN-8s in two or three dimensions: scores of the three coarsest levels, each enlarged and added to the next.

    Options as those of UNet; of `depth` poolings (2 or more) the last three levels vote, so that depth 5 has the
    8-pixel stride of the name, and depth 2 votes at every level. Enlargement is linear, as the original's was at the
    start. Source: J. Long, E. Shelhamer, T. Darrell, CVPR 2015, fig. 3. Parameters: those of the encoder, and (width of
    level + 1) * outputs for each of three levels.
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
    ):
        super().__init__()
        if depth < 2:
            raise ValueError(f"FCN-8s needs a depth of 2 or more poolings, not {depth}")
        self.padding = padding
        self.encoder = Encoder(
            dims=dims, channels=channels, width=width, depth=depth, norm=norm, encoder=encoder, padding=padding
        )
        self.first = depth - 2
        self.outs = nn.ModuleList(CONV[dims](n, outputs, 1) for n in self.encoder.widths[self.first :])
        self.stride = 2**depth
        reach = self.encoder.reach[depth]
        for level in reversed(range(self.first, depth)):
            reach = max(self.encoder.reach[level], reach + 2 * 2 ** (level + 1) - 2**level)
        self.radius = reach + (2 * 2**self.first - 1 if self.first else 0)
        start(self)

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        votes = [out(x) for out, x in zip(self.outs, self.encoder(x)[self.first :], strict=True)]
        total = votes[-1]
        for vote in reversed(votes[:-1]):
            total = vote + upsample(total, 2, self.padding)
        return [upsample(total, 2**self.first, self.padding)]
