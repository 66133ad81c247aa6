"""One training loop for every network of the project: seeded, resumable to the bit, on whatever devices there are.

Nothing random is kept between epochs: epoch n draws from generators seeded by (seed, n), and the learning rate is a
function of the step. So a checkpoint is weights, moments and the history, and a run that was killed goes on as if
it had not been: to the bit on a CPU with as many threads, to rounding on a GPU.
"""

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn

QUIET_SECONDS = 5.0  # a progress line at most this often, so that logs stay readable
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


def choose_device(name: str = "auto") -> torch.device:
    """Choose where to compute: "cpu", "cuda", or "auto" for CUDA where there is one.

    A scheduler says in CUDA_VISIBLE_DEVICES which GPUs it granted; torch sees those alone, the first of them as cuda:0.
    "cuda" without one is a RuntimeError; "auto" goes on with the CPU, and says so where a GPU had been granted.
    """
    granted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if name != "cpu" and not torch.cuda.is_available():
        seen = f"CUDA_VISIBLE_DEVICES is {granted!r}" if granted is not None else "CUDA_VISIBLE_DEVICES is not set"
        built = "" if torch.version.cuda else "; this torch is built without CUDA"
        if name != "auto":
            raise RuntimeError(
                f"device: {name}: a GPU was asked for and none is visible ({seen}{built}). Run the job where there is "
                "one (a partition with GPUs, a driver, a torch with CUDA), or allow the CPU with device: auto"
            )
        if granted not in (None, "", "-1", "NoDevFiles"):
            print(f"a GPU was granted and none is visible ({seen}{built}): the CPU computes", file=sys.stderr)
        return torch.device("cpu")
    return torch.device(f"cuda:{_rank('LOCAL_RANK')}" if name in ("auto", "cuda") else name)


def _rank(name: str = "RANK") -> int:
    return int(os.environ.get(name, 0))


def _world() -> int:
    return int(os.environ.get("WORLD_SIZE", 1))


def is_main() -> bool:
    """Tell whether this process is the one that writes: the only one, or the first that torchrun started."""
    return _rank() == 0


def moved(batch, device: torch.device):
    """Bring a batch to a device: a tensor, anything else that has `.to`, or a list, tuple or dict of such."""
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: moved(part, device) for name, part in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(moved(part, device) for part in batch)
    return batch


def arrays_of(model: nn.Module) -> dict[str, np.ndarray]:
    """Copy the weights and buffers of a model as arrays by name."""
    return {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}


def load_arrays(model: nn.Module, arrays: Mapping[str, np.ndarray], partly: bool = False) -> list[str]:
    """Give a model weights by name; half-precision ones are widened. Returns the names that were left as they are.

    Arrays that are missing, left over or of another shape are a ValueError that names the first; with `partly` such
    weights stay as they were (fine-tuning a network whose head has other classes).
    """
    own = model.state_dict()
    fit = {k: v for k, v in arrays.items() if k in own and tuple(own[k].shape) == tuple(v.shape)}
    unfit = sorted((set(own) | set(arrays)) - set(fit))
    if unfit and not partly:
        raise ValueError(f"these weights are of another network: '{unfit[0]}' does not fit (and {len(unfit) - 1} more)")
    values = {name: torch.from_numpy(np.array(value)).to(own[name].dtype) for name, value in fit.items()}
    model.load_state_dict(values, strict=False)
    return sorted(set(own) - set(fit))


def _spread(model: nn.Module, device: torch.device) -> nn.Module:
    """Let the processes that torchrun started, one a device, share the gradients of a model; alone it stays as it is.

    A single process never uses more than one GPU: nn.DataParallel would cut the tensors of a batch of graphs, whose
    atoms and bonds are of different numbers, each by itself.
    """
    if _world() > 1:
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if device.type == "cuda":
            return nn.parallel.DistributedDataParallel(model, device_ids=[device])
        return nn.parallel.DistributedDataParallel(model)
    if device.type == "cuda" and torch.cuda.device_count() > 1:
        print(f"{torch.cuda.device_count()} GPUs are visible and one is used; torchrun starts a process for each")
    return model


