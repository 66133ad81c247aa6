"""BonDNet: its answer does not depend on the order of atoms, bonds and products, and it learns."""

import numpy as np
import pytest
import torch
from matlens.molecule import graphs
from matlens.nets.molecule.bondnet import BonDNet

MARKED = ["[CH3:1][CH2:2]O", "[O:1](C(C)=O)[CH2:2]c1ccccc1", "[NH3+:1][CH3:2]", "C1[CH2:1][CH2:2]1"]


def tensors(made) -> dict:
    return {k: torch.as_tensor(v) if isinstance(v, np.ndarray) else v for k, v in graphs.batch(made).items()}


def shuffled(graph: graphs.Graph, seed: int) -> graphs.Graph:
    """Renumber atoms and bonds, and turn the bonds round."""
    rng = np.random.default_rng(seed)
    atoms, bonds = rng.permutation(len(graph.atoms)), rng.permutation(len(graph.bonds))
    ends = np.argsort(atoms)[graph.ends][bonds][:, ::-1]
    return graphs.Graph(graph.atoms[atoms], graph.bonds[bonds], graph.whole, ends, int(np.argsort(bonds)[graph.broken]))


def test_the_order_of_atoms_bonds_and_products_has_no_influence():
    torch.manual_seed(0)
    net = BonDNet(inputs=(graphs.ATOM, graphs.BOND, graphs.WHOLE), layers=2, width=16).eval()
    made = [graphs.of_marked(text) for text in MARKED]
    with torch.no_grad():
        first = net(tensors(made)).numpy()
        for seed in range(3):
            again = net(tensors([shuffled(graph, seed) for graph in made])).numpy()
            assert again == pytest.approx(first, abs=1e-5)
        alone = np.concatenate([net(tensors([graph])).numpy() for graph in made])
    assert alone == pytest.approx(first, abs=1e-5)
    assert np.ptp(first) > 1e-4
