"""Crystal networks: training batches, and predictions by batches of bounded size."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from matlens import registry
from matlens.crystal import graphs as flat
from matlens.learn.options import own_options
from matlens.nets import CRYSTAL_NETS

MOST_EDGES = {False: 6_000, True: 2_000}  # in a batch that is applied, without and with angles: what fits into a cache


def build(method: str, options: Mapping):
    """Build a network with random weights from its own options."""
    return registry.load(CRYSTAL_NETS, method)(**own_options(CRYSTAL_NETS, method, options))


class Lesson(NamedTuple):
    """Training task of a crystal network: targets (n, t) are standardised; `spread` is their divisor.

    `deal(rng)` gives the positions of every batch of an epoch; `held`: positions that judge.
    """

    graphs: flat.Graphs
    target: np.ndarray
    held: np.ndarray
    deal: Callable[[np.random.Generator], list[np.ndarray]]
    spread: float


def dealer(graphs, train: np.ndarray, batch: int, most_atoms: int) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Return the function that splits the training crystals into batches, by number or by atoms."""

    def deal(rng: np.random.Generator) -> list[np.ndarray]:
        dealt = flat.by_atoms(graphs.atoms[train], most_atoms, rng) if most_atoms else None
        return [train[some] for some in dealt or flat.shuffled(len(train), batch, rng)]

    return deal


def batches(lesson: Lesson, line_graph: bool) -> Callable:
    """Return the function that yields the batches of an epoch, with their targets."""
    import torch

    target = torch.from_numpy(lesson.target.astype(np.float32))

    def drawn(epoch: int, rng: np.random.Generator):
        for chosen in lesson.deal(rng):
            made = flat.batch(lesson.graphs, chosen, line_graph)
            yield {**made, "target": target[torch.from_numpy(chosen)]}

    return drawn


def answers(net, graphs, device: str, sites: bool = False) -> np.ndarray:
    """Run a network over graphs; returns (n,), (n, t) with t outputs, or with `sites` a number per atom.

    The answer for a crystal does not depend on the others, see `whole_tiles`.
    """
    import torch

    from matlens.learn import loop
    from matlens.learn.whole_tiles import WholeTiles

    place, found = loop.choose_device(device), []
    net.to(place).eval()
    with torch.inference_mode(), WholeTiles():
        for run in flat.in_order(graphs, MOST_EDGES[net.line_graph]):
            made = loop.moved(flat.batch(graphs, run, net.line_graph), place)
            found.append((net.site_values(made) if sites else net(made)).float().cpu().numpy())
    return np.concatenate(found or [np.zeros((0, net.outputs)[: 1 + (net.outputs > 1)], np.float32)])
