"""Denoising diffusion: flat images out of noise, for conditions."""

from collections.abc import Mapping

import numpy as np

from matlens.generate import diffusion, trained
from matlens.generate.trained import BATCHES, TRAINING, Batches, Model
from matlens.learn.options import Training


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
) -> tuple[dict, dict]:
    """Train a denoising network on labels; returns the mean weights by name, and the card with the history.

    `samples`: (labels, image, conditions, group, item); `roles`: by item; `options`: those of the stage and the method.
    """
    examples = trained.learned_from(samples, roles, options)

    def task(examples) -> diffusion.Denoising:
        lessons = trained.batches(examples, len(phases), drawn, options["periodic"])
        return diffusion.Denoising(lessons, steps=drawn.steps)

    return trained.fitted(method, examples, len(phases), options, training, drawn, checkpoint, task)


def generate(
    asked: np.ndarray,
    count: int,
    rng: np.random.Generator,
    model: Model,
    examples,
    *,
    sampling_steps: int = 20,
    fresh_noise: float = 1.0,
) -> np.ndarray:
    """Make labels of a condition in `sampling_steps` steps; `fresh_noise`: of each, from 0 (DDIM) to 1 (DDPM)."""
    import torch

    draw, size, made = model.generator(rng), examples.labels.shape[1:], []
    with torch.no_grad():
        for number in trained.chunks(count, "generate/ddpm"):
            noise = torch.randn((number, model.net.channels, *size), generator=draw).to(model.device)
            found = diffusion.sampled(
                model.net, noise, model.conditions(asked, number), sampling_steps, None, draw, fresh_noise
            )
            made.append(trained.labels_of(found.cpu().numpy()))
    return np.concatenate(made)
