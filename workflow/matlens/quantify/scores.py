"""Labels against the ground truth: overlap of phases, and of regions one by one."""

import numpy as np

from matlens.image.phase_maps import UNLABELLED, phase_map
from matlens.job.batch import BadItem

MEAN = -1
EXCHANGED = 0.5  # difference of mean IoU by which two phases are better the other way round


def measure(labels: np.ndarray, truth: np.ndarray | None, phases: list[str], split: str = ""):
    """Score labels against the truth: a row per phase, one of their mean (phase -1), none where there is no truth.

    Both are uint8 phase maps (255 is not labelled) or int32 region maps (a region is phase 1, -1 not labelled). Pixels
    that the truth does not label count nowhere; pixels that only the labels leave out are wrong. Per phase: IoU = TP /
    (TP + FP + FN), Dice = 2 TP / (2 TP + FP + FN), precision = TP / (TP + FP), recall = TP / (TP + FN). A ratio of
    nothing to nothing is empty and stays out of the mean: a phase that neither shows has no IoU. A remark says where
    two phases are exchanged. `intersection_pixels` (TP) and `union_pixels` (TP + FP + FN) of many items may be summed
    for a pooled IoU. The row of the mean has the part of pixels that are right and, when both are region maps,
    the scores of `matched`. `split` says what the item was to the method: "train", "val", "test", or nothing where the
    method does not learn.
    """
    import pandas as pd

    from matlens import columns

    if truth is None:
        return pd.DataFrame()
    if truth.shape != labels.shape:
        raise BadItem(
            f"the truth is of shape {truth.shape}, the labels of {labels.shape}; give a truth of the image's size"
        )
    table = confusion(phase_map(labels, phases), phase_map(truth, phases), len(phases))
    both = np.diag(table)
    found, there = table.sum(0)[: len(phases)], table.sum(1)
    frame = pd.DataFrame(
        {
            columns.PHASE: np.arange(len(phases)),
            columns.PHASE_NAME: phases,
            "iou": _ratio(both, found + there - both),
            "dice": _ratio(2 * both, found + there),
            "precision": _ratio(both, found),
            "recall": _ratio(both, there),
            "area_fraction_labels": _ratio(found, table.sum()),
            "area_fraction_truth": _ratio(there, table.sum()),
            "intersection_pixels": both,
            "union_pixels": found + there - both,
        }
    )
    means = frame[["iou", "dice", "precision", "recall"]].mean()
    mean = {
        columns.PHASE: MEAN,
        columns.PHASE_NAME: "mean",
        **means,
        "area_fraction_labels": np.nan,
        "area_fraction_truth": np.nan,
        "intersection_pixels": both.sum(),
        "union_pixels": (found + there - both).sum(),
    }
    frame = pd.concat([frame, pd.DataFrame([mean])], ignore_index=True)
    last = len(frame) - 1
    frame["pixel_accuracy"] = np.where(frame.index == last, _ratio(both.sum(), table.sum()), np.nan)
    instances = (
        matched(labels, truth) if labels.dtype == truth.dtype == np.int32 else dict.fromkeys(INSTANCE_COLUMNS, np.nan)
    )
    for name, value in instances.items():
        frame[name] = np.where(frame.index == last, value, np.nan)
    remark = _exchanged(table)
    return frame.assign(**{columns.SPLIT: split, **({columns.REMARK: remark} if remark else {})})


def _exchanged(table: np.ndarray) -> str | None:
    """Return a remark if the labels of two phases agree far better with the truth the other way round.

    table: see `confusion`.
    """
    if len(table) != 2:
        return None
    there, found, means = table.sum(1), table.sum(0)[:2], []
    for order in ([0, 1], [1, 0]):
        both = table[[0, 1], order]
        means.append(float(_ratio(both, there + found[order] - both).mean()))
    if not means[1] - means[0] > EXCHANGED:
        return None
    return (
        f"its two phases are exchanged: the mean IoU is {means[0]:.2f}, and {means[1]:.2f} the other way round; "
        "see the options foreground and phase_of_class"
    )


def _ratio(part, whole) -> np.ndarray:
    """Divide counts; nothing over nothing is NaN."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def confusion(labels: np.ndarray, truth: np.ndarray, phases: int) -> np.ndarray:
    """Count pixels by phase in the truth (rows) and in the labels (columns; the last for those not labelled)."""
    here = truth.ravel() != UNLABELLED
    found = np.minimum(labels.ravel()[here], phases).astype(np.int64)
    pairs = np.bincount(truth.ravel()[here] * np.int64(phases + 1) + found, minlength=phases * (phases + 1))
    return pairs.reshape(phases, phases + 1)


INSTANCE_COLUMNS = (
    "instances_labels",
    "instances_truth",
    "instances_matched",
    "instance_precision",
    "instance_recall",
    "instance_f1",
    "matched_iou",
    "panoptic_quality",
)
METRICS = (
    *("iou", "dice", "precision", "recall", "area_fraction_labels", "area_fraction_truth"),
    *("intersection_pixels", "union_pixels", "pixel_accuracy", *INSTANCE_COLUMNS),
)


def matched(labels: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Match the regions of two int32 maps whose IoU is above 0.5, and count the pairs.

    Above a half a region has at most one partner, so that no order decides. Precision = matches / regions of the
    labels, recall = matches / regions of the truth, F1 = 2 matches / (both), `matched_iou` their mean IoU,
    `panoptic_quality` = F1 * mean IoU. Pixels where the truth is -1 count nowhere; a region that lies there altogether
    does not either. Source: A. Kirillov et al., Panoptic segmentation, CVPR 2019, eqs. 1 and 2.
    """
    here = truth.ravel() >= 0
    ours, theirs = np.maximum(labels.ravel()[here], 0), truth.ravel()[here]
    our_area, their_area = np.bincount(ours, minlength=1), np.bincount(theirs, minlength=1)
    inside = (ours > 0) & (theirs > 0)
    pairs, overlap = _contingency(ours[inside], theirs[inside], len(our_area), len(their_area))
    iou = overlap / np.maximum(our_area[pairs[0]] + their_area[pairs[1]] - overlap, 1)
    hits = iou > 0.5
    count, our_count, their_count = int(hits.sum()), np.count_nonzero(our_area[1:]), np.count_nonzero(their_area[1:])
    f1 = float(_ratio(2 * count, our_count + their_count))
    mean = float(iou[hits].mean()) if count else np.nan
    quality = f1 * mean if count else 0.0 * f1
    values = (our_count, their_count, count, _ratio(count, our_count), _ratio(count, their_count), f1, mean, quality)
    return dict(zip(INSTANCE_COLUMNS, map(float, values), strict=True))


def _contingency(a: np.ndarray, b: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Count the pairs of values that occur: int (2, pairs) and their counts."""
    from scipy import sparse

    table = sparse.coo_array((np.ones(len(a), np.int64), (a, b)), shape=(rows, columns)).tocsr().tocoo()
    return np.stack(table.coords), table.data
