"""UNIT: two variational autoencoders with one latent space, which translate images between two domains without pairs.

M.-Y. Liu, T. Breuel, J. Kautz, NIPS 2017. Encoders share their last block and decoders their first, so that what both
domains have in common is coded alike; there are no shortcuts past the latent space.
"""

import torch
from torch import nn

from matlens.nets.pixel.blocks import PixelNet, convolution, start, upsample
from matlens.nets.pixel.restorer import AVERAGE, Block, folded, unfolded
from matlens.nets.pixel.translator import critics_of


class Coder(nn.Module):
    """Blocks of one width: on the way in with poolings between them, on the way out with enlargements."""

    def __init__(self, *, dims: int, inputs: int, width: int, depth: int, padding: str):
        super().__init__()
        self.dims, self.padding = dims, padding
        self.blocks = nn.ModuleList(
            Block(dims=dims, inputs=width if n else inputs, width=width, padding=padding) for n in range(depth + 1)
        )

    def smaller(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the blocks, and average 2^dims pixels before each but the first."""
        for number, block in enumerate(self.blocks):
            x = block(AVERAGE[self.dims](x, 2) if number else x)
        return x

    def larger(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the blocks, and enlarge by 2 before each but the first."""
        for number, block in enumerate(self.blocks):
            x = block(upsample(x, 2, self.padding) if number else x)
        return x


class Unit(PixelNet):
    """Encoders and decoders of two domains, and their critics: images with noise (n, 2, [z,] y, x) to images.

    Options as those of `Translator`. The noise of the input is not used: what is drawn in training is the latent code,
    and an image is translated by its mean. Each domain has a level and a spread of its own, and both start with the
    same weights: no loss says which phase of one domain is which of the other, so that bright ones could come out dark.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 1,
        width: int = 32,
        depth: int = 1,
        fold: int = 2,
        padding: str = "reflect",
        critic_width: int = 16,
    ):
        super().__init__()
        self.dims, self.fold, self.padding = dims, fold, padding
        cell, common = fold**dims, {"dims": dims, "width": width, "padding": padding}
        self.encoders, self.decoders, self.last = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for domain in ("source", "target"):
            self.encoders[domain] = Coder(inputs=channels * cell, depth=depth, **common)
            self.decoders[domain] = Coder(inputs=width, depth=depth, **common)
            self.last[domain] = convolution(dims, width, outputs * cell, 1, padding)
        self.shared_in, self.shared_out = (Block(inputs=width, **common) for _ in range(2))
        self.mean = convolution(dims, width, width, 1, padding)
        self.stride = fold * 2**depth
        far = 15 * 2**depth - 7  # 2 a block of the way in, 6 at the code, 5 a block and its enlargement of the way out
        self.radius = fold * far + fold - 1
        start(self)
        for parts in (self.encoders, self.decoders, self.last):
            parts["target"].load_state_dict(parts["source"].state_dict())
        self.critics = critics_of(dims, critic_width, padding)
        self.register_buffer("scales", torch.tensor([[0.0, 1.0], [0.0, 1.0]]))  # level and spread by domain

    def scale(self, scales: dict[str, tuple[float, float]]) -> None:
        """Set level and spread of the images of each domain."""
        self.scales.copy_(torch.tensor([scales[domain] for domain in self.encoders]))

    def _scale(self, domain: str) -> torch.Tensor:
        """Return level and spread of a domain."""
        return self.scales[list(self.encoders).index(domain)]

    def encoded(self, x: torch.Tensor, domain: str) -> torch.Tensor:
        """Return the mean of the latent code (n, width, ...) of images (n, 1, ...) of a domain."""
        level, spread = self._scale(domain)
        return self.mean(self.shared_in(self.encoders[domain].smaller(folded((x - level) / spread, self.fold))))

    def decoded(self, code: torch.Tensor, domain: str) -> torch.Tensor:
        """Return the images (n, 1, ...) of a domain with a latent code."""
        level, spread = self._scale(domain)
        found = unfolded(self.last[domain](self.decoders[domain].larger(self.shared_out(code))), self.fold)
        return found * spread + level

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [self.decoded(self.encoded(x[:, :1], "source"), "target")]

    def generators(self) -> list[nn.Parameter]:
        """List the parameters of encoders and decoders."""
        return [one for name, one in self.named_parameters() if not name.startswith("critics.")]
