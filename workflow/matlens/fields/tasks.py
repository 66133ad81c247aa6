"""Training tasks of fields: the error of the field alone, or beside the verdict of a discriminator."""

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional

from matlens.learn.options import Training
from matlens.learn.tasks import Task
from matlens.nets.pixel.cell_unet import PatchDiscriminator

LARGEST = 30.0  # ratio of the gradients: a discriminator that says nothing is not made louder without end
LOSSES = {"l2": functional.mse_loss, "l1": functional.l1_loss}


def _head(answer):
    return answer[0] if isinstance(answer, list) else answer


def task(net: nn.Module, lessons, cells, against, judge: Callable | None) -> Task:
    """Make the task of a network; its `models` are what the loop trains."""
    measure = LOSSES[cells.loss]

    def batches(epoch: int, rng):
        return lessons.batches(cells.batch, rng)

    steps = lessons.count(cells.batch)
    if against.adversarial > 0:
        made = Adversarial(batches, score=judge, steps=steps)
        channels = len(lessons.inputs[0]) + len(lessons.targets[0])
        judging = PatchDiscriminator(
            dims=lessons.inputs[0].ndim - 1, channels=channels, width=against.discriminator_width
        )
        made.set(net, judging, measure, against)
        return made

    def loss(model: nn.Module, batch) -> torch.Tensor:
        return measure(_head(model(batch["pixels"])), batch["truth"])

    made = Task(batches, loss, judge, steps=steps)
    made.models = net
    return made


class Adversarial(Task):
    """Train a generator of fields against a discriminator of patches (P. Isola et al., CVPR 2017) by hinge losses.

    The generator learns from the error of the field alone first. Then the verdict of the discriminator joins, weighted
    so that its gradient in the last layer is a fixed part of that of the error, which falls with time (P. Esser, R.
    Rombach, B. Ommer, CVPR 2021, eq. 7).
    """

    def set(self, net: nn.Module, discriminator: nn.Module, measure: Callable, against) -> None:
        """Take the networks, the loss of the field, and the options of the training against a discriminator."""
        self.models = nn.ModuleDict({"generator": net, "discriminator": discriminator})
        self.measure, self.against, self.joins, self.epoch = measure, against, 0, 0

    def batches(self, epoch: int, rng):
        """Yield the batches of an epoch, and keep its number."""
        self.epoch = epoch
        return super().batches(epoch, rng)

    def score(self, model: nn.Module) -> Mapping[str, float] | None:
        """Judge the generator."""
        return super().score(model["generator"])

    def optimisers(self, model: nn.Module, options: Training) -> Mapping[str, torch.optim.Optimizer]:
        """Make the optimiser of a network alone for the generator, so that the discriminator is all that differs, and
        for the discriminator an Adam with the momentum that adversarial training wants."""
        judging, rate = model["discriminator"].parameters(), options.learning_rate * self.against.discriminator_rate
        self.joins = self.against.alone * options.epochs
        return {
            "generator": super().optimisers(model["generator"], options)["all"],
            "discriminator": torch.optim.Adam(judging, lr=rate, betas=(0.5, 0.999)),
        }

    def step(self, model: nn.Module, batch, optimisers) -> Mapping[str, torch.Tensor]:
        """Train the discriminator, then the generator, on one batch."""
        given, true = batch["pixels"], batch["truth"]
        made = _head(model["generator"](given))
        error = self.measure(made, true)
        if self.epoch < self.joins:
            optimisers["generator"].descend(error)
            return {"train_loss": error}
        judge = model["discriminator"]
        real, fake = (judge(torch.cat([given, field], 1)) for field in (true, made.detach()))
        apart = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        optimisers["discriminator"].descend(apart)
        verdict = -judge(torch.cat([given, made], 1)).mean()
        weight = self.against.adversarial * _balance(error, verdict, model["generator"].outs[0].weight)
        optimisers["generator"].descend(error + weight * verdict)
        return {"train_loss": error, "discriminator_loss": apart}


def _balance(error: torch.Tensor, verdict: torch.Tensor, last: nn.Parameter) -> float:
    """Return the size of the gradient of the error in the last layer over that of the verdict."""
    sizes = [float(torch.autograd.grad(part, last, retain_graph=True)[0].norm()) for part in (error, verdict)]
    return min(sizes[0] / (sizes[1] + 1e-8), LARGEST)
