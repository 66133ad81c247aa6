"""Devices of networks, the processes of torchrun, and weights as arrays by name."""

import os
import sys
from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np
import torch
from torch import nn


def choose_device(name: str = "auto") -> torch.device:
    """Choose the device: "cpu", "cuda", or "auto" for CUDA if available.

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
    return torch.device(f"cuda:{rank('LOCAL_RANK')}" if name in ("auto", "cuda") else name)


def rank(name: str = "RANK") -> int:
    """Return the number of this process among those of torchrun; 0 alone."""
    return int(os.environ.get(name, 0))


def world() -> int:
    """Return how many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", 1))


def is_main() -> bool:
    """Check whether this process writes the files: the only one, or rank 0 of torchrun."""
    return rank() == 0


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


def spread(model: nn.Module, device: torch.device, shared: bool = True) -> nn.Module:
    """Let the processes that torchrun started, one a device, share the gradients of a model; alone it stays as it is.

    Where a task has several optimisers (`shared` False) they average the gradients themselves, see `averaged`.

    A single process never uses more than one GPU: nn.DataParallel would cut the tensors of a batch of graphs, whose
    atoms and bonds are of different numbers, each by itself.
    """
    if world() > 1:
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if not shared:
            return model
        if device.type == "cuda":
            return nn.parallel.DistributedDataParallel(model, device_ids=[device])
        return nn.parallel.DistributedDataParallel(model)
    if device.type == "cuda" and torch.cuda.device_count() > 1:
        print(f"{torch.cuda.device_count()} GPUs are visible and one is used; torchrun starts a process for each")
    return model


def averaged(parameters: Iterable[nn.Parameter]) -> None:
    """Average the gradients of parameters over the processes of torchrun."""
    for parameter in parameters if world() > 1 else ():
        if parameter.grad is not None:
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= world()


def agreed(stop: bool, device: torch.device) -> bool:
    """Broadcast a decision of rank 0 to all processes."""
    if world() == 1:
        return stop
    flag = torch.tensor([float(stop)], device=device)
    torch.distributed.broadcast(flag, 0)
    return bool(flag.item())


def own_batches(drawn: Iterable, share: int) -> Iterable:
    """Yield the batches of this process. Raises ValueError if there are too few."""
    count = 0
    for count, batch in enumerate(islice(iter(drawn), rank(), share * world(), world()), start=1):  # noqa: B007
        yield batch
    if count < share:
        raise ValueError(f"an epoch gave {count} batches instead of {share}")
