"""BonDNet as a method: groups stay together, intervals come from held-out molecules, a run repeats to the bit."""

import numpy as np
import pytest
from matlens.molecule import bonds
from matlens.predict import molecules

BONDS = 3


def reactions(count: int):
    """Break the first bonds of alcohols CnH2n+1OH; the energy is the number of heavy atoms, 10 more for C-O."""
    texts, y, groups = [], [], []
    for size in range(2, count):
        whole = bonds.parsed("C" * size + "O")
        for bond in list(whole.GetBonds())[:BONDS]:
            ends = {bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()}
            texts.append(bonds.marked(whole, bond))
            y.append(size + 10.0 * (ends == {"C", "O"}))
            groups.append(size)
    return np.array(texts), np.array(y), np.array(groups)


@pytest.mark.slow
def test_bondnet_learns_and_repeats():
    texts, y, groups = reactions(14)
    test = groups == 7
    given = {"network": molecules.Network(layers=2, width=16, steps=2), "epochs": 30, "batch": 8, "device": "cpu"}
    first, again = (molecules.bondnet(texts[~test], y[~test], groups[~test], texts[test], **given) for _ in range(2))
    np.testing.assert_array_equal(first.predicted, again.predicted)
    assert set(groups[~test][first.held]).isdisjoint(groups[~test][np.setdiff1d(np.arange((~test).sum()), first.held)])
    error = np.abs(first.predicted - y[test]).mean()
    assert error < 0.6 * np.abs(y[~test].mean() - y[test]).mean()
    assert first.half > 0 and len(first.history) == 30
