"""Values that candidates are ranked by: of pretrained models, of methods that a study learned, and of the index."""

from collections.abc import Iterable

import numpy as np

from matlens import columns
from matlens.learn import features
from matlens.learn.intervals import NORMAL_90


def gathered(properties: Iterable, predictions, target: str, index, names: Iterable[str]):
    """Concatenate the values of all properties, one row per item and property, see `criteria.wide`.

    properties: tables of pretrained models, which give every property but `target` where there are `predictions`, the
    table of a cross-validated method, or None. Names that nothing predicts are columns of the index.
    """
    import pandas as pd

    parts = list(properties)
    if predictions is not None:
        parts = [table[table["property"] != target] for table in parts] + [of_predictions(predictions, target)]
    known = {name for table in parts for name in table["property"].unique()}
    parts += [of_index(index, name) for name in names if name not in known and name in index]
    if not parts:
        parts = [of_index(index, name) for name in names]  # says which columns there are
    return pd.concat([table for table in parts if len(table)] or parts[:1], ignore_index=True)


def of_predictions(found, target: str):
    """Make the rows of a property out of cross-validated predictions: the mean over the folds of each item.

    A standard deviation that is not known is that of a normal distribution with the 90 % interval.
    """
    import pandas as pd

    half = (found["high_90"] - found["low_90"]) / 2 / NORMAL_90
    std = found["std"].fillna(half) if "std" in found else half
    unseen = found["unseen_elements"].fillna("") if "unseen_elements" in found else ""
    # Sorted, so that the last text of an item is its largest: max of texts is a slow loop over the items.
    ordered = found.assign(std=std, unseen_elements=unseen).sort_values("unseen_elements", kind="stable")
    rows = ordered.groupby(columns.ITEM, sort=True)
    numbers = rows[["predicted", "std"]].mean()
    unseen, outside = rows["unseen_elements"].last(), rows["outside_training_range"].any()
    return pd.concat([numbers, unseen, outside], axis=1).reset_index().assign(property=target)


def of_index(index, name: str):
    """Make the rows of a property that is a column of the index: a known value without an uncertainty."""
    import pandas as pd

    return pd.DataFrame(
        {
            columns.ITEM: index[columns.ITEM].astype(str),
            "property": name,
            "predicted": features.numeric(index, name, "screen.properties: index"),
            "std": np.nan,
            "unseen_elements": "",
            "outside_training_range": False,
        }
    )
