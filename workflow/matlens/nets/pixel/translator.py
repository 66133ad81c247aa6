"""Networks that translate images between two domains without pairs: generators, critics of pixels and of spectra."""

from functools import reduce
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from matlens.nets.pixel.blocks import convolution
from matlens.nets.pixel.restorer import AVERAGE, Restorer

FLOOR = 1e-3  # of the power of a wave, so that its logarithm is finite


class Generator(Restorer):
    """An image and white noise (n, 2, [z,] y, x) to the image with a correction (n, 1, [z,] y, x), 0 at the start.

    The noise is the source of grain that the image does not have. Options as those of Restorer.
    """

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [x[:, :1] + super().heads(x)[0]]


class Critic(nn.Module):
    """Images (n, 1, [z,] y, x) to a map of numbers, near 1 for real parts and near 0 for made ones.

    P. Isola et al., CVPR 2017 (judge of patches); spectral norm: T. Miyato et al., ICLR 2018.
    """

    def __init__(self, *, dims: int, width: int, padding: str):
        super().__init__()
        self.dims, widths = dims, [1, width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(spectral_norm(convolution(dims, a, b, 3, padding)) for a, b in pairwise(widths))
        self.last = convolution(dims, widths[-1], 1, 1, padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number, layer in enumerate(self.layers):
            x = functional.leaky_relu(layer(AVERAGE[self.dims](x, 2) if number else x), 0.2)
        return self.last(x)


class Waves(Critic):
    """The same for the logarithm of the power of all waves of an image: a critic in reciprocal space.

    After A. Khan, C.-H. Lee, P. Y. Huang, B. K. Clark, npj Comput. Mater. 9 (2023) 85. The image is windowed (Hann).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.float()
        axes, sizes = tuple(range(-self.dims, 0)), x.shape[-self.dims :]
        windows = [torch.hann_window(n, periodic=False, device=x.device) for n in sizes]
        window = reduce(lambda made, one: made[..., None] * one, windows)
        waves = torch.fft.fftshift(torch.fft.fftn(x * window, dim=axes), axes)
        power = (waves.real**2 + waves.imag**2) / sizes.numel()
        return super().forward((power + FLOOR).log() / 4)


def critics_of(dims: int, width: int, padding: str) -> nn.ModuleDict:
    """Make a critic of pixels and one of waves for each domain: "pixels_source", ..."""
    return nn.ModuleDict(
        {
            f"{kind}_{domain}": maker(dims=dims, width=width, padding=padding)
            for kind, maker in (("pixels", Critic), ("waves", Waves))
            for domain in ("source", "target")
        }
    )


class Translator(nn.Module):
    """Two generators, `there` and `back`; for each domain a critic of pixels and one of waves.

    Source: J.-Y. Zhu et al., ICCV 2017.

    `shared`: deepest levels whose weights both generators share; shortcuts past them stay, and nothing is drawn there,
    so that this is no UNIT (`matlens.nets.pixel.unit`). 0: CycleGAN.
    `critic_width`: channels of the first layer of a critic; the other options are those of Restorer.
    With `fold` above 1 the grain has the grid of the folded pixels.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 1,
        width: int = 32,
        depth: int = 4,
        fold: int = 1,
        padding: str = "reflect",
        critic_width: int = 16,
        shared: int = 0,
    ):
        super().__init__()
        self.dims, self.padding = dims, padding
        common = {"dims": dims, "width": width, "depth": depth, "fold": fold, "padding": padding}
        self.there, self.back = (Generator(channels=channels + 1, outputs=outputs, **common) for _ in range(2))
        for level in range(max(0, depth + 1 - shared), depth + 1):
            self.back.downs[level] = self.there.downs[level]
            if level < depth:
                self.back.ups[level] = self.there.ups[level]
        self.stride, self.radius = self.there.stride, self.there.radius
        self.critics = critics_of(dims, critic_width, padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Translate images with their noise (n, 2, [z,] y, x), of any size, from source to target."""
        return self.there(x)

    def generators(self) -> list[nn.Parameter]:
        """List the parameters of both generators, shared ones once."""
        return list(dict.fromkeys([*self.there.parameters(), *self.back.parameters()]))
