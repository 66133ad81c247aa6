"""Holistically nested edges (HED): every level of an encoder says where lines are, and the answers are fused."""

import torch
from torch import nn

from matlens.nets.pixel.blocks import CONV, Encoder, PixelNet, start, upsample


class HED(PixelNet):
    """Side outputs of all levels, enlarged to full size, and a weighted sum of them; all are trained.

    Options as those of UNet. The sum begins as the mean of the sides. Enlargement is linear. Source: S. Xie, Z. Tu,
    ICCV 2015, sections 2.2 and 3. Parameters: those of the encoder, (width of level + 1) * outputs for each level, and
    outputs * (levels * outputs + 1) of the sum.
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
        self.padding = padding
        self.encoder = Encoder(
            dims=dims, channels=channels, width=width, depth=depth, norm=norm, encoder=encoder, padding=padding
        )
        self.sides = nn.ModuleList(CONV[dims](n, outputs, 1) for n in self.encoder.widths)
        self.fuse = CONV[dims](outputs * (depth + 1), outputs, 1)
        self.stride = 2**depth
        self.radius = max(self.encoder.reach[level] + 2 * 2**level - 1 for level in range(depth + 1))
        start(self)
        with torch.no_grad():
            mean = torch.eye(outputs).repeat(1, depth + 1) / (depth + 1)
            self.fuse.weight.copy_(mean.reshape(self.fuse.weight.shape))

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = [
            upsample(side(part), 2**level, self.padding)
            for level, (side, part) in enumerate(zip(self.sides, self.encoder(x), strict=True))
        ]
        fused = self.fuse(torch.cat(found, 1))
        return [fused, *found] if self.training else [fused]
