"""The stage where every item was rejected."""

import pandas as pd
from matlens.fields import report


def test_quality_without_items_has_scores_without_rows():
    names = ["item", "split", "field", "measure", "value", "control"]
    found = report.scores(pd.DataFrame([], columns=names))
    assert len(found) == 0
    assert {"split", "field", "measure", "items", "mean", "below_linear_kernel"} <= set(found.columns)
