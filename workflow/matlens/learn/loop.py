"""One training loop for every network of the project: seeded, resumable to the bit, on whatever devices there are.

The loop shares checkpoint, resume, seeds, devices and ranks; the `tasks.Task` brings batches, loss, step, optimisers,
score and, where it wants one, an average of the weights. Nothing random is kept between epochs: epoch n draws from
generators seeded by (seed, n), and the learning rate is a function of the step. So a checkpoint is weights, moments and
the history, and a killed run goes on as if it had not been killed: to the bit on a CPU with as many threads, to
rounding on a GPU.
"""

import contextlib
import copy
import math
import sys
import time
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from matlens.learn.checkpoints import Checkpoint
from matlens.learn.devices import (
    agreed,
    arrays_of,
    choose_device,
    is_main,
    load_arrays,
    moved,
    own_batches,
    rank,
    spread,
    world,
)
from matlens.learn.options import Training
from matlens.learn.tasks import SCORE, Descent, Task, one_cycle

__all__ = [
    "SCORE", "Task", "Training", "arrays_of", "choose_device", "is_main", "load_arrays", "moved", "one_cycle", "train",
]  # fmt: skip
QUIET_SECONDS = 5.0  # a progress line at most this often, so that logs stay readable


def _report(label: str, row: Mapping, epochs: int, last: list[float]) -> None:
    """Write the line of an epoch into the log, and to the console every few seconds."""
    numbers = " ".join(f"{k} {v:.4g}" for k, v in row.items() if isinstance(v, float))
    line = f"{label}: epoch {row['epoch']} of {epochs}: {numbers}"
    print(line, flush=True)
    if sys.stdout is not sys.__stdout__ and time.monotonic() - last[0] > QUIET_SECONDS:
        last[0] = time.monotonic()
        print(line, file=sys.__stderr__, flush=True)


def train(
    model: nn.Module | Mapping[str, nn.Module],
    task: Task,
    options: Training,
    *,
    checkpoint=None,
    identity: Mapping | None = None,
    label: str = "learn",
) -> list[dict]:
    """Train a model, or several by name, in place for a task; it ends with the weights of its best epoch.

    On CUDA the loss is computed in bfloat16 where the device has it, else in float16 with loss scaling.
    `checkpoint`: file that holds the state after each epoch; a run with an equal `identity` (JSON values) goes on from
    it. The caller removes it. Under torchrun each process takes its share of the batches, and the first one writes.
    Returns the history: a row per epoch with epoch (from 1), learning_rate, the means of what the steps return
    (`train_loss`), the scores, and `best`. A loss that is not finite is a FloatingPointError.
    """
    if isinstance(model, Mapping) and not isinstance(model, nn.Module):
        model = nn.ModuleDict(model)
    run = _Run(model, task, options)
    store, printed = Checkpoint(checkpoint, identity or {}), [time.monotonic()]
    history, best = store.load(run.model, run.mean, run.descents)
    while len(history) < options.epochs and not agreed(_worn_out(history, options.patience), run.place):
        row = run.epoch(len(history))
        judged = run.model if run.mean is None else run.mean
        judged.eval()
        with torch.no_grad():
            scores = task.score(judged)
        if scores is not None:
            row |= {name: float(number) for name, number in scores.items()}
            row["best"] = row[SCORE] > max((old[SCORE] for old in history), default=-math.inf)
        if row["best"]:
            for old in history:
                old["best"] = False
            best = arrays_of(judged)
        history.append(row)
        store.save(run.model, run.mean, run.descents, history, best)
        if is_main():
            _report(label, row, options.epochs, printed)
    if best is not None:
        load_arrays(run.model, best)
    run.model.eval()
    return history


class _Run:
    """A training at work: the model on its device, its optimisers, and the running mean of its weights."""

    def __init__(self, model: nn.Module, task: Task, options: Training):
        self.place = choose_device(options.device)
        self.model, self.task, self.options = model.to(self.place), task, options
        cuda = self.place.type == "cuda"
        self.half = (torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16) if cuda else None
        made = task.optimisers(model, options)
        self.descents = {name: Descent(one, options, self.half, len(made) == 1) for name, one in made.items()}
        self.spread = spread(model, self.place, len(made) == 1)
        self.mean = copy.deepcopy(model).requires_grad_(False) if task.average > 0 else None
        self.share = max(1, task.steps // world())
        self.updates = -(-self.share // options.accumulate)

    def epoch(self, epoch: int) -> dict:
        """Work on the batches of an epoch; returns its row of the history."""
        options, totals, rate = self.options, {}, self.options.learning_rate
        torch.manual_seed(options.seed * 1_000_003 + epoch * 1009 + rank())  # dropout
        drawn = self.task.batches(epoch, np.random.default_rng([options.seed, epoch]))
        self.spread.train()
        for step, batch in enumerate(own_batches(drawn, self.share)):
            window = step // options.accumulate
            members = min(options.accumulate, self.share - window * options.accumulate)
            due = (step + 1) % options.accumulate == 0 or step + 1 == self.share
            at = epoch * self.updates + window, options.epochs * self.updates
            for descent in self.descents.values():
                descent.begin(lambda peak, at=at: self.task.rate(*at, peak), members, due, epoch)
            half = torch.autocast("cuda", self.half) if self.half else contextlib.nullcontext()
            with half:
                found = self.task.step(self.spread, moved(batch, self.place), self.descents)
            for name, value in found.items():
                totals[name] = totals.get(name, 0.0) + float(value.detach())
            rate = self.task.rate(*at, options.learning_rate)
            if due and self.mean is not None:
                self._average()
        means = {name: total / self.share for name, total in totals.items()}
        return {"epoch": epoch + 1, "learning_rate": float(rate), **means, "best": True}

    def _average(self) -> None:
        """Move the running mean towards the weights; counts and other whole numbers are copied."""
        decay, own = self.task.average, self.model.state_dict()
        with torch.no_grad():
            for name, value in self.mean.state_dict().items():
                if value.dtype.is_floating_point:
                    value.mul_(decay).add_(own[name], alpha=1.0 - decay)
                else:
                    value.copy_(own[name])


def _worn_out(history: list[dict], patience: int) -> bool:
    """Check for early stopping: no improvement in the last `patience` epochs."""
    last = next((row["epoch"] for row in reversed(history) if row["best"]), len(history))
    return patience > 0 and len(history) - last >= patience
