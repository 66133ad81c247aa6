"""Start a network, train it for a task, and write the part of its card that every stage has."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from matlens.learn import pixels
from matlens.learn.options import Training, own_options


def started(
    table: Mapping[str, str],
    method: str,
    image: np.ndarray,
    outputs: int,
    options: Mapping,
    initial: Mapping | None,
    seed: int,
    **data: int,
) -> tuple:
    """Make the network of a method for images (channels, [z,] y, x) such as this one.

    `table`: of networks; `initial`: weights to start from; `data`: numbers of the card's entry that are not those of
    the image. Returns the entry of the card, the options of the network, the network, and the names of its weights that
    are not among the initial ones.
    """
    import torch

    from matlens.learn import loop

    own = own_options(table, method, options)
    network = pixels.describe(method.partition(".")[0], image, outputs, own) | data
    torch.manual_seed(seed)
    net = pixels.build(network)
    return network, own, net, loop.load_arrays(net, initial, partly=True) if initial else []


def stated(own: Mapping, *groups, **more) -> dict:
    """Put the options of a training together for its card: those of the network, of groups, and others."""
    return {**own, **{name: value for group in groups for name, value in asdict(group).items()}, **more}


def fitted(
    method: str, net, network: Mapping, task, options: Mapping, training: Training, data: str, checkpoint
) -> tuple[dict, dict]:
    """Train a network for a task; returns its weights by name, and the shared part of its card with the history.

    `network`, `options`: of the card; `data`: digest of the samples. A checkpoint of others than these is not resumed.
    """
    from matlens.learn import loop

    identity = {"network": network, "options": options, "data": data}
    history = loop.train(net, task, training, checkpoint=checkpoint, identity=identity, label=method)
    best = next(row for row in reversed(history) if row["best"])
    card = {
        "network": network,
        "options": options,
        "parameters": sum(p.numel() for p in net.parameters()),
        "scores": {name: value for name, value in best.items() if name != "best"},
        "history": history,
    }
    return loop.arrays_of(net), card