def _agreed(stop: bool, device: torch.device) -> bool:
    """Let every process do what the first one decided."""
    if _world() == 1:
        return stop
    flag = torch.tensor([float(stop)], device=device)
    torch.distributed.broadcast(flag, 0)
    return bool(flag.item())


class _Checkpoint:
    """The state after an epoch, in one safetensors file whose note holds the scalars; `None` keeps nothing."""

    def __init__(self, path, identity: Mapping):
        self.path = Path(path) if path else None
        self.identity = dict(identity)

    def load(self, model: nn.Module, optimiser, scaler) -> tuple[list[dict], dict | None]:
        """Restore what was saved by a run with the same identity; returns its history and its best weights."""
        from matlens.store import io

        if self.path is None or not self.path.exists():
            return [], None
        try:
            arrays, note = io.read_weights(self.path), io.read_weights_note(self.path)
        except ValueError as error:
            print(f"{error}; starting afresh")
            return [], None
        if note.get("identity") != self.identity:
            print(f"{self.path.name} is of a run with other settings or data; starting afresh")
            return [], None
        parts = {"model": {}, "best": {}, "moments": {}}
        for name, value in arrays.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = value
        load_arrays(model, parts["model"])
        state = optimiser.state_dict()
        for name, value in parts["moments"].items():
            index, moment = name.split("/")
            state["state"].setdefault(int(index), {})[moment] = torch.from_numpy(np.array(value))
        optimiser.load_state_dict(state)
        if scaler is not None and note["scale"]:
            scaler.load_state_dict(note["scale"])
        return note["history"], parts["best"] or None

    def save(self, model: nn.Module, optimiser, scaler, history: list[dict], best: dict | None) -> None:
        """Write the state; the file is whole or the old one."""
        from matlens.store import io

        if self.path is None or not is_main():
            return
        arrays = {f"model/{k}": v for k, v in arrays_of(model).items()}
        arrays |= {f"best/{k}": v for k, v in (best or {}).items()}
        for index, moments in optimiser.state_dict()["state"].items():
            arrays |= {f"moments/{index}/{k}": v.detach().cpu().numpy() for k, v in moments.items()}
        scale = scaler.state_dict() if scaler is not None else {}
        io.write_weights(self.path, arrays, {"identity": self.identity, "history": history, "scale": scale})


def _told(label: str, row: Mapping, epochs: int, last: list[float]) -> None:
    """Write the line of an epoch into the log, and to the console every few seconds."""
    numbers = " ".join(f"{k} {v:.4g}" for k, v in row.items() if isinstance(v, float))
    line = f"{label}: epoch {row['epoch']} of {epochs}: {numbers}"
    print(line, flush=True)
    if sys.stdout is not sys.__stdout__ and time.monotonic() - last[0] > QUIET_SECONDS:
        last[0] = time.monotonic()
        print(line, file=sys.__stderr__, flush=True)


