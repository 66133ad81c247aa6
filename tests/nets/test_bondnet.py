"""BonDNet: its answer does not depend on the order of atoms, bonds and products, and tells charges apart."""

import numpy as np
import pytest
import torch
from matlens.molecule import graphs, reactions
from matlens.nets.molecule.bondnet import BonDNet
from matlens.predict import molecules

MARKED = ["[CH3:1][CH2:2]O", "[O:1](C(C)=O)[CH2:2]c1ccccc1", "[NH3+:1][CH3:2]", "C1[CH2:1][CH2:2]1"]


def tensors(made) -> dict:
    return {k: torch.as_tensor(v) if isinstance(v, np.ndarray) else v for k, v in graphs.batch(made).items()}


def shuffled(graph: graphs.Graph, seed: int) -> graphs.Graph:
    """Renumber atoms and bonds, turn the bonds round, and exchange the products."""
    rng = np.random.default_rng(seed)
    atoms, bonds = rng.permutation(len(graph.atoms)), rng.permutation(len(graph.bonds))
    part, charges = graph.part[atoms], graph.charges
    if len(charges) == 2:
        part, charges = 1 - part, charges[::-1].copy()
    return graph._replace(
        atoms=graph.atoms[atoms],
        bonds=graph.bonds[bonds],
        ends=np.argsort(atoms)[graph.ends][bonds][:, ::-1].copy(),
        masses=graph.masses[atoms],
        broken=int(np.argsort(bonds)[graph.broken]),
        part=part,
        charges=charges,
    )


@pytest.fixture
def net():
    torch.manual_seed(0)
    return BonDNet(inputs=(graphs.ATOM, graphs.BOND, graphs.WHOLE), layers=2, width=16).eval()


def answers(net, made) -> np.ndarray:
    with torch.no_grad():
        return net(tensors(made)).numpy()


def test_the_order_of_atoms_bonds_and_products_has_no_influence(net):
    made = [graphs.of_reaction(reactions.of_marked(text)) for text in MARKED]
    first = answers(net, made)
    for seed in range(3):
        assert answers(net, [shuffled(graph, seed) for graph in made]) == pytest.approx(first, abs=1e-5)
    alone = np.concatenate([answers(net, [graph]) for graph in made])
    assert alone == pytest.approx(first, abs=1e-5)
    assert np.ptp(first) > 1e-4


def test_charges_of_the_products_are_told_apart(net):
    ends = [(0, 0), (1, -1), (-1, 1), (2, -2), (-2, 2)]
    made = [graphs.of_reaction(reactions.Reaction(MARKED[0], 0, pair)) for pair in ends]
    assert min(np.diff(np.sort(answers(net, made)))) > 1e-5


def test_the_answer_for_a_reaction_has_the_same_bits_whatever_else_is_in_the_batch(net):
    made = [graphs.of_reaction(reactions.of_marked(text)) for text in MARKED]
    alone = np.concatenate([molecules._answers(net, [graph], "cpu") for graph in made])
    np.testing.assert_array_equal(molecules._answers(net, made * 3, "cpu"), np.tile(alone, 3))
