"""Learned generators: exact denoising is exact, every learner trains, is stored, and generates the same bytes."""

import math

import numpy as np
import pytest
import torch
from matlens import generate, registry
from matlens.generate import diffusion, trained
from matlens.job.batch import BadItem
from matlens.nets.generate.ddpm import DDPM

from .test_classical import OPTIONS, field

QUICK = {"epochs": 2, "steps": 2, "batch": 4, "width": 8, "device": "cpu"}


def test_sampling_with_the_exact_network_returns_the_data():
    """For data of one point the best v is known: noise is (x - a x0) / s."""
    point = torch.where(torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5, 1.0, -1.0)

    def exact(x, level, conditions, context):
        a, s = (f(level * math.pi / 2)[:, None, None, None] for f in (torch.cos, torch.sin))
        return a * (x - a * point) / s - s * point

    found = diffusion.sampled(exact, torch.randn(2, 1, 8, 8), None, 5)
    assert torch.allclose(found, point, atol=1e-4)


@pytest.mark.parametrize("fresh", [0.0, 1.0])
def test_the_mean_of_images_varies_as_that_of_the_data(fresh):
    """For constant images of normal level, deviation 0.2, the best estimate is a Wiener filter of the mean.

    Without fresh noise the gain of every step multiplies to 0.912 of the deviation (0.814 with even levels).
    """

    def exact(x, level, conditions, context):
        a, s = (f(level * math.pi / 2)[:, None, None, None] for f in (torch.cos, torch.sin))
        clean = x.mean((2, 3), keepdim=True) * a * 0.2**2 / ((a * 0.2) ** 2 + s**2 / 32**2)
        return (a * x - clean) / s

    draw = torch.Generator().manual_seed(0)
    noise = torch.randn((400, 1, 32, 32), generator=draw)
    drawn = float(noise.mean((1, 2, 3)).std() * 32)  # 1, but for chance
    found = diffusion.sampled(exact, noise, None, 20, None, draw, fresh)
    ratio = float(found.mean((1, 2, 3)).std() / 0.2)
    assert ratio / drawn == pytest.approx(0.912, abs=0.005) if fresh == 0 else 0.9 < ratio < 1.1


def test_a_network_sees_the_level_that_its_normalisation_takes_away():
    torch.manual_seed(0)
    net = DDPM(channels=1, conditions=1, wraps=True, width=8, depth=2).eval()
    torch.nn.init.normal_(net.down[0].second.weight)  # blocks are shortcuts at the start
    x, state, level = torch.randn(1, 1, 16, 16), torch.ones(1, 1), torch.tensor([0.9])
    with torch.no_grad():
        whole = net(x, level, state)
        net.level.weight.zero_()
        assert not torch.equal(whole, net(x, level, state))


def test_labels_and_channels_are_inverse():
    for phases in (2, 4):
        labels = np.random.default_rng(0).integers(0, phases, (3, 6, 6)).astype(np.uint8)
        channels = trained.channels_of(labels, phases)
        assert channels.shape[1] == (1 if phases == 2 else phases) and set(np.unique(channels)) == {-1, 1}
        assert (trained.labels_of(channels) == labels).all()


def test_a_periodic_network_rolls_with_its_image():
    torch.manual_seed(0)
    net = DDPM(channels=1, conditions=1, wraps=True, width=8, depth=2).eval()
    x, level, state = torch.randn(1, 1, 16, 16), torch.tensor([0.5]), torch.tensor([[1.0]])
    with torch.no_grad():
        rolled = net(torch.roll(x, (4, 8), (2, 3)), level, state)
        assert torch.allclose(rolled, torch.roll(net(x, level, state), (4, 8), (2, 3)), atol=1e-4)


def samples(axes):
    rng = np.random.default_rng(0)
    size = (8, 16, 16)[-axes:]
    return [
        (field(rng, size, 1.5), np.zeros(size, np.float32), (float(c),), f"g{c}{k}", f"i{c}{k}")
        for c in (1, 2)
        for k in range(4)
    ]


@pytest.mark.parametrize("method", generate.LEARNERS)
def test_every_learner_trains_and_generates_the_same_twice(method, tmp_path):
    axes, found = generate.AXES[method], samples(generate.AXES[method])
    options = {**OPTIONS, "periodic": False, **QUICK}
    roles = {part[-1]: "train" for part in found}
    offered = {"samples": found, "phases": ["a", "b"], "method": method, "roles": roles, "options": options}
    offered["checkpoint"] = tmp_path / "c.safetensors"
    arrays, card = registry.call(registry.load(generate.LEARNERS, method), offered, QUICK)
    assert len(card["history"]) == 2 and card["conditions"]["known"] == [[1.0], [2.0]]
    model = registry.call(registry.load(generate.PREPARES, method), {"arrays": arrays, "card": card}, QUICK)
    real = trained.learned_from(found, roles, options)
    runs = []
    for _ in range(2):
        given = {"asked": np.array([1.0]), "count": 3, "rng": np.random.default_rng(5), "examples": real, "held": real}
        runs.append(
            registry.call(registry.load(generate.METHODS, method), {**given, "model": model}, {"sampling_steps": 2})
        )
    assert runs[0].shape == (3, *(8, 16, 16)[-axes:]) and runs[0].dtype == np.uint8
    assert (runs[0] == runs[1]).all() and set(np.unique(runs[0])) <= {0, 1}


