"""Fourier neural operator: layers that multiply the lowest wave numbers of a periodic cell by learned matrices."""

import itertools

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import CONV


class SpectralConvolution(nn.Module):
    """Multiply the wave numbers below `modes` along every axis by a complex matrix each; the others become 0.

    Wave numbers count periods in the cell, so that a cell on a finer grid is the same cell. A grid with fewer of them
    takes those that it has.
    """

    def __init__(self, dims: int, width: int, modes: int):
        super().__init__()
        self.modes, self.dims = modes, dims
        shape = (2 * modes,) * (dims - 1) + (modes,)
        self.weight = nn.Parameter(torch.randn(*shape, width, width, 2) / width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        axes = tuple(range(2, x.ndim))
        spectrum = torch.fft.rfftn(x.float(), dim=axes)
        out = torch.zeros_like(spectrum)
        weight = torch.view_as_complex(self.weight)
        low = [min(self.modes, max(n // 2, 1)) for n in x.shape[2:]]  # an axis of one pixel has the wave number 0
        last = slice(0, low[-1])
        for signs in itertools.product((0, 1), repeat=self.dims - 1):
            if any(sign and n == 1 for sign, n in zip(signs, x.shape[2:], strict=False)):
                continue  # it has no negative one
            corner = [slice(-n, None) if sign else slice(0, n) for sign, n in zip(signs, low, strict=False)]
            place = (slice(None), slice(None), *corner, last)
            out[place] = torch.einsum("bi...,...ij->bj...", spectrum[place], weight[(*corner, last)])
        return torch.fft.irfftn(out, s=x.shape[2:], dim=axes)


class FNO(nn.Module):
    """Fourier neural operator in two or three dimensions: lift, spectral layers with a pointwise shortcut, project.

    `width`: channels; `modes`: wave numbers that are kept along each axis; `layers`: their number.
    Source: Z. Li et al., ICLR 2021, fig. 2; without the coordinates as input, so that a shifted cell has a shifted
    field.
    """

    stride = 1
    padding = "circular"

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 1,
        width: int = 16,
        modes: int = 12,
        layers: int = 4,
    ):
        super().__init__()
        self.lift = CONV[dims](channels, width, 1)
        self.spectral = nn.ModuleList(SpectralConvolution(dims, width, modes) for _ in range(layers))
        self.local = nn.ModuleList(CONV[dims](width, width, 1) for _ in range(layers))
        self.project = nn.Sequential(CONV[dims](width, 4 * width, 1), nn.GELU(), CONV[dims](4 * width, outputs, 1))
        nn.init.zeros_(self.project[2].weight)  # a correction starts from nothing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.lift(x)
        for number, (spectral, local) in enumerate(zip(self.spectral, self.local, strict=True)):
            x = spectral(x) + local(x)
            x = functional.gelu(x) if number + 1 < len(self.local) else x
        return self.project(x)