def train(
    model: nn.Module,
    batches: Callable[[int, np.random.Generator], Iterable],
    loss: Callable[[nn.Module, object], torch.Tensor],
    score: Callable[[nn.Module], Mapping[str, float]] | None = None,
    *,
    steps: int,
    epochs: int,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    accumulate: int = 1,
    clip_norm: float = 1.0,
    patience: int = 0,
    seed: int = 0,
    device: str = "auto",
    checkpoint=None,
    identity: Mapping | None = None,
    label: str = "learn",
) -> list[dict]:
    """Train a model in place with AdamW and a one-cycle learning rate; it ends with the weights of its best epoch.

    `batches(epoch, rng)` yields `steps` batches, drawing only from `rng`; `loss(model, batch)` is the mean loss of one,
    a scalar tensor; `score(model)` judges the model in evaluation mode: numbers, `score` among them, higher is better.
    Without it the last epoch counts as the best. `accumulate` batches make one update; gradients longer than
    `clip_norm` are shortened (0: never); after `patience` epochs without a better score training stops (0: never).
    On CUDA the loss is computed in bfloat16 where the device has it, else in float16 with loss scaling.
    `checkpoint`: file that holds the state after each epoch; a run with an equal `identity` (JSON values) goes on from
    it. The caller removes it. Under torchrun each process takes its share of the batches, and the first one writes.
    Returns the history: a row per epoch with epoch (from 1), learning_rate, train_loss, the scores, and `best`.
    A loss that is not finite is a FloatingPointError.
    Source of AdamW: I. Loshchilov, F. Hutter, ICLR 2019.
    """
    place = choose_device(device)
    model.to(place)
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    half = torch.bfloat16 if place.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float16
    scaler = torch.amp.GradScaler("cuda") if place.type == "cuda" and half is torch.float16 else None
    store = _Checkpoint(checkpoint, identity or {})
    history, best = store.load(model, optimiser, scaler)
    spread, told = _spread(model, place), [time.monotonic()]
    share = max(1, steps // _world())
    updates = -(-share // accumulate)
    while len(history) < epochs and not _agreed(_worn_out(history, patience), place):
        epoch = len(history)
        torch.manual_seed(seed * 1_000_003 + epoch * 1009 + _rank())  # dropout
        drawn = batches(epoch, np.random.default_rng([seed, epoch]))
        spread.train()
        total, rate = 0.0, learning_rate
        for step, batch in enumerate(_own(drawn, share)):
            if step % accumulate == 0:
                rate = one_cycle(epoch * updates + step // accumulate, epochs * updates, learning_rate)
                for group in optimiser.param_groups:
                    group["lr"] = rate
            with torch.autocast("cuda", half) if place.type == "cuda" else contextlib.nullcontext():
                value = loss(spread, moved(batch, place))
            number = float(value.detach())
            if not math.isfinite(number):
                raise FloatingPointError(
                    f"the loss of epoch {epoch + 1} is {number}; lower learning_rate (now {learning_rate:g})"
                )
            total += number
            members = min(accumulate, share - step // accumulate * accumulate)
            (scaler.scale(value) if scaler else value).div(members).backward()
            if (step + 1) % accumulate == 0 or step + 1 == share:
                _update(model, optimiser, scaler, clip_norm)
        row = {"epoch": epoch + 1, "learning_rate": float(rate), "train_loss": total / share, "best": True}
        if score is not None:
            model.eval()
            with torch.no_grad():
                row |= {name: float(number) for name, number in score(model).items()}
            row["best"] = row[SCORE] > max((old[SCORE] for old in history), default=-math.inf)
        if row["best"]:
            for old in history:
                old["best"] = False
            best = arrays_of(model)
        history.append(row)
        store.save(model, optimiser, scaler, history, best)
        if is_main():
            _told(label, row, epochs, told)
    if best is not None:
        load_arrays(model, best)
    model.eval()
    return history


def _own(drawn: Iterable, share: int) -> Iterable:
    """Yield those batches that this process works on; too few of them are a ValueError."""
    count = 0
    for count, batch in enumerate(islice(iter(drawn), _rank(), share * _world(), _world()), start=1):  # noqa: B007
        yield batch
    if count < share:
        raise ValueError(f"an epoch gave {count} batches instead of {share}")


def _worn_out(history: list[dict], patience: int) -> bool:
    """Tell whether the last `patience` epochs brought nothing better."""
    last = next((row["epoch"] for row in reversed(history) if row["best"]), len(history))
    return patience > 0 and len(history) - last >= patience


def _update(model: nn.Module, optimiser, scaler, clip_norm: float) -> None:
    """Take one step along the gathered gradients, and forget them."""
    if scaler is not None:
        scaler.unscale_(optimiser)
    if clip_norm > 0:
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    if scaler is not None:
        scaler.step(optimiser)
        scaler.update()
    else:
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
