"""The engine of a known set: the verdict on a candidate stands in the index."""

import numpy as np

from matlens import columns
from matlens.learn import features
from matlens.validate import ACCEPTED, FAILED, PENDING, TABLES, verdicts

ENGINE, BY_HAND = TABLES
LACKING = "the index has no value; oracle: measured waits until it is filled in"
AWAITED = "not measured yet: fill in {} in its row of the table, and run again"


def measured(items, *, quantities: list[str]):
    """Look up the values of candidates in the index; one without a value is pending: it is to be measured next.

    As `validate`; the reason of a pending verdict names the columns to fill in.
    """
    found, _ = validate(items, quantities=quantities)
    values = found.pivot(index=columns.ITEM, columns="quantity", values="value").isna()
    lacks = {item: ", ".join(name for name in quantities if row[name]) for item, row in values.iterrows()}
    reasons = zip(found[columns.ITEM], found["reason"], strict=True)
    why = [AWAITED.format(lacks[item]) if lacks[item] else known for item, known in reasons]
    return found.assign(engine=BY_HAND, status=found["status"].replace(FAILED, PENDING), reason=why), None


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
            "reason": "known value" if good else LACKING,
        }
        for item, good, row in zip(items[columns.ITEM], whole, values, strict=True)
        for name, value in zip(quantities, row, strict=True)
    ]  # fmt: skip
    return verdicts.table(rows), None
