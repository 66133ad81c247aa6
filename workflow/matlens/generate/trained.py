"""Shared parts of learned generators: images as channels in [-1, 1], scaled conditions, batches, cards."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from matlens import nets, registry
from matlens.generate import conditions as states
from matlens.generate import examples as real
from matlens.job import batch
from matlens.job.batch import BadItem
from matlens.learn.options import Training, own_options


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Options of the batches of an epoch: `steps` of `batch` images; `mirrors`: half of them are mirrored by axis."""

    steps: int = 25
    batch: int = 16
    mirrors: bool = False


BATCHES, TRAINING = Batches(), Training(learning_rate=1e-3, weight_decay=0.0)


@dataclass
class Model:
    """A trained network with its card, on its device."""

    net: object
    card: Mapping
    device: object

    def conditions(self, asked: np.ndarray, count: int):
        """Return the scaled conditions of `count` images, (count, c), as a tensor."""
        import torch

        mean, spread = (np.array(self.card["conditions"][name]) for name in ("mean", "spread"))
        scaled = ((np.asarray(asked) - mean) / spread).astype(np.float32)
        return torch.from_numpy(np.repeat(scaled[None], count, 0)).to(self.device)

    def generator(self, rng: np.random.Generator):
        """Return a generator of torch, on the CPU, so that every device draws the same noise."""
        import torch

        return torch.Generator().manual_seed(int(rng.integers(2**62)))


def channels_of(labels: np.ndarray, phases: int) -> np.ndarray:
    """Return labels (n, ...) as channels of -1 and 1: one of two phases, else one of each; float32 (n, p, ...)."""
    if phases == 2:
        return (2.0 * (labels[:, None] == 1) - 1).astype(np.float32)
    return np.stack([2.0 * (labels == phase) - 1 for phase in range(phases)], 1).astype(np.float32)


def labels_of(channels: np.ndarray) -> np.ndarray:
    """Return the labels of channels (n, p, ...): the phase of the largest one, uint8 (n, ...)."""
    return (channels[:, 0] > 0).astype(np.uint8) if channels.shape[1] == 1 else channels.argmax(1).astype(np.uint8)


def learned_from(samples, roles: Mapping, options: Mapping) -> real.Examples:
    """Return the examples that a network learns from. Raises BadItem if there are none."""
    every = real.collected(list(samples), roles, options)
    chosen = every.where(every.roles == real.TRAIN)
    if not len(chosen):
        raise BadItem("every real image is held back or of an unseen condition; there is nothing to learn from")
    return chosen


def batches(examples: real.Examples, phases: int, drawn: Batches, periodic: bool) -> Callable:
    """Return the function of epoch and rng that yields batches: dicts of pixels (n, p, y, x) and conditions (n, c).

    Where images are periodic each is shifted at random; conditions are scaled to mean 0 and spread 1.
    """
    import torch

    pixels, asked = channels_of(examples.labels, phases), scaled(examples.conditions)

    def of_epoch(epoch: int, rng: np.random.Generator) -> Iterator[dict]:
        for _ in range(drawn.steps):
            chosen = rng.integers(len(pixels), size=drawn.batch)
            found = pixels[chosen]
            for number, image in enumerate(found):
                axes = tuple(range(1, image.ndim))
                if periodic:
                    image = np.roll(image, [rng.integers(n) for n in image.shape[1:]], axes)
                if drawn.mirrors:
                    image = np.flip(image, [axis for axis in axes if rng.integers(2)])
                found[number] = image
            yield {"pixels": torch.from_numpy(found.copy()), "conditions": torch.from_numpy(asked[chosen])}

    return of_epoch


def started(
    method: str, examples: real.Examples, phases: int, options: Mapping, seed: int, axes: int = 2, **more
) -> tuple:
    """Make a network with random weights; returns it and its description for the card.

    `axes`: of the images that the method makes; `more`: what else its constructor takes from the data. Raises BadItem
    if the images do not fit.
    """
    import torch

    own = own_options(nets.GENERATORS, method, options)
    size = examples.labels.shape[-2:]
    step = 2 ** own.get("depth", 0)  # sides are halved so often
    if any(n % step for n in size) or examples.labels.ndim - 1 != axes:
        given = list(examples.labels.shape[1:])
        raise BadItem(f"images are {given} pixels; give size_px, {axes} numbers, the last two multiples of {step}")
    given = {"channels": 1 if phases == 2 else phases, "conditions": examples.conditions.shape[1]}
    given |= {"wraps": bool(options["periodic"]), "sides": list(size)}
    network = {"name": registry.method_of(method), **given, **own, **more}
    torch.manual_seed(seed)
    return build(network), network


def build(network: Mapping):
    """Make a network from its entry in a card."""
    maker = registry.load(nets.GENERATORS, network["name"])
    taken = registry.options_of(maker)
    return maker(**{name: value for name, value in network.items() if name in taken})


def scaled(conditions: np.ndarray) -> np.ndarray:
    """Scale conditions (n, c) to mean 0 and spread 1, float32."""
    mean, spread = states.scale(conditions)
    return ((conditions - mean) / spread).astype(np.float32)


def fitted(
    method: str,
    examples: real.Examples,
    phases: int,
    options: Mapping,
    training: Training,
    drawn: Batches,
    checkpoint,
    task_of: Callable,
    axes: int = 2,
    same: Mapping | None = None,
    **more,
) -> tuple[dict, dict]:
    """Train a network on examples; returns its weights by name (the mean ones of a task with `average`), and its card.

    `task_of`: function of the examples that gives the task; `axes`, `more`: see `started`; `same`: what else a training
    that goes on must have in common with the one that was stopped.
    """
    from matlens.learn import loop

    net, network = started(method, examples, phases, options, training.seed, axes, **more)
    known = {**identity(network, examples, training, drawn), **(same or {})}
    history = loop.train(net, task_of(examples), training, checkpoint=checkpoint, identity=known, label=method)
    return loop.arrays_of(net), card(network, net, examples, options, history, training, drawn)


def card(network: Mapping, net, examples: real.Examples, options: Mapping, history: list, *groups) -> dict:
    """Describe a training: network, options, conditions with their scale and range, history."""
    mean, spread = states.scale(examples.conditions)
    known = examples.known()
    about = {"names": list(options["conditions"]), "mean": mean.tolist(), "spread": spread.tolist()}
    stated = {name: value for group in groups for name, value in asdict(group).items()}
    return {
        "network": dict(network),
        "options": stated,
        "conditions": {**about, "known": known.tolist()},
        "parameters": sum(p.numel() for p in net.parameters()),
        "images": len(examples),
        "data": digest(examples),
        "history": history,
    }


def digest(examples: real.Examples) -> int:
    """Return a checksum of the labels and conditions that a network learns from."""
    return zlib.crc32(examples.labels.tobytes() + examples.conditions.tobytes())


def identity(network: Mapping, examples: real.Examples, *groups) -> dict:
    """Return what a training that goes on must have in common with the one that was stopped."""
    return {"network": dict(network), "data": digest(examples), "options": [asdict(group) for group in groups]}


def chunks(count: int, label: str, most: int = 64) -> Iterator[int]:
    """Yield how many images to make at a time; progress is printed every 5 seconds."""
    sizes = [min(most, count - first) for first in range(0, count, most)]
    yield from batch.counted(sizes, len(sizes), label)


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto") -> Model:
    """Build the model of weights and their card."""
    from matlens.learn import loop

    net = build(card["network"])
    loop.load_arrays(net, arrays)
    place = loop.choose_device(device)
    return Model(net.to(place).eval(), card, place)
