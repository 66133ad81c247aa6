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


def test_notes_on_scale_and_grey_values_and_remarks_of_every_table_are_in_the_summary(tmp_path):
    from matlens.report import contents

    notes = {"scale_note": [None, "200 um per pixel along x is implausible"], "grey_note": ["3 % white (255)", None]}
    tables = {
        "items": pd.DataFrame(
            {"item": ["a", "b"], "key": [0, 1], "axes": "yx", "height_px": 8, "width_px": 8, **notes}
        ),
        "sphere_sizes": pd.DataFrame({"item": ["a"], "method": "otsu", "remark": "one peak; noise of 12 sections"}),
        "fractions": pd.DataFrame({"item": ["a"], "method": "otsu", "remark": "one peak"}),
        "effective": pd.DataFrame({"item": ["b"], "method": "fft", "remark": "one peak; stiffer than diamond"}),
        "rejected": pd.DataFrame({"item": ["c"], "stage": "ingest", "reason": "broken", "remark": "none"}),
    }
    paths = {name: str(tmp_path / f"{name}.csv") for name in tables}
    for name, table in tables.items():
        table.to_csv(paths[name], index=False)
    content = {
        "tables": paths,
        "figures": {},
        "overlays": {},
        "settings": {},
        "entries": {},
        "cited": [],
        "methods": {},
    }
    found = contents.of_study("none", content)["remarks"]
    assert {(one["method"], one["text"], *one["items"]) for one in found} == {
        ("", "200 um per pixel along x is implausible", "b"),
        ("", "3 % white (255)", "a"),
        ("otsu", "one peak", "a"),
        ("otsu", "noise of 12 sections", "a"),
        ("fft", "stiffer than diamond", "b"),
    }
