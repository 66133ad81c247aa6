"""Conditional generative adversarial network: flat images out of noise at once, for conditions."""

from collections.abc import Mapping

import numpy as np

from matlens.generate import trained
from matlens.generate.trained import BATCHES, TRAINING, Batches, Model
from matlens.learn import loop
from matlens.learn.options import Training

AVERAGE = 0.99  # decay of the running mean of the weights


class Adversaries(loop.Task):
    """Hinge losses of generator and critic, one step each a batch (J. H. Lim, J. C. Ye, arXiv:1705.02894).

    The generator sees random conditions of other images of the batch, too. The critic learns twice as fast.
    """

    average = AVERAGE

    def optimisers(self, model, options):
        """Make an Adam each, with the rates of M. Heusel et al., NeurIPS 2017."""
        import torch

        rates = {"generator": options.learning_rate, "critic": 2 * options.learning_rate}
        return {name: torch.optim.Adam(model[name].parameters(), rate, (0.0, 0.9)) for name, rate in rates.items()}

    def rate(self, step, steps, peak):
        """Keep the rate, and let it fall in the last third."""
        return peak * min(1.0, 3 * (1 - step / steps))

    def step(self, model, batch, optimisers):
        """Work on one batch: the critic first, then the generator."""
        import torch

        real, states = batch["pixels"], batch["conditions"]
        net = getattr(model, "module", model)
        made = net["generator"](noise(net["generator"], real), states)
        hinge = torch.nn.functional.relu
        critic = hinge(1 - net["critic"](real, states)).mean() + hinge(1 + net["critic"](made.detach(), states)).mean()
        optimisers["critic"].descend(critic)
        generator = -net["critic"](made, states).mean()
        optimisers["generator"].descend(generator)
        return {"generator_loss": generator, "critic_loss": critic}


def noise(generator, like, draw=None):
    """Draw the noise of images (n, p, y, x)."""
    import torch

    shape = (len(like), generator.latent, *(n // generator.stride for n in like.shape[2:]))
    return torch.randn(shape, generator=draw, device="cpu" if draw else like.device).to(like.device)


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
    """Train generator and critic on labels; returns the mean weights of both by name, and the card with the history.

    `samples`: (labels, image, conditions, group, item); `roles`: by item; `options`: those of the stage and the method.
    """
    examples = trained.learned_from(samples, roles, options)

    def task(examples) -> Adversaries:
        return Adversaries(trained.batches(examples, len(phases), drawn, options["periodic"]), steps=drawn.steps)

    return trained.fitted(method, examples, len(phases), options, training, drawn, checkpoint, task)


def generate(asked: np.ndarray, count: int, rng: np.random.Generator, model: Model, examples) -> np.ndarray:
    """Make labels of a condition, each by one pass of the generator."""
    import torch

    net, draw, made = model.net["generator"], model.generator(rng), []
    channels, size = model.card["network"]["channels"], examples.labels.shape[1:]
    with torch.no_grad():
        for number in trained.chunks(count, "generate/cgan"):
            like = torch.empty((number, channels, *size), device=model.device)
            found = net(noise(net, like, draw), model.conditions(asked, number))
            made.append(trained.labels_of(found.cpu().numpy()))
    return np.concatenate(made)
