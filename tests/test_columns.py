"""Micrometres beside pixels, and never instead of an unknown scale."""

import numpy as np
import pandas as pd
from matlens import columns
from matlens.column_meanings import MEANING

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
