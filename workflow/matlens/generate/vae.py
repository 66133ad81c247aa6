"""Variational autoencoder: a few numbers for every image, and images out of such numbers."""

from collections.abc import Mapping

import numpy as np

from matlens.generate import trained
from matlens.generate.trained import BATCHES, TRAINING, Batches, Model
from matlens.learn import loop
from matlens.learn.options import Training


class Coding(loop.Task):
    """The evidence lower bound: cross entropy of the pixels plus `beta` times the Kullback-Leibler divergence.

    D. P. Kingma, M. Welling, ICLR 2014; beta: I. Higgins et al., ICLR 2017.
    """

    average = 0.99

    def __init__(self, *given, beta: float, **more):
        super().__init__(*given, **more)
        self.beta = beta

    def loss(self, model, batch):
        """Return the loss of a batch, per pixel."""
        import torch

        net, x, states = getattr(model, "module", model), batch["pixels"], batch["conditions"]
        mean, spread = net.encode(x, states)
        code = mean + (spread / 2).exp() * torch.randn_like(mean)
        error = torch.nn.functional.binary_cross_entropy_with_logits(net.decode(code, states), (x + 1) / 2)
        divergence = 0.5 * (mean.square() + spread.exp() - 1 - spread).sum(1).mean()
        return error + self.beta * divergence / x[0].numel()


def learn(
    samples,
    phases: list,
    method: str,
    roles: Mapping,
    checkpoint,
    options: Mapping,
    *,
    training: Training = TRAINING,
    drawn: Batches = BATCHES,
    beta: float = 1.0,
) -> tuple[dict, dict]:
    """Train encoder and decoder on labels; returns the mean weights by name, and the card with the history.

    `beta`: weight of the divergence; a larger one gives fewer, smoother numbers. `samples`: (labels, image, conditions,
    group, item); `roles`: by item; `options`: those of the stage and the method.
    """
    examples = trained.learned_from(samples, roles, options)

    def task(examples) -> Coding:
        lessons = trained.batches(examples, len(phases), drawn, options["periodic"])
        return Coding(lessons, steps=drawn.steps, beta=beta)

    return trained.fitted(method, examples, len(phases), options, training, drawn, checkpoint, task)


def generate(asked: np.ndarray, count: int, rng: np.random.Generator, model: Model) -> np.ndarray:
    """Decode random latent numbers for a condition; every pixel is its most probable phase."""
    import torch

    draw, made = model.generator(rng), []
    with torch.no_grad():
        for number in trained.chunks(count, "generate/vae"):
            code = torch.randn((number, model.net.latent), generator=draw).to(model.device)
            found = model.net.decode(code, model.conditions(asked, number))
            made.append(trained.labels_of(found.cpu().numpy()))
    return np.concatenate(made)


def coded(labels: np.ndarray, conditions: np.ndarray, model: Model) -> np.ndarray:
    """Return the mean latent numbers of label images (n, ...) with their conditions (n, c), float (n, latent)."""
    import torch

    channels, made = model.card["network"]["channels"], []
    mean, spread = (np.array(model.card["conditions"][name]) for name in ("mean", "spread"))
    states = torch.from_numpy(((conditions - mean) / spread).astype(np.float32)).to(model.device)
    with torch.no_grad():
        for first in range(0, len(labels), 64):
            part = trained.channels_of(labels[first : first + 64], 2 if channels == 1 else channels)
            found = model.net.encode(torch.from_numpy(part).to(model.device), states[first : first + 64])[0]
            made.append(found.cpu().numpy())
    return np.concatenate(made).astype(float)
