"""Volumes layer by layer: each layer is made by denoising diffusion beside the layers before it.

How much of each phase a layer has is an input of the network: otherwise a small error of every layer adds up, since the
next one follows it, and pores die out. A generated volume takes these numbers from a real one, drawn at random.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from matlens.generate import diffusion, trained
from matlens.generate.trained import BATCHES, TRAINING, Batches, Model
from matlens.job import batch
from matlens.job.batch import BadItem
from matlens.learn.options import Training

LEVEL = 4.0  # scale of the mean of a layer, so that it varies by about 1
WHOLE = 0.8  # part of the training layers that see all layers before them; the others see fewer, as the first do


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
    layers: int = 2,
) -> tuple[dict, dict]:
    """Train a denoising network on the layers of volumes, each beside the `layers` before it.

    Returns the mean weights by name, and the card with the history. `samples`: (labels (z, y, x), image, conditions,
    group, item); `roles`: by item; `options`: those of the stage and the method.
    """
    examples = trained.learned_from(samples, roles, options)
    channels = 1 if len(phases) == 2 else len(phases)
    context, conditions = layers * channels, examples.conditions.shape[1] + channels

    def task(examples) -> diffusion.Denoising:
        return diffusion.Denoising(_lessons(examples, len(phases), drawn, layers), steps=drawn.steps)

    known = method, examples, len(phases), options, training, drawn, checkpoint
    return trained.fitted(*known, task, axes=3, context=context, conditions=conditions)


def _lessons(examples, phases: int, drawn: Batches, layers: int) -> Callable:
    """Return the function of epoch and rng that yields batches of layers, with those before them as context.

    Layers that are not known, as before the first one, are 0. With `mirrors`, layers are mirrored and volumes are run
    through from both ends.
    """
    import torch

    pixels = trained.channels_of(examples.labels, phases)  # (n, p, z, y, x)
    asked = trained.scaled(examples.conditions)

    def of_epoch(epoch: int, rng: np.random.Generator) -> Iterator[dict]:
        for _ in range(drawn.steps):
            chosen, targets, before = rng.integers(len(pixels), size=drawn.batch), [], []
            for number in chosen:
                volume = pixels[number]
                if drawn.mirrors:
                    volume = np.flip(volume, [axis for axis in (1, 2, 3) if rng.integers(2)])
                at = rng.integers(layers, volume.shape[1])
                known = layers if rng.random() < WHOLE else rng.integers(layers)
                near = volume[:, at - layers : at].copy()
                near[:, : layers - known] = 0
                targets.append(volume[:, at])
                before.append(near.reshape(-1, *volume.shape[2:]))
            yield {
                "pixels": torch.from_numpy(np.stack(targets)),
                "context": torch.from_numpy(np.stack(before)),
                "conditions": torch.from_numpy(np.concatenate([asked[chosen], levels(np.stack(targets))], 1)),
            }

    return of_epoch


def levels(layers: np.ndarray) -> np.ndarray:
    """Return how much of each phase layers (n, p, y, x) have, as the network takes it, float32 (n, p)."""
    return (LEVEL * layers.mean((2, 3))).astype(np.float32)


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
    """Make volumes of a condition, all side by side, layer after layer; the first one has nothing before it.

    `examples`: real volumes, which give the parts of the phases by layer, those of the nearest condition.

    `sampling_steps`, `fresh_noise`: as of ddpm. Raises BadItem if the weights are of an earlier version.
    """
    import torch

    draw, (depth, *size) = model.generator(rng), examples.labels.shape[1:]
    channels, asked_of = model.net.channels, model.conditions(asked, count)
    layers, phases = model.card["network"]["context"] // channels, 2 if channels == 1 else channels
    if model.card["network"]["conditions"] != len(asked) + channels:
        raise BadItem("its weights are of a version that did not tell how much of a phase a layer has; train again")
    real = examples.nearest(asked).labels
    volumes = trained.channels_of(real[rng.integers(len(real), size=count)], phases)  # (n, p, z, y, x)
    near = torch.zeros((count, channels, layers, *size), device=model.device)
    made = []
    with torch.no_grad():
        for number in batch.counted(range(depth), depth, "generate/slices, layers"):
            told = torch.from_numpy(levels(volumes[:, :, number])).to(model.device)
            noise = torch.randn((count, channels, *size), generator=draw).to(model.device)
            sampling = sampling_steps, near.flatten(1, 2), draw, fresh_noise
            found = diffusion.sampled(model.net, noise, torch.cat([asked_of, told], 1), *sampling)
            marks = trained.labels_of(found.cpu().numpy())
            made.append(marks)
            layer = torch.from_numpy(trained.channels_of(marks, phases)).to(model.device)
            near = torch.cat([near[:, :, 1:], layer[:, :, None]], 2)
    return np.stack(made, 1)