@pytest.mark.slow
def test_a_small_diffusion_network_learns_the_fraction_of_its_condition():
    rng = np.random.default_rng(0)
    found = [
        ((rng.random((8, 8)) < c).astype(np.uint8), np.zeros((8, 8), np.float32), (c,), f"g{c}{k}", f"i{c}{k}")
        for c in (0.15, 0.85)
        for k in range(30)
    ]
    options = {**OPTIONS, "periodic": True, **QUICK, "epochs": 15, "steps": 20, "batch": 16, "learning_rate": 3e-3}
    offered = {"samples": found, "phases": ["a", "b"], "method": "ddpm", "options": options, "checkpoint": None}
    offered["roles"] = {part[-1]: "train" for part in found}
    arrays, card = registry.call(registry.load(generate.LEARNERS, "ddpm"), offered, options)
    model, real = trained.prepare(arrays, card), trained.learned_from(found, offered["roles"], options)
    draw = registry.load(generate.METHODS, "ddpm")
    shares = [draw(np.array([c]), 16, np.random.default_rng(1), model, real).mean() for c in (0.15, 0.85)]
    assert shares[0] < 0.35 and shares[1] > 0.65


def test_the_latent_numbers_hold_the_fraction_that_normalisation_takes_away():
    """Images of one shape and two levels of grey differ in their code, and in what is decoded from it."""
    from matlens.nets.generate.vae import VAE

    torch.manual_seed(0)
    net = VAE(channels=1, conditions=0, wraps=True, sides=(16, 16), latent=2, width=8, depth=2).eval()
    state, pattern = torch.zeros(2, 0), 0.1 * torch.randn(1, 1, 16, 16)
    images = torch.cat([pattern - 0.5, pattern + 0.5])
    with torch.no_grad():
        net.code.weight.zero_()  # the way through the normalised layers
        one, other = net.encode(images, state)[0]
        assert not torch.allclose(one, other)
        net.leave[-1].weight.zero_()
        made = net.decode(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), state)
    assert made.std((2, 3)).max() < 1e-6 and not torch.allclose(made[0], made[1])


def test_layers_of_a_volume_have_as_much_of_a_phase_as_those_of_a_real_one(monkeypatch):
    """A network that is not told makes a little less at every layer, and pores die out after some."""
    from matlens.generate import examples, slices, work

    rng = np.random.default_rng(0)
    shares = rng.uniform(0.1, 0.9, (6, 8))
    labels = (rng.random((6, 8, 16, 16)) < shares[:, :, None, None]).astype(np.uint8)
    names = np.array([f"i{k}" for k in range(6)])
    real = examples.Examples(labels, labels.astype(np.float32), np.zeros((6, 0)), names, names, np.full(6, "train"))
    options = {"conditions": [], "unseen": [], "periodic": False, "size_px": [8, 16, 16], "phase": 1}
    options |= {"width": 4, "depth": 1}
    samples = [(mark, mark.astype(np.float32), (), name, name) for mark, name in zip(labels, names, strict=True)]
    few = {"training": trained.Training(epochs=1), "drawn": trained.Batches(steps=1, batch=2)}
    arrays, card = slices.learn(samples, ["a", "b"], "slices", dict.fromkeys(names, "train"), None, options, **few)
    assert card["network"]["conditions"] == 1

    def obedient(net, noise, conditions, *rest):
        share = (conditions[:, -1] / slices.LEVEL + 1) / 2
        order = noise.flatten(1).argsort(1).argsort(1) / noise[0].numel()
        return torch.where(order < share[:, None], 1.0, -1.0).reshape(noise.shape)

    monkeypatch.setattr(diffusion, "sampled", obedient)
    model = trained.prepare(arrays, card, device="cpu")
    found = slices.generate(np.zeros(0), 5, np.random.default_rng(1), model, real)
    known = labels.mean((2, 3))
    for profile in found.mean((2, 3)):
        assert np.abs(known - profile).max(1).min() < 0.01
    asked = {"ask": [], "count": 2, "random_seed": 0, **options}
    lost: list[dict] = []
    made = list(work.generated(slices.generate, real, model, asked, {}, ["a", "b"], "slices", lost))
    assert not lost and made[0].labels.shape == (2, 8, 16, 16)  # a study without conditions has one, of no numbers
    model.card["network"]["conditions"] = 0
    with pytest.raises(BadItem, match="train again"):
        slices.generate(np.zeros(0), 5, np.random.default_rng(1), model, real)
