"""The engine of a known set: the verdict on a candidate stands in the index."""

import numpy as np

from matlens import columns
from matlens.learn import features
from matlens.validate import ACCEPTED, FAILED, verdicts

ENGINE = "index"


def validate(items, *, quantities: list[str]):
    """Look up the values of candidates in the index; a candidate without a value has failed.

    items: DataFrame of the candidates with all columns of the index. quantities: the columns that are looked up.
    Returns the table of verdicts and None, as it computes no equilibria.
    """
    values = np.stack([features.numeric(items, name, "acquire: index").to_numpy(float) for name in quantities], axis=1)
    whole = np.isfinite(values).all(axis=1)
    rows = [
        {
            "item": item, "engine": ENGINE, "status": ACCEPTED if good else FAILED, "quantity": name, "value": value,
            "unit": "", "uncertainty": np.nan, "predicted": np.nan, "checksum": "",
            "reason": "known value" if good else "the index has no value",
        }
        for item, good, row in zip(items[columns.ITEM], whole, values, strict=True)
        for name, value in zip(quantities, row, strict=True)
    ]  # fmt: skip
    return verdicts.table(rows), None
