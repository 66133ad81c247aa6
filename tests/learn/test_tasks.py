"""The loop is that of every task: two optimisers, a running mean of the weights, each going on after a kill."""

import numpy as np
import pytest
import torch
from matlens.learn import loop
from torch import nn

OPTIONS = loop.Training(epochs=4, learning_rate=2e-3, device="cpu", seed=3)


def layers(inputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def numbers(steps: int = 20, size: int = 64):
    """Yield batches of numbers around 3."""

    def batches(epoch, rng):
        for _ in range(steps):
            yield torch.from_numpy(rng.normal(3.0, 0.5, (size, 1)).astype("f"))

    return batches


class Adversaries(loop.Task):
    """A generative adversarial network on numbers (I. Goodfellow et al., NeurIPS 2014): two losses, two optimisers."""

    steps = 20

    def batches(self, epoch, rng):
        return numbers(self.steps)(epoch, rng)

    def optimisers(self, model, options):
        rates = {"generator": options.learning_rate, "critic": 2 * options.learning_rate}
        return {name: torch.optim.Adam(model[name].parameters(), lr, (0.5, 0.9)) for name, lr in rates.items()}

    def rate(self, step, steps, peak):
        return peak

    def step(self, model, batch, optimisers):
        entropy = nn.functional.binary_cross_entropy_with_logits
        made = model["generator"](torch.randn(len(batch), 1))
        real, fake = model["critic"](batch), model["critic"](made.detach())
        critic = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
        optimisers["critic"].descend(critic)
        judged = model["critic"](made)
        generator = entropy(judged, torch.ones_like(judged))
        optimisers["generator"].descend(generator)
        return {"generator_loss": generator, "critic_loss": critic}


def adversaries(checkpoint=None, **changes):
    torch.manual_seed(0)
    models = nn.ModuleDict({"generator": layers(1), "critic": layers(1)})
    history = loop.train(models, Adversaries(), loop.Training(**{**vars(OPTIONS), **changes}), checkpoint=checkpoint)
    return models, history


class Smooth(loop.Task):
    """A line through numbers, of which the running mean of the weights is kept."""

    average = 0.9

    def __init__(self):
        super().__init__(numbers(5), lambda net, batch: (net(batch) - 2 * batch).square().mean(), steps=5)
        self.judged = []

    def score(self, model):
        self.judged.append(model.weight.item())  # of which the best is the last here, since the mean lags behind
        return {"score": model.weight.item()}


def smooth(checkpoint=None, task=None, **changes):
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    task, options = task or Smooth(), {**vars(OPTIONS), "learning_rate": 0.1, **changes}
    return model, loop.train(model, task, loop.Training(**options), checkpoint=checkpoint)


@pytest.mark.parametrize("run", [adversaries, smooth])
def test_a_killed_training_goes_on_to_the_same_weights(run, tmp_path, killed_after):
    whole, history = run()
    with killed_after(2):
        run(tmp_path / "checkpoint")
    again, resumed = run(tmp_path / "checkpoint")
    assert [row["learning_rate"] for row in resumed] == [row["learning_rate"] for row in history]
    for name, value in loop.arrays_of(whole).items():
        np.testing.assert_array_equal(value, loop.arrays_of(again)[name])


def test_adversaries_learn_where_the_numbers_are():
    models, history = adversaries(epochs=25)
    with torch.no_grad():
        made = models["generator"](torch.randn(2000, 1))
    assert made.mean().item() == pytest.approx(3.0, abs=0.4)
    assert {"generator_loss", "critic_loss"} <= set(history[0])


def test_an_optimiser_moves_its_own_weights_alone():
    class Lazy(Adversaries):
        def step(self, model, batch, optimisers):
            found = model["critic"](model["generator"](batch)).mean()
            optimisers["critic"].descend(found)
            return {"train_loss": found}

    torch.manual_seed(0)
    models = nn.ModuleDict({"generator": layers(1), "critic": layers(1)})
    before = loop.arrays_of(models)
    loop.train(models, Lazy(), OPTIONS)
    moved = {name for name, value in loop.arrays_of(models).items() if not np.array_equal(value, before[name])}
    assert moved and all(name.startswith("critic") for name in moved)


def test_what_is_judged_and_kept_is_the_running_mean():
    task = Smooth()
    model, _ = smooth(task=task)
    assert model.weight.item() == task.judged[-1]
    plain = Smooth()
    plain.average = 0.0
    other, _ = smooth(task=plain)
    assert other.weight.item() != model.weight.item()
    steps, weights = [], []

    class Watched(Smooth):
        average = 0.0

        def step(self, model, batch, optimisers):
            weights.append(model.weight.item())
            steps.append(1)
            return super().step(model, batch, optimisers)

    final, _ = smooth(task=Watched())
    mean = weights[0]
    for value in [*weights[1:], final.weight.item()]:
        mean = 0.9 * mean + 0.1 * value
    assert mean == pytest.approx(model.weight.item(), rel=1e-5)
