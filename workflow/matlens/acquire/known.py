"""The oracle of a known set: the verdict on a candidate stands in the index."""

import numpy as np

from matlens import columns
from matlens.learn import features


def judge(candidates, index, *, names: list[str]):
    """Look the values of candidates up; one without a value has failed.

    `candidates`: DataFrame of a round. `index`: DataFrame of all items. `names`: the columns that are asked for.
    Returns a DataFrame: round, replicate, item, status, reason and a column per name.
    """
    table = index.set_index(columns.ITEM).loc[candidates[columns.ITEM]]
    made = candidates[["round", "replicate", columns.ITEM]].reset_index(drop=True)
    values = {name: features.numeric(table, name, "acquire: index").to_numpy() for name in names}
    whole = np.isfinite(np.stack([np.ones(len(made)), *values.values()])).all(axis=0)
    made["status"] = np.where(whole, "accepted", "failed")
    made["reason"] = np.where(whole, "known value", "the index has no value")
    return made.assign(**values)
