"""Sequences out of their first state: by a learned local rule, or by growth at the mean speed."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from matlens.generate import trained
from matlens.generate.examples import Examples
from matlens.generate.trained import BATCHES, TRAINING, Batches, Model
from matlens.job.batch import BadItem
from matlens.learn import loop
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
    steered_by: list | None = None,
) -> tuple[dict, dict]:
    """Train the local rule on pairs of frames; returns its weights by name, and its card with the history.

    `samples`: (labels (t, y, x), image, conditions, group, item); `roles`: by item; `options`: those of the stage and
    the method. `steered_by`: conditions that the rule may depend on, None for all: what a rule is not told it cannot
    extrapolate wrongly.
    """
    names = options["conditions"]
    heeded = [float(steered_by is None or name in steered_by) for name in names]
    examples = trained.learned_from(samples, roles, options)

    def task(examples) -> loop.Task:
        return loop.Task(_lessons(examples, len(phases), drawn, heeded), _loss, steps=drawn.steps)

    known = method, examples, len(phases), options, training, drawn, checkpoint
    arrays, card = trained.fitted(*known, task, axes=3, same={"heeded": heeded})
    return arrays, {**card, "heeded": heeded}


def _loss(model, batch):
    """Return the cross entropy of the next state, over pixels that change or lie beside another phase, and one more.

    Elsewhere a rule has nothing to decide; the whole image is weighed by a tenth.
    """
    import torch

    found = model(batch["pixels"], batch["conditions"])
    error = torch.nn.functional.binary_cross_entropy_with_logits(found, (batch["next"] + 1) / 2, reduction="none")
    top = torch.nn.functional.max_pool2d(batch["pixels"], 5, 1, 2)
    low = -torch.nn.functional.max_pool2d(-batch["pixels"], 5, 1, 2)
    edge = ((top > low) | (batch["next"] != batch["pixels"])).any(1, keepdim=True).float()
    return (error * edge).sum() / edge.sum().clamp(min=1) + 0.1 * error.mean()


def _lessons(examples: Examples, phases: int, drawn: Batches, heeded: list) -> Callable:
    """Return the function of epoch and rng that yields batches of a state and the next one.

    `heeded`: 1 for conditions that the network sees, 0 for others.
    """
    import torch

    asked = trained.scaled(examples.conditions) * np.array(heeded, np.float32)

    def of_epoch(epoch: int, rng: np.random.Generator) -> Iterator[dict]:
        for _ in range(drawn.steps):
            chosen = rng.integers(len(examples), size=drawn.batch)
            at = rng.integers(examples.labels.shape[1] - 1, size=drawn.batch)
            now, then = (trained.channels_of(examples.labels[chosen, at + k], phases) for k in (0, 1))
            parts = {"pixels": now, "next": then, "conditions": asked[chosen]}
            yield {name: torch.from_numpy(value) for name, value in parts.items()}

    return of_epoch


def first_states(asked: np.ndarray, count: int, held: Examples) -> np.ndarray:
    """Return the first frames of held-back sequences of a condition, (n, y, x). Raises BadItem if there are none."""
    own = held.of(asked).labels[:count]
    if not len(own):
        raise BadItem("no sequence of this condition was held back: there is no first state to begin with")
    if own.ndim != 4:
        raise BadItem("a sequence has frames, rows and columns; give size_px three numbers")
    return own[:, 0]


def generate(asked: np.ndarray, count: int, model: Model, held: Examples) -> np.ndarray:
    """Continue the first frames of held-back sequences by the learned rule: labels (n, t, y, x)."""
    import torch

    state, frames = first_states(asked, count, held), [first_states(asked, count, held)]
    channels = model.card["network"]["channels"]
    phases, asked_of = 2 if channels == 1 else channels, model.conditions(asked, len(state))
    asked_of = asked_of * torch.tensor(model.card["heeded"], device=model.device)
    with torch.no_grad():
        for _ in range(held.labels.shape[1] - 1):
            now = torch.from_numpy(trained.channels_of(frames[-1], phases)).to(model.device)
            frames.append(trained.labels_of(model.net(now, asked_of).cpu().numpy()))
    return np.stack(frames, 1)


def dilation(asked: np.ndarray, count: int, examples: Examples, held: Examples, phase: int) -> np.ndarray:
    """Continue the first frames at the mean speed of the training sequences, the same in every direction.

    In every frame the pixels nearest to the phase are added, until its equivalent radius has grown by the mean of them.
    """
    from scipy import ndimage

    radius = np.sqrt((examples.labels == phase).sum((2, 3)) / np.pi)
    steps = np.diff(radius, axis=1).mean(0)
    made = []
    for first in first_states(asked, count, held):
        frames, start = [first], np.sqrt((first == phase).sum() / np.pi)
        away = ndimage.distance_transform_edt(first != phase)
        order = np.argsort(away, axis=None, kind="stable")
        for grown in np.cumsum(steps):
            frame = first.copy()
            frame.ravel()[order[: round(np.pi * (start + grown) ** 2)]] = phase
            frames.append(frame)
        made.append(np.stack(frames))
    return np.stack(made)
