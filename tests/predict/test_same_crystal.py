"""Own networks and features give one answer for a crystal, however its cell is written."""

import numpy as np
import pandas as pd
import pytest
from matlens import connect, registry
from matlens.crystal import graphs
from matlens.crystal import structures as crystals
from matlens.learn import graphs as lessons
from matlens.nets import CRYSTAL_NETS, GRAPHS
from matlens.predict import descriptors, structures

HALF = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
CRYSTALS = {
    "CsCl": (4.12 * np.eye(3), [55, 17], [[0] * 3, [0.5] * 3]),
    "SrTiO3": (3.905 * np.eye(3), [38, 22, 8, 8, 8], [[0] * 3, [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]),
    "fluorite": (5.46 * np.eye(3), [20] * 4 + [9] * 8, np.vstack([HALF, HALF + 0.25, HALF + 0.75])),
    "MoS2": (
        [[3.16, 0, 0], [-1.58, 2.7366, 0], [0, 0, 12.3]], [42, 42, 16, 16, 16, 16],
        [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75], [1 / 3, 2 / 3, 0.621], [2 / 3, 1 / 3, 0.121],
         [1 / 3, 2 / 3, 0.879], [2 / 3, 1 / 3, 0.379]],
    ),
    "triclinic": (
        [[5.1, 0, 0], [1.2, 6.3, 0], [-0.9, 1.7, 7.2]], [26, 8, 8, 14],
        [[0.1, 0.2, 0.3], [0.4, 0.15, 0.62], [0.7, 0.8, 0.1], [0.35, 0.6, 0.9]],
    ),
}  # fmt: skip
CELLS = {  # new vectors as whole numbers of the old ones, a shift of the origin, a seed of the order of atoms
    "as it is": (np.eye(3), 0.0, None),
    "turned and reordered": ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], 0.137, 3),
    "sheared": ([[1, 0, 0], [3, 1, 0], [0, 0, 1]], 0.0, None),
    "sheared twice": ([[1, 2, 0], [0, 1, 0], [4, 1, 1]], 0.01, 1),
    "sheared along the layers": ([[1, 0, 2], [0, 1, 0], [0, 0, 1]], 0.0, None),
    "left-handed": ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], 0.0, 2),
    "doubled": ([[2, 0, 0], [0, 1, 0], [0, 0, 1]], 0.25, 5),
    "tripled": ([[1, 1, 0], [-1, 2, 0], [0, 0, 1]], 0.05, 7),
}


def rewritten(cell, species, frac, basis, shift: float, seed: int | None) -> crystals.Crystal:
    """Write a crystal in the cell whose vectors are whole numbers of its own."""
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    places = ((np.array(frac) + steps) @ np.linalg.inv(basis)).reshape(-1, 3)
    inside = ((places > -1e-9) & (places < 1 - 1e-9)).all(axis=1)
    places, kinds = places[inside] + shift, np.tile(species, len(steps))[inside]
    assert len(places) == round(abs(np.linalg.det(basis))) * len(frac)
    order = np.arange(len(places)) if seed is None else np.random.default_rng(seed).permutation(len(places))
    return crystals.Crystal(
        np.array(basis) @ np.array(cell), kinds.astype(np.uint8)[order], (places - np.floor(places))[order]
    )


def connected(name: str, method: str) -> graphs.Graphs:
    found = [rewritten(*CRYSTALS[name], *how) for how in CELLS.values()]
    packed = crystals.to_arrays(crystals.pack(range(len(found)), list(CELLS), found))
    edges = [registry.load(connect.METHODS, method)(one.cell, one.frac) for one in found]
    return graphs.from_arrays(packed | connect.stack(edges, method))


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("method", sorted(CRYSTAL_NETS))
def test_every_network_gives_one_number(method, name):
    import torch

    torch.manual_seed(0)
    found = lessons.answers(lessons.build(method, {}), connected(name, GRAPHS[method]), "cpu")
    np.testing.assert_allclose(found, found[0], atol=3e-5 * max(1.0, abs(found[0])))


@pytest.mark.parametrize("name", CRYSTALS)
def test_every_feature_of_a_structure_is_one_number(name):
    found = connected(name, "knn")
    assert len(np.unique(found.atoms)) == 3  # the cells hold one, two and three times the atoms
    np.testing.assert_allclose(descriptors.structure(found), descriptors.structure(found)[:1].repeat(len(found), 0))
    index = pd.DataFrame({"formula": [name.replace("fluorite", "CaF2").replace("triclinic", "FeO2Si")] * len(found)})
    features = structures.described(found, index)
    np.testing.assert_allclose(features, features[:1].repeat(len(found), 0), atol=1e-6)


def test_the_widest_layer_is_found_whatever_the_cell():
    """Layers of MoS2 are 2.98 angstrom apart; a plane (2 0 1) of the sheared cell lies between them."""
    gaps = descriptors.gaps(connected("MoS2", "knn"))
    np.testing.assert_allclose(gaps, (0.621 - 0.379) * 12.3, rtol=1e-6)


@pytest.mark.parametrize("method", sorted(CRYSTAL_NETS))
def test_the_answer_for_a_crystal_has_the_same_bits_whatever_else_is_in_the_batch(method):
    """Shards change nothing: six crystals, all in one batch, and each alone."""
    import torch

    torch.manual_seed(0)
    found = [rewritten(*CRYSTALS[name], *how) for name in ("CsCl", "triclinic") for how in list(CELLS.values())[:3]]
    packed = crystals.to_arrays(crystals.pack(range(6), list("abcdef"), found))
    edges = [registry.load(connect.METHODS, GRAPHS[method])(one.cell, one.frac) for one in found]
    small = {"alignn": {"width": 32, "embedding": 16, "alignn_layers": 1, "gcn_layers": 1}}.get(method, {})
    every, net = graphs.from_arrays(packed | connect.stack(edges, GRAPHS[method])), lessons.build(method, small)
    alone = [lessons.answers(net, graphs.taken(every, np.array([k])), "cpu") for k in range(6)]
    np.testing.assert_array_equal(lessons.answers(net, every, "cpu"), np.concatenate(alone))
