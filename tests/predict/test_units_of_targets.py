"""A target in another unit is learned as well: 1e-12 m2 of a permeability are no constant."""

import numpy as np
import pytest
from matlens.acquire import criteria
from matlens.predict import blend, crystal_networks, ensembles, magpie, tabular

UNITS = [2.0**-60, 2.0**-40, 2.0**40]  # exact, so that equal means equal
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, 0] + 0.3 * X[:, 1] ** 2


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", ["random_forest", "extra_trees", "gradient_boosting", "kernel_ridge", "svr", "ridge"])
def test_tables(name, unit):
    make = getattr(tabular, name)
    options = {"trees": 5} if name.endswith(("forest", "trees", "boosting")) else {}
    usual = make(**options).fit(X, Y).predict(X)
    assert np.std(usual) > 0.1
    np.testing.assert_allclose(make(**options).fit(X, Y * unit).predict(X) / unit, usual, rtol=1e-9)


@pytest.mark.parametrize("unit", UNITS)
def test_compositions(unit):
    formulas = [f"Ni{100 - k}Al{k}" for k in range(1, 40)]
    y = np.sqrt(np.arange(1.0, 40.0))
    usual, found = (magpie.magpie_forest(formulas, y * one, formulas, trees=10) for one in (1.0, unit))
    for one, other in zip(usual, found, strict=True):
        np.testing.assert_allclose(np.asarray(other) / unit, one, rtol=1e-9)


@pytest.mark.parametrize("unit", UNITS)
def test_blends_intervals_and_acquisition(unit):
    held = RNG.normal(size=(100, 3))
    y = held @ [0.3, 0.7, 0.0] + RNG.normal(0, 0.1, 100)
    np.testing.assert_allclose(blend.blend(y * unit, held * unit), blend.blend(y, held), atol=1e-6)
    usual, found = (ensembles.calibrate(np.abs(y) * one, np.abs(held[:, 0])) for one in (1.0, unit))
    np.testing.assert_allclose(found["ratios"], usual["ratios"], rtol=1e-2, atol=2e-4)
    np.testing.assert_allclose(np.array(found["scales"]) / unit, usual["scales"], rtol=1e-3)
    improvement = [criteria.expected_improvement(y * one, np.full(100, 0.2 * one), 0.1 * one) for one in (1.0, unit)]
    np.testing.assert_allclose(improvement[1] / unit, improvement[0], rtol=1e-9)


@pytest.mark.parametrize(("y", "spread"), [(Y * 2.0**-60, Y.std() * 2.0**-60), (1e6 + Y * 1e-4, Y.std() * 1e-4)])
def test_networks_learn_a_target_of_any_scatter(y, spread):
    assert crystal_networks.scales(y[:, None], np.arange(60))[1].item() == pytest.approx(spread, rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 3.0, 1e-12])
def test_targets_that_are_all_alike_have_a_small_scatter(value):
    assert 0 < crystal_networks.scales(np.full((5, 1), value), np.arange(5))[1].item() <= 1e-6 * (value or 1.0)
