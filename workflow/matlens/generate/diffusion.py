"""Diffusion between images and noise: training loss and deterministic sampling in a few steps.

x_t = a x + s e with a = cos(pi t / 2), s = sin(pi t / 2); the network returns v = a e - s x.
J. Ho et al., NeurIPS 2020; T. Salimans, J. Ho, ICLR 2022 (v); J. Song et al., ICLR 2021 (DDIM).
"""

import math
from collections.abc import Callable

from matlens.learn import loop

AVERAGE = 0.99  # decay of the running mean of the weights: after 600 steps 0.2 % of the first ones is left, not 5 %


class Denoising(loop.Task):
    """The task of a denoising network: mean squared error of v at random noise levels; the mean weights are kept."""

    average = AVERAGE

    def loss(self, model, batch):
        """Return the loss of a batch: a dict of pixels, conditions and, of layers, context."""
        import torch

        x = batch["pixels"]
        level = torch.rand(len(x), device=x.device)
        noise = torch.randn_like(x)
        a, s = (f(level * math.pi / 2)[:, None, None, None] for f in (torch.cos, torch.sin))
        found = model(a * x + s * noise, level, batch["conditions"], batch.get("context"))
        return (found.float() - (a * noise - s * x)).square().mean()


def sampled(model: Callable, noise, conditions, steps: int, context=None, draw=None, fresh_noise: float = 1.0):
    """Return images of noise (n, p, y, x) in `steps` steps; images stay within -1 and 1.

    `fresh_noise`: 1 draws as much new noise at every step as DDPM, by the generator `draw`; 0 none (DDIM). Levels are
    1 - (k / steps)^2, dense near pure noise: the mean of an image stands out from white noise there already, and even
    levels step over it (images of 32 x 32 pixels then vary too little in their fraction).
    """
    import torch

    x, n = noise, len(noise)
    for step in range(steps):
        now, then = (1.0 - ((step + k) / steps) ** 2 for k in (0, 1))
        a, s = math.cos(now * math.pi / 2), math.sin(now * math.pi / 2)
        b, r = math.cos(then * math.pi / 2), math.sin(then * math.pi / 2)
        found = model(x, torch.full((n,), now, device=x.device), conditions, context)
        clean = (a * x - s * found).clamp(-1, 1)
        # The noise that belongs to the clamped image: at t = 1 the image is noise alone.
        rest = (x - a * clean) / s
        new = fresh_noise * r / s * math.sqrt(max(1.0 - (a / b) ** 2, 0.0))  # DDIM, eq. 16
        x = b * clean + math.sqrt(max(r**2 - new**2, 0.0)) * rest
        if new > 0:
            x = x + new * torch.randn(x.shape, generator=draw).to(x.device)
    return x
