"""Lewis structures and the parts that a break leaves: known molecules, charges, and no influence of order."""

import numpy as np
import pandas as pd
import pytest
from matlens.learn import features
from matlens.molecule import bonds, fragments, lewis, reactions
from matlens.predict import tabular


def fewest(smiles: str, charge: int | None = None) -> int:
    made = bonds.parsed(smiles)
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in made.GetBonds()]
    symbols = [atom.GetSymbol() for atom in made.GetAtoms()]
    return lewis.unpaired(symbols, ends, bonds.charge(made) if charge is None else charge)


@pytest.mark.parametrize(
    ("smiles", "charge", "electrons"),
    [
        ("CCO", 0, 0), ("c1ccccc1C", 0, 0), ("C=CC=C", 0, 0), ("C#N", 0, 0), ("C[N+](=O)[O-]", 0, 0),
        ("CS(=O)(=O)C", 0, 0), ("OP(=O)(O)O", 0, 0), ("CN=[N+]=[N-]", 0, 0), ("[Li]F", 0, 0),
        ("[CH3]", 0, 1), ("[CH2]C=C", 0, 1), ("[O][O]", 0, 0), ("[NH2]", 0, 1), ("[CH2]CC[CH2]", 0, 2),
        ("[CH3]", 1, 0), ("[CH3]", -1, 0), ("[H]", 1, 0), ("[H]", -1, 0), ("[NH4+]", 1, 0), ("C[OH2+]", 1, 0),
        ("CC(=O)[O-]", -1, 0), ("CC", 1, 1), ("C[CH]C", 1, 0), ("[CH2]C=C", -1, 0),
    ],
)  # fmt: skip
def test_the_fewest_unpaired_electrons_are_those_of_the_lewis_structure(smiles, charge, electrons):
    assert fewest(smiles, charge) == electrons


def of(smiles: str, products: list[str]) -> dict:
    whole, given = bonds.parsed(smiles), [bonds.parsed(one) for one in products]
    found = reactions.found(whole, bonds.broken(whole, given), given)
    return dict(zip(fragments.names(), fragments.described(found), strict=True))


def test_a_break_is_described_by_its_parts_whatever_their_order():
    homolytic = of("CCO", ["C[CH2]", "[OH]"])
    assert (homolytic["electrons that unpair"], homolytic["charge that moves apart"]) == (2, 0)
    assert homolytic["more positive part: atoms of O"] == 1  # of equal charges, the more electronegative end is last
    ions = of("CCO", ["C[CH2+]", "[OH-]"])
    assert (ions["electrons that unpair"], ions["charge that moves apart"]) == (0, 2)
    assert ions["more negative part: atoms of O"] == 1 and ions["more positive part: charge"] == 1
    assert of("CCO", ["[OH-]", "C[CH2+]"]) == ions == of("OCC", ["C[CH2+]", "[OH-]"])
    assert of("CCO", ["[OH+]", "C[CH2-]"]) != ions
    assert of("[CH2]CO", ["C=C", "[OH]"])["electrons that unpair"] == 0  # a double bond takes the electron


def test_a_ring_that_opens_counts_twice_as_one_part():
    ring = of("C1CCC1", ["[CH2]CC[CH2]"])
    assert ring["in ring"] == 1 and ring["electrons that unpair"] == 2
    assert ring["more negative part: atoms"] == ring["more positive part: atoms"] == ring["whole: atoms"] == 12
    assert np.isfinite(list(ring.values())).all()


@pytest.mark.parametrize("smiles", ["CCO", "[CH3]", "C[CH]C", "[Li]F", "CS(=O)(=O)C", "[C]#C", "[O]C=O", "ClC=C"])
def test_electrons_are_unpaired_in_even_numbers_where_their_number_is_even(smiles):
    made = bonds.parsed(smiles)
    for charge in (-1, 0, 1):
        electrons = sum(atom.GetAtomicNum() for atom in made.GetAtoms()) - charge
        assert fewest(smiles, charge) % 2 == electrons % 2


def test_the_parts_are_features_of_a_study():
    index = pd.DataFrame({"item": ["a"], "broken_bond": ["[CH3:1][OH:2]"], "charge_e": [0]})
    index = index.assign(charge_1_e=[1.0], charge_2_e=[-1.0])
    made = features.build(index, {}, ["fragments.broken_bond"])
    assert made.loc["a", "fragments.broken_bond: charge that moves apart"] == 2
    assert made.loc["a", "fragments.broken_bond: more negative part: atoms of O"] == 1


def test_boosted_trees_follow_the_loss_that_is_named():
    x, y = np.zeros((9, 1)), np.array([0.0] * 6 + [9.0] * 3)
    found = {one: tabular.gradient_boosting(loss=one, trees=300).fit(x, y).predict(x)[0] for one in ("mse", "l1")}
    assert abs(found["mse"] - 3.0) < 1e-6 and abs(found["l1"]) < 1e-6  # the mean and the median
