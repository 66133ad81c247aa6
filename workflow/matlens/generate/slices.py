"""Volumes layer by layer: each layer is made by denoising diffusion beside the layers before it.

How much of each phase a layer has is an input of the network: otherwise a small error of every layer adds up, since the
next one follows it, and pores die out. A generated volume takes these numbers from a real one, drawn at random.

What is made in one direction alone is a bundle of columns: phases are connected along it, and seldom across. So layers
along every axis can be made anew between those on both sides (`sweeps`), by the same network.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from matlens.generate import diffusion, sweeping, trained
from matlens.generate.sweeping import AXES, levels
from matlens.generate.trained import BATCHES, TRAINING, Batches, Model
from matlens.job import batch
from matlens.job.batch import BadItem
from matlens.learn.options import Training

WHOLE = 0.8  # part of the training layers that see all layers before them; the others see fewer, as the first do
BETWEEN = 0.5  # part of the training batches whose layers see those on both sides, where layers are made anew


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
    sweeps: int = 0,
) -> tuple[dict, dict]:
    """Train a denoising network on the layers of volumes, each beside the `layers` before it.

    With `sweeps` also on those along the other axes, and beside layers on both sides.

    Returns the mean weights by name, and the card with the history. `samples`: (labels (z, y, x), image, conditions,
    group, item); `roles`: by item; `options`: those of the stage and the method.
    """
    examples = trained.learned_from(samples, roles, options)
    channels = 1 if len(phases) == 2 else len(phases)
    context, conditions = layers * channels, examples.conditions.shape[1] + channels
    if sweeps:
        context, conditions = 2 * context, conditions + len(AXES)

    def task(examples) -> diffusion.Denoising:
        lessons = _between if sweeps else _lessons
        return diffusion.Denoising(lessons(examples, len(phases), drawn, layers), steps=drawn.steps)

    known = method, examples, len(phases), options, training, drawn, checkpoint
    return trained.fitted(*known, task, axes=3, halved=3 if sweeps else 2, context=context, conditions=conditions)


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


def _between(examples, phases: int, drawn: Batches, layers: int) -> Callable:
    """Return the function of epoch and rng that yields batches of layers along any axis, with those on either side.

    As `_lessons`. A batch sees layers on both sides, or only those before; its axis is told beside the conditions.
    """
    import torch

    pixels = trained.channels_of(examples.labels, phases)  # (n, p, z, y, x)
    asked = trained.scaled(examples.conditions)

    def of_epoch(epoch: int, rng: np.random.Generator) -> Iterator[dict]:
        for _ in range(drawn.steps):
            chosen, axis = rng.integers(len(pixels), size=drawn.batch), int(rng.integers(3))
            both, targets, beside = rng.random() < BETWEEN, [], []
            for number in chosen:
                volume = np.moveaxis(pixels[number], 1 + axis, 1)
                if drawn.mirrors:
                    volume = np.flip(volume, [side for side in (1, 2, 3) if rng.integers(2)])
                at = int(rng.integers(volume.shape[1]))
                known = layers if both or rng.random() < WHOLE else int(rng.integers(layers))
                targets.append(volume[:, at])
                beside.append(sweeping.neighbours(volume, at, known, layers if both else 0, layers))
            told = np.repeat(AXES[None, axis], drawn.batch, 0)
            yield {
                "pixels": torch.from_numpy(np.stack(targets)),
                "context": torch.from_numpy(np.stack(beside)),
                "conditions": torch.from_numpy(np.concatenate([asked[chosen], levels(np.stack(targets)), told], 1)),
            }

    return of_epoch


def generate(
    asked: np.ndarray,
    count: int,
    rng: np.random.Generator,
    model: Model,
    examples,
    *,
    sampling_steps: int = 20,
    fresh_noise: float = 1.0,
    sweeps: int = 0,
) -> np.ndarray:
    """Make volumes of a condition, all side by side, layer after layer; the first one has nothing before it.

    `examples`: real volumes, which give the parts of the phases by layer, those of the nearest condition.

    `sampling_steps`, `fresh_noise`: as of ddpm. `sweeps`: how often the layers along every axis are then made anew
    between their neighbours. Raises BadItem if the weights are of an earlier version, or learned without sweeps.
    """
    import torch

    draw, (depth, *size) = model.generator(rng), examples.labels.shape[1:]
    channels, asked_of = model.net.channels, model.conditions(asked, count)
    phases, both = 2 if channels == 1 else channels, _sees_both_sides(model, len(asked))
    if sweeps and not both:
        raise BadItem("its weights were learned without sweeps; set sweeps: 0, or train again")
    layers = model.card["network"]["context"] // channels // (2 if both else 1)
    real = examples.nearest(asked).labels
    volumes = trained.channels_of(real[rng.integers(len(real), size=count)], phases)  # (n, p, z, y, x)
    near = torch.zeros((count, channels, layers, *size), device=model.device)
    made = []
    with torch.no_grad():
        for number in batch.counted(range(depth), depth, "generate/slices, layers"):
            told = levels(volumes[:, :, number])
            if both:
                told = np.concatenate([told, np.repeat(AXES[:1], count, 0)], 1)
            noise = torch.randn((count, channels, *size), generator=draw).to(model.device)
            beside = torch.cat([near, torch.zeros_like(near)], 2) if both else near
            sampling = sampling_steps, beside.flatten(1, 2), draw, fresh_noise
            conditions = torch.cat([asked_of, torch.from_numpy(told).to(model.device)], 1)
            found = diffusion.sampled(model.net, noise, conditions, *sampling)
            marks = trained.labels_of(found.cpu().numpy())
            made.append(marks)
            layer = torch.from_numpy(trained.channels_of(marks, phases)).to(model.device)
            near = torch.cat([near[:, :, 1:], layer[:, :, None]], 2)
        made = np.stack(made, 1)
        for number in batch.counted(range(3 * sweeps), 3 * sweeps, "generate/slices, sweeps"):
            axis = (number + 1) % 3  # y, x, z: that along which the layers were made comes last
            sampling = sampling_steps, draw, fresh_noise
            made = sweeping.swept(made, volumes, axis, layers, model, asked_of, *sampling)
    return made


def _sees_both_sides(model: Model, conditions: int) -> bool:
    """Return whether a network sees layers on both sides. Raises BadItem if its weights are of an earlier version."""
    told = model.card["network"]["conditions"] - conditions - model.net.channels
    if told not in (0, len(AXES)):
        raise BadItem("its weights are of a version that did not tell how much of a phase a layer has; train again")
    return told == len(AXES)
