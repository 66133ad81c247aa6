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


def test_remarks_that_differ_in_numbers_are_one_and_count_their_items_over_tables():
    sizes = pd.DataFrame(
        {"item": ["a", "a", "b", "c"], "method": "grains", "remark": ["9.5 of 10", "9.5 of 10", "7 of 10", ""]}
    )
    fractions = pd.DataFrame({"item": ["d", "e"], "method": "grains", "remark": ["1 of 10", None]})
    first, second = html.digest([sizes[:1], sizes[1:]]), html.digest([fractions])
    assert html.remarks([first, second, html.digest([sizes.drop(columns="remark")])]) == [
        {"method": "grains", "text": "9.5 of 10", "count": 3, "items": ["a", "b", "d"]}
    ]
    with_other = html.digest([fractions.assign(method="otsu", remark="one peak")])
    assert [(one["method"], one["count"]) for one in html.remarks([first, with_other])] == [("grains", 2), ("otsu", 2)]


def test_a_remark_of_labels_is_not_repeated_with_those_of_their_measures():
    bright = "its bright lines are stronger; see the overlay"
    labels = pd.DataFrame({"item": ["a", "b"], "method": "grains", "remark": bright})
    measure = pd.DataFrame(
        {"item": ["a", "b"], "method": "grains", "remark": [f"{bright}; 4.8 grains a field", bright]}
    )
    assert [(one["text"], one["count"]) for one in html.remarks([html.digest([labels]), html.digest([measure])])] == [
        (bright, 2),
        ("4.8 grains a field", 1),
    ]
