"""Micrometres beside pixels, and never instead of an unknown scale."""

import pkgutil
from collections import Counter
from importlib import import_module

import numpy as np
import pandas as pd
from matlens import columns, meanings
from matlens.meanings import MEANING

TABLE = pd.DataFrame({"area_px2": [4.0], "feret_max_px": [3.0], "number_density_per_px2": [0.5], "solidity": [0.9]})


def test_calibrate_scales_by_the_power_of_the_unit():
    found = columns.calibrate(TABLE, 0.5)
    assert found["area_um2"].item() == 1.0
    assert found["feret_max_um"].item() == 1.5
    assert found["number_density_per_um2"].item() == 2.0
    assert "solidity_um" not in found


def test_an_unknown_pixel_size_leaves_micrometres_empty():
    found = columns.calibrate(TABLE, None)
    assert found["area_px2"].item() == 4.0
    assert np.isnan(found["area_um2"].item())


def test_every_column_constant_has_a_meaning():
    names = [value for name, value in vars(columns).items() if name.isupper() and isinstance(value, str)]
    assert set(names) <= set(MEANING)


def test_a_column_has_one_meaning():
    """Of two, the report would show the one that is joined last."""
    parts = [import_module(f"matlens.meanings.{part.name}").MEANING for part in pkgutil.iter_modules(meanings.__path__)]
    counts = Counter(name for part in parts for name in part)
    assert [name for name, count in counts.items() if count > 1] == [] and set(counts) == set(MEANING)
