"""U-Net++: the gap between encoder and decoder filled with nested, dense shortcuts."""

import torch
from torch import nn

from matlens.nets.pixel.blocks import CONV, ENCODERS, UP, Encoder, PixelNet, start


class UNetPlusPlus(PixelNet):
    """U-Net++ in two or three dimensions; options as those of UNet.

    Node x(i, j) = H([x(i, 0), ..., x(i, j - 1), up(x(i + 1, j - 1))]) (eq. 1), H a block of two convolutions. With
    `deep_supervision` the nodes x(0, 1) to x(0, depth) each have a head, and the answer is their mean ("accurate
    mode"); without it only x(0, depth) has one.
    Source: Z. Zhou et al., IEEE Trans. Med. Imaging 39 (2020) 1856; its table: 9.04 million parameters for width 32,
    depth 4.
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
        deep_supervision: bool = True,
    ):
        super().__init__()
        self.padding = padding
        self.encoder = Encoder(
            dims=dims, channels=channels, width=width, depth=depth, norm=norm, encoder=encoder, padding=padding
        )
        self.depth, widths, block = depth, self.encoder.widths, ENCODERS[encoder]
        self.ups, self.nodes = nn.ModuleDict(), nn.ModuleDict()
        reach = {(i, 0): r for i, r in enumerate(self.encoder.reach)}
        for j in range(1, depth + 1):
            for i in range(depth + 1 - j):
                self.ups[f"{i}_{j}"] = UP[dims](widths[i + 1], widths[i], 2, stride=2)
                self.nodes[f"{i}_{j}"] = block(
                    dims=dims, inputs=(j + 1) * widths[i], width=widths[i], norm=norm, padding=padding
                )
                seen = max(*(reach[i, k] for k in range(j)), reach[i + 1, j - 1] + 2**i)
                reach[i, j] = seen + block.convolutions * 2**i
        self.columns = range(1, depth + 1) if deep_supervision else range(depth, depth + 1)
        self.outs = nn.ModuleList(CONV[dims](width, outputs, 1) for _ in self.columns)
        self.stride, self.radius = 2**depth, reach[0, depth]
        start(self)

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        rows = [[features] for features in self.encoder(x)]
        for j in range(1, self.depth + 1):
            for i in range(self.depth + 1 - j):
                up = self.ups[f"{i}_{j}"](rows[i + 1][j - 1])
                rows[i].append(self.nodes[f"{i}_{j}"](torch.cat([*rows[i], up], 1)))
        return [out(rows[0][j]) for out, j in zip(self.outs, self.columns, strict=True)][::-1]

    def answer(self, heads: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack(heads).mean(0)
