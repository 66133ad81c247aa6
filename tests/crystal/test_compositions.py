"""Compositions: parsed as pymatgen does, described as matminer does."""

import numpy as np
import pytest
from matlens.crystal import compositions

FORMULAS = ["Ni3Al", "SrTiO3", "Fe0.7Cr0.2Ni0.1", "NaCl", "Si", "CaCO3", "U2Xe", "La2CuO4", "NiAl", "Si", "HfNbTaTiZr"]


def test_the_statistics_are_those_of_matminer():
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Composition

    peer = ElementProperty.from_preset("magpie", impute_nan=True)
    expected = [peer.featurize(Composition(formula)) for formula in FORMULAS]
    np.testing.assert_allclose(compositions.magpie(FORMULAS), expected, atol=1e-9)
    assert compositions.magpie_names() == peer.feature_labels()


def test_parsed_fractions_sum_to_one_and_are_padded_with_zero():
    numbers, fractions = compositions.parse(["Ni3Al", "Si"])
    assert numbers.tolist() == [[28, 13], [14, 0]]
    np.testing.assert_allclose(fractions, [[0.75, 0.25], [1.0, 0.0]])


@pytest.mark.parametrize("formula", ["", "Qx2", "(", "nan"])
def test_what_is_no_formula_is_named(formula):
    with pytest.raises(ValueError, match="composition"):
        compositions.magpie(["NaCl", formula])


def test_no_compositions_have_no_rows():
    assert compositions.magpie([]).shape == (0, 132)


def test_a_dense_table_has_a_column_for_each_element_that_occurs():
    present, table = compositions.dense(*compositions.parse(["Ni3Al", "Si", "AlNi"]))
    assert present.tolist() == [13, 14, 28]
    np.testing.assert_allclose(table, [[0.25, 0, 0.75], [0, 1, 0], [0.5, 0, 0.5]])
    assert compositions.dense(*compositions.parse([]))[1].shape == (0, 0)
