"""Scores of groups of items, such as materials: the IoU of pooled pixels, its mean over the groups and its worst."""

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem

ALL = "mean", "worst"


def fit(scores, index, *, by: str = "group"):
    """Pool the pixels of every group and average; a row per group, then the mean and the worst of all groups.

    `scores`, `index`: tables of the study; `by`: column of the index that names the group. Items that a trained method
    learned from are left out where others are left. `mean_iou` is the mean of the IoU of all phases that the labels or
    the truth of a group have. Raises BadItem without scores, or where the index has no such column.
    """
    import pandas as pd

    if by not in index:
        raise BadItem(f"the index has no column '{by}'; name one that says which group an item is of")
    if "intersection_pixels" not in scores:
        raise BadItem("no item has a truth; nothing can be scored")
    split = scores.get(columns.SPLIT, pd.Series("", index=scores.index)).fillna("")
    judged = scores[~split.isin(["train", "val"])] if (~split.isin(["train", "val"])).any() else scores
    table = judged[judged[columns.PHASE] >= 0].merge(index[[columns.ITEM, by]], on=columns.ITEM)
    sums = table.groupby([by, columns.PHASE])[["intersection_pixels", "union_pixels"]].sum()
    ratio = (sums["intersection_pixels"] / sums["union_pixels"].replace(0, np.nan)).rename("iou").reset_index()
    mean = ratio.groupby(by)["iou"].mean()
    count = table.groupby(by)[columns.ITEM].nunique()
    rows = [{"score_group": str(name), "items": int(count[name]), "mean_iou": float(mean[name])} for name in mean.index]
    both = (float(mean.mean()), float(mean.min()))
    rows += [
        {"score_group": name, "items": int(count.sum()), "mean_iou": value}
        for name, value in zip(ALL, both, strict=True)
    ]
    return pd.DataFrame(rows)
