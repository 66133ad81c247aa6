"""Variational autoencoder: images to a few numbers and back."""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.generate.blocks import Modulated, padding_of
from matlens.nets.pixel.blocks import convolution, group_norm

LEVEL = 4.0  # scale of the mean of an image, so that it is about 1 from image to image


class VAE(nn.Module):
    """Encoder and decoder, `depth` times halved; D. P. Kingma, M. Welling, ICLR 2014.

    Both see the conditions (n, conditions), unless `conditioned` is False: then the latent numbers alone describe an
    image. Sides are multiples of 2^depth.
    """

    def __init__(
        self,
        *,
        channels: int,
        conditions: int,
        wraps: bool,
        sides: tuple,
        latent: int = 8,
        width: int = 16,
        depth: int = 3,
        conditioned: bool = True,
    ):
        super().__init__()
        self.conditioned = conditioned
        widths, state = [width * min(2**level, 4) for level in range(depth + 1)], max(conditions, 1)
        self.latent, self.shape = latent, (widths[-1], *(n // 2**depth for n in sides))
        common, flat = {"state": state, "wraps": wraps}, widths[-1] * int(torch.Size(self.shape[1:]).numel())
        self.enter = convolution(2, channels, width, 3, padding_of(wraps))
        self.down = nn.ModuleList(
            Modulated(inputs=a, width=b, **common) for a, b in zip([width, *widths], widths, strict=False)
        )
        self.code, self.open = nn.Linear(flat, 2 * latent), nn.Linear(latent, flat)
        turned = widths[::-1]
        self.up = nn.ModuleList(
            Modulated(inputs=a, width=b, **common) for a, b in zip([turned[0], *turned], turned, strict=False)
        )
        self.leave = nn.Sequential(group_norm(width), nn.SiLU(), nn.Conv2d(width, channels, 1))
        # Normalisation hides the level of an image, and with it how much of a phase there is: it has a way of its own.
        self.seen, self.level = nn.Linear(channels, 2 * latent), nn.Linear(latent, channels)

    def _state(self, conditions: torch.Tensor) -> torch.Tensor:
        state = conditions if conditions.shape[1] else conditions.new_zeros(len(conditions), 1)
        return state if self.conditioned else torch.zeros_like(state)

    def encode(self, x: torch.Tensor, conditions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and logarithm of the variance of the latent numbers, (n, latent) each."""
        level, x = LEVEL * x.mean((2, 3)), self.enter(x)
        for number, block in enumerate(self.down):
            x = block(functional.avg_pool2d(x, 2) if number else x, self._state(conditions))
        mean, spread = (self.code(functional.silu(x).flatten(1)) + self.seen(level)).chunk(2, 1)
        return mean, spread.clamp(-10, 10)

    def decode(self, code: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Return logits of images (n, channels, y, x)."""
        x = self.open(code).unflatten(1, self.shape)
        for number, block in enumerate(self.up):
            x = block(
                functional.interpolate(x, scale_factor=2, mode="nearest") if number else x, self._state(conditions)
            )
        return self.leave(x) + self.level(code)[:, :, None, None]
