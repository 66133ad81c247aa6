"""Diffusion between images and noise: training loss and deterministic sampling in a few steps.

x_t = a x + s e with a = cos(pi t / 2), s = sin(pi t / 2); the network returns v = a e - s x.
J. Ho et al., NeurIPS 2020; T. Salimans, J. Ho, ICLR 2022 (v); J. Song et al., ICLR 2021 (DDIM).
"""

import math
from collections.abc import Callable

from matlens.learn import loop

AVERAGE = 0.995  # decay of the running mean of the weights


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


def sampled(model: Callable, noise, conditions, steps: int, context=None):
    """Return images of noise (n, p, y, x) by DDIM in `steps` steps; images stay within -1 and 1."""
    import torch

    x, n = noise, len(noise)
    for step in range(steps):
        now, then = (1.0 - (step + k) / steps for k in (0, 1))
        a, s = math.cos(now * math.pi / 2), math.sin(now * math.pi / 2)
        found = model(x, torch.full((n,), now, device=x.device), conditions, context)
        clean = (a * x - s * found).clamp(-1, 1)
        # The noise that belongs to the clamped image: at t = 1 the image is noise alone.
        rest = (x - a * clean) / s
        x = math.cos(then * math.pi / 2) * clean + math.sin(then * math.pi / 2) * rest
    return x
