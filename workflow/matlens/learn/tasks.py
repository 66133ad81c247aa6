"""Training tasks: batches, loss, step, optimisers and score."""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from torch import nn

from matlens.learn import devices
from matlens.learn.options import Training

START_DIVISOR, END_DIVISOR = 25.0, 1e4  # of the one-cycle rate, as fractions of its peak and of its start
SCORE = "score"  # what a validation is judged by: higher is better


def one_cycle(step: int, steps: int, peak: float, rise: float = 0.3) -> float:
    """Return the learning rate of a step, counted from 0: half a cosine up to `peak`, half a cosine down to nearly
    nothing.

    Source: L. N. Smith, N. Topin, arXiv:1708.07120; the form and constants of torch's OneCycleLR.
    """
    low, end = peak / START_DIVISOR, peak / START_DIVISOR / END_DIVISOR
    top = rise * steps - 1.0
    if step <= top:
        a, b, part = low, peak, step / top
    else:
        a, b, part = peak, end, (step - top) / max(steps - 1 - top, 1e-9)
    return b + (a - b) / 2.0 * (1.0 + math.cos(math.pi * part))


class Task:
    """One training task; a subclass overrides the steps that differ.

    `steps` batches make an epoch. `average`: decay of a running mean of the weights (exponential moving average), which
    is judged and kept in place of the last weights; 0 for none.
    """

    average: float = 0.0
    steps: int = 1
    _batches = _loss = _score = None

    def __init__(
        self,
        batches: Callable | None = None,
        loss: Callable | None = None,
        score: Callable | None = None,
        *,
        steps: int | None = None,
    ):
        self._batches, self._loss, self._score, self.steps = batches, loss, score, steps or self.steps

    def batches(self, epoch: int, rng: np.random.Generator) -> Iterable:
        """Yield the batches of an epoch, drawing from `rng` alone."""
        return self._batches(epoch, rng)

    def loss(self, model: nn.Module, batch) -> torch.Tensor:
        """Return the mean loss of a batch, a scalar tensor."""
        return self._loss(model, batch)

    def score(self, model: nn.Module) -> Mapping[str, float] | None:
        """Judge a model in evaluation mode: numbers, `score` among them, higher is better; None: the last is best."""
        return self._score(model) if self._score else None

    def optimisers(self, model: nn.Module, options: Training) -> Mapping[str, torch.optim.Optimizer]:
        """Make the optimisers by name. AdamW: I. Loshchilov, F. Hutter, ICLR 2019."""
        decay = options.weight_decay
        return {"all": torch.optim.AdamW(model.parameters(), lr=options.learning_rate, weight_decay=decay)}

    def rate(self, step: int, steps: int, peak: float) -> float:
        """Return the learning rate of an update, counted from 0; `peak` is the rate that an optimiser was made with."""
        return one_cycle(step, steps, peak)

    def step(self, model: nn.Module, batch, optimisers: Mapping[str, "Descent"]) -> Mapping[str, torch.Tensor]:
        """Work on one batch; returns numbers, whose means over the epoch stand in the history."""
        value = self.loss(model, batch)
        optimisers["all"].descend(value)
        return {"train_loss": value}


class Descent:
    """An optimiser at work: gathers gradients of `accumulate` batches, clips them and updates; scales half floats."""

    def __init__(self, optimiser: torch.optim.Optimizer, options: Training, half: torch.dtype | None, alone: bool):
        self.optimiser, self.options, self.alone = optimiser, options, alone
        self.scaler = torch.amp.GradScaler("cuda") if half is torch.float16 else None
        self.parameters = [p for group in optimiser.param_groups for p in group["params"]]
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
        self.members, self.due, self.epoch = 1, True, 0

    def begin(self, rate: Callable[[float], float], members: int, due: bool, epoch: int) -> None:
        """Get ready for a batch, one of `members` of an update; the last of them is `due`."""
        self.members, self.due, self.epoch = members, due, epoch
        for group in self.optimiser.param_groups:
            group["lr"] = rate(group["peak"])

    def descend(self, loss: torch.Tensor) -> None:
        """Add the gradient of a loss, and update where an update is due; FloatingPointError: it is not finite."""
        number = float(loss.detach())
        if not math.isfinite(number):
            raise FloatingPointError(
                f"the loss of epoch {self.epoch + 1} is {number}; lower learning_rate "
                f"(now {self.options.learning_rate:g})"
            )
        with torch.autocast(loss.device.type, enabled=False):
            scaled = (self.scaler.scale(loss) if self.scaler else loss).div(self.members)
            scaled.backward(inputs=None if self.alone else self.parameters)
        if self.due:
            self._update()

    def _update(self) -> None:
        """Take one optimiser step along the accumulated gradients, and reset them."""
        if not self.alone:
            devices.averaged(self.parameters)
        if self.scaler is not None:
            self.scaler.unscale_(self.optimiser)
        if self.options.clip_norm > 0:
            nn.utils.clip_grad_norm_(self.parameters, self.options.clip_norm)
        if self.scaler is not None:
            self.scaler.step(self.optimiser)
            self.scaler.update()
        else:
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
