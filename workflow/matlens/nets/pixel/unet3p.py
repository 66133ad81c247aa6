"""U-Net 3+: every decoder level sees every scale at once."""

import torch
from torch import nn

from matlens.nets.pixel.blocks import POOL, Encoder, PixelNet, conv_norm, convolution, start, upsample


class UNet3Plus(PixelNet):
    """U-Net 3+ in two or three dimensions; options as those of UNet.

    Decoder level i (eq. 1) fuses the finer encoder levels (max-pooled), its own, and the coarser decoder levels
    (enlarged): each brought to `width` channels by a convolution, joined, and convolved once more to
    (depth + 1) * width channels. With `deep_supervision` each decoder level has a head (3-wide convolution).
    Source: H. Huang et al., ICASSP 2020; its table 1: 26.97 million parameters for width 64, depth 4 (one head).
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
        self.dims, self.depth, widths = dims, depth, self.encoder.widths
        fused = (depth + 1) * width
        self.brings, self.fuses = nn.ModuleDict(), nn.ModuleList()
        reach = {depth: self.encoder.reach[depth]}
        for i in reversed(range(depth)):
            # of the source at level j: an encoder level up to i, a decoder level beyond; the deepest encoder is a
            # decoder too
            for j in range(depth + 1):
                inputs = widths[j] if j <= i or j == depth else fused
                self.brings[f"{i}_{j}"] = conv_norm(dims, inputs, width, norm, padding=padding)
            seen = [self.encoder.reach[j] for j in range(i + 1)]
            seen += [reach[j] + 2 * 2**j - 2**i for j in range(i + 1, depth + 1)]  # linear: one coarse pixel more
            reach[i] = max(seen) + 2 * 2**i
        self.fuses.extend(conv_norm(dims, fused, fused, norm, padding=padding) for _ in range(depth))
        levels = range(depth + 1) if deep_supervision else range(1)
        self.outs = nn.ModuleList(
            convolution(dims, widths[depth] if i == depth else fused, outputs, 3, padding) for i in levels
        )
        self.stride, self.radius = 2**depth, reach[0] + 1
        start(self)

    def _bring(self, x: torch.Tensor, source: int, target: int) -> torch.Tensor:
        """Bring features of one level to another, and to `width` channels."""
        if source < target:
            x = POOL[self.dims](x, 2 ** (target - source))
        elif source > target:
            x = upsample(x, 2 ** (source - target), self.padding)
        return torch.relu(self.brings[f"{target}_{source}"](x))

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        features = self.encoder(x)
        found = []
        for i in reversed(range(self.depth)):
            parts = [self._bring(features[j], j, i) for j in range(self.depth + 1)]
            # level i now holds its decoder: finer levels, which come later, never ask for its encoder
            features[i] = torch.relu(self.fuses[i](torch.cat(parts, 1)))
        for i, out in enumerate(self.outs):
            if i == 0 or self.training:
                found.append(upsample(out(features[i]), 2**i, self.padding))
        return found
