"""A hybrid of a U-Net and a transformer: the coarsest features attend to each other within windows."""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.unet import UNet

HEAD = 16  # channels of an attention head, if they divide those of the coarsest level


def divided(x: torch.Tensor, window: int) -> torch.Tensor:
    """Divide features (batch, channels, [z,] y, x) into windows: (windows, cells, channels), row by row."""
    batch, width, *space = x.shape
    parts = [size for n in space for size in (n // window, window)]
    x = x.reshape(batch, width, *parts)
    outer, inner = range(2, x.ndim, 2), range(3, x.ndim, 2)
    return x.permute(0, *outer, *inner, 1).reshape(-1, window ** len(space), width)


def joined(x: torch.Tensor, window: int, shape: torch.Size) -> torch.Tensor:
    """Undo `divided`; `shape`: of the features."""
    batch, width, *space = shape
    dims = len(space)
    x = x.reshape(batch, *(n // window for n in space), *[window] * dims, width)
    order = [axis for at in range(dims) for axis in (1 + at, 1 + dims + at)]
    return x.permute(0, 1 + 2 * dims, *order).reshape(shape)


class Attention(nn.Module):
    """Self-attention and two dense layers, each after a normalisation and with a shortcut, on windows of cells.

    Source: A. Vaswani et al., NeurIPS 2017; normalised before as in A. Dosovitskiy et al., ICLR 2021, eq. 2 and 3.
    """

    def __init__(self, width: int, cells: int):
        super().__init__()
        self.heads = width // HEAD if width % HEAD == 0 else 1
        self.place = nn.Parameter(0.02 * torch.randn(cells, width))
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.answer = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, cells, width = x.shape
        asked = self.ask(self.first(x + self.place)).reshape(n, cells, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(*asked).transpose(1, 2).reshape(n, cells, width)
        x = x + self.answer(found)
        return x + self.dense(self.second(x))


class ViT(UNet):
    """A U-Net with `attention` blocks of a transformer between encoder and decoder (J. Chen et al., arXiv:2102.04306).

    They see windows of `window` x `window` cells of the coarsest level (Z. Liu et al., ICCV 2021, section 3.1), not the
    whole image, so that tiles give the answer of the whole. Other options as those of UNet.
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
        attention: int = 2,
        window: int = 4,
    ):
        shared = {"channels": channels, "outputs": outputs, "width": width, "depth": depth}
        super().__init__(dims=dims, norm=norm, encoder=encoder, padding=padding, **shared)
        self.window = window
        self.attention = nn.Sequential(*(Attention(self.encoder.widths[-1], window**dims) for _ in range(attention)))
        self.radius += (window - 1) * self.stride  # the rest of a window
        self.stride *= window

    def coarsest(self, x: torch.Tensor) -> torch.Tensor:
        return joined(self.attention(divided(x, self.window)), self.window, x.shape)
