"""The summary of the report: means of the main quantities by method."""

import numpy as np
import pandas as pd
from matlens.report import html


def test_grain_sizes_are_averaged_by_procedure_without_their_directions():
    rows = [("lines", np.nan, 10.0), ("lines", 0, 1.0), ("lines", 90, 100.0), ("circles", np.nan, 12.0)]
    frame = pd.DataFrame(rows, columns=["procedure", "direction_deg", "mean_lineal_intercept_px"])
    frame = frame.assign(method="otsu", item="a", mean_lineal_intercept_um=np.nan)
    found = html.averages("grain_size", [frame, frame.assign(item="b", mean_lineal_intercept_px=20.0)])["otsu"]
    assert {what: value[0] for what, value in found.items()} == {
        "mean lineal intercept / px: lines": 15.0,
        "mean lineal intercept / px: circles": 16.0,
    }
