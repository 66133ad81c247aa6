"""Detections beside the truth: how many are right, with the number and size of objects, never one alone."""

import numpy as np

from matlens import columns, objects
from matlens.detect import kinds, match

COUNTS = ("tp", "fp", "fn")
RULES = ("centre", "iou", "mask_iou")  # how a detection and an object are matched
NO_TRUTH = "none"  # in the column `match`: the item has no truth, and its detections are only counted
ITSELF = ""  # in the column `control`: the row is of the method, not of a control beside it


def truth_of(truth: np.ndarray):
    """Return the true objects of a frame, and where it is not labelled (bool, y, x)."""
    regions = objects.regions_of(truth)
    return objects.describe(regions), regions < 0


def labelled(found, unlabelled: np.ndarray):
    """Keep the detections whose centre is labelled: the others are neither right nor wrong."""
    if not len(found) or not unlabelled.any():
        return found
    y, x = (
        np.clip(np.rint(found[name]), 0, n - 1).astype(int)
        for name, n in zip(objects.PLACE, unlabelled.shape, strict=True)
    )
    return found[~unlabelled[y, x]].reset_index(drop=True)


def pairs_of(found, true, regions: np.ndarray, gate_px: float, iou: float) -> dict[str, match.Pairs]:
    """List the pairs of detections and objects of one frame that may belong together, by rule of matching."""
    drawn = objects.masks(found)
    return {
        "centre": match.near(found, true, gate_px),
        "iou": match.overlapping(found, true, iou),
        "mask_iou": match.covering(drawn, true, regions, iou),
    }


def count_frame(found, true, regions: np.ndarray, gate_px: float, iou: float) -> dict[str, dict]:
    """Match the detections of one frame by all rules; returns by rule the counts, and the size errors of pairs.

    Beside them stand the equivalent diameters of all detections and objects, and the areas that they cover.
    """
    diameters = [2 * np.sqrt(table[columns.AREA].to_numpy(float) / np.pi) for table in (found, true)]
    covered = np.zeros(regions.shape, bool)
    for part, mask in objects.masks(found):
        covered[part] |= mask
    whole = {
        "diameters": diameters,
        "names": list(true[columns.PHASE_NAME]) if columns.PHASE_NAME in true else [],
        "areas": (int((covered & (regions >= 0)).sum()), int((regions > 0).sum())),
    }
    counted = {}
    for rule, pairs in pairs_of(found, true, regions, gate_px, iou).items():
        a, b = match.one_to_one(pairs, (len(found), len(true)))
        sizes = diameters[0][a] / diameters[1][b] - 1
        right = kinds.right(found, true, a, b)
        counts = {"tp": len(a), "fp": len(found) - len(a), "fn": len(true) - len(a)}
        counted[rule] = {**counts, "sizes": sizes, "right": right, **whole}
    return counted


def outcomes(found, truth: np.ndarray | None, gate_px: float) -> tuple[np.ndarray, object]:
    """Say of the detections of a frame which are right (tp) and false (fp), and return the objects that were missed.

    By centres; empty where nothing is labelled, or no truth is known.
    """
    said = np.full(len(found), "", dtype=object)
    if truth is None:
        return said, None
    true, unlabelled = truth_of(truth)
    judged = labelled(found.assign(_row=np.arange(len(found))), unlabelled)
    a, b = match.one_to_one(match.near(judged, true, gate_px), (len(judged), len(true)))
    rows = judged["_row"].to_numpy(int)
    said[rows] = "fp"
    said[rows[a]] = "tp"
    return said, true.drop(index=b).reset_index(drop=True)


def row(parts: list[dict], area_px2: float) -> dict:
    """Put the counts of the frames of an item together: counts, precision, recall, F1, number, density and size error.

    Precision is empty where nothing was found, recall where nothing is true; F1 is empty where both are 0.
    `size_w1_px`: distance between the distributions of diameters found and true (Wasserstein, order 1).
    """
    from scipy.stats import wasserstein_distance

    tp, fp, fn = (sum(part[name] for part in parts) for name in COUNTS)
    sizes = np.concatenate([part["sizes"] for part in parts] or [np.zeros(0)])
    ours, theirs = (np.concatenate([part["diameters"][at] for part in parts] or [np.zeros(0)]) for at in (0, 1))
    covered = [float(sum(part["areas"][at] for part in parts)) for at in (0, 1)]
    low, high = poisson_interval(tp + fp)
    true = tp + fn
    return {
        "tp": tp, "fp": fp, "fn": fn,
        **rates(tp, fp, fn),
        "found": tp + fp,
        "true": true,
        "count_error": (tp + fp) / true - 1 if true else np.nan,
        "count_error_low": low / true - 1 if true else np.nan,
        "count_error_high": high / true - 1 if true else np.nan,
        "found_per_px2": (tp + fp) / area_px2 if area_px2 else np.nan,
        "true_per_px2": true / area_px2 if area_px2 else np.nan,
        "size_error": float(sizes.mean()) if len(sizes) else np.nan,
        "size_error_median": float(np.median(sizes)) if len(sizes) else np.nan,
        "size_spread": float(sizes.std()) if len(sizes) else np.nan,
        "diameter_found_px": float(ours.mean()) if len(ours) else np.nan,
        "diameter_true_px": float(theirs.mean()) if len(theirs) else np.nan,
        "size_w1_px": float(wasserstein_distance(ours, theirs)) if len(ours) and len(theirs) else np.nan,
        "covered_found_px2": covered[0],
        "covered_true_px2": covered[1],
        "judged_px2": area_px2,
        "class_accuracy": sum(part["right"] for part in parts) / tp if tp else np.nan,
        "commonest_class": kinds.commonest([name for part in parts for name in part["names"]]),
    }  # fmt: skip


def rates(tp: float, fp: float, fn: float) -> dict[str, float]:
    """Return precision, recall and F1 of counts; NaN for nothing over nothing."""
    return {
        "precision": tp / (tp + fp) if tp + fp else np.nan,
        "recall": tp / (tp + fn) if tp + fn else np.nan,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else np.nan,
    }


def poisson_interval(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a Poisson mean. Source: F. Garwood, Biometrika 28 (1936) 437."""
    from scipy.stats import chi2

    return (chi2.ppf(0.025, 2 * count) / 2 if count else 0.0), chi2.ppf(0.975, 2 * count + 2) / 2


def score(
    frames: list, controls: dict[str, list], truths: list, named: list | None = None, *, gate_px: float, iou: float
) -> list[dict]:
    """Score the detections of an item and of the controls beside it, by all rules of matching.

    `frames`: a table of detections per frame; `controls`: the same by name; `truths`: the truth map of each frame;
    `named`: the phase of the objects of each frame by number, where it is known.
    """
    regions = [objects.regions_of(truth) for truth in truths]
    each_named = named or [None] * len(regions)
    true = [kinds.stated(objects.describe(each), own) for each, own in zip(regions, each_named, strict=True)]
    area = float(sum((each >= 0).sum() for each in regions))
    rows = []
    for control, tables in {ITSELF: frames, **controls}.items():
        parts = [
            count_frame(labelled(found, each < 0), own, each, gate_px, iou)
            for found, own, each in zip(tables, true, regions, strict=True)
        ]
        for rule in RULES:
            head = {columns.CONTROL: control, "match": rule, "match_at": gate_px if rule == "centre" else iou}
            rows.append(head | row([part[rule] for part in parts], area))
    return rows


def counted(frames: list, area_px2: float) -> dict:
    """Return the row of an item without truth: number and density of its detections, also where there are none."""
    found = sum(map(len, frames))
    unknown = dict.fromkeys([*row([], 0.0)], np.nan)
    density = found / area_px2 if area_px2 else np.nan
    made = {"found": found, "found_per_px2": density, "judged_px2": area_px2}
    return {columns.CONTROL: ITSELF, "match": NO_TRUTH, "match_at": np.nan, **unknown, **made}


def ranked(frames: list, truths: list, *, gate_px: float, iou: float) -> list[dict]:
    """List the detections of an item, sure or not, with whether each is right by every rule, the surer taking first.

    Rows: frame, score, and a bool for every rule of matching.
    """
    rows = []
    for frame, (found, truth) in enumerate(zip(frames, truths, strict=True)):
        regions = objects.regions_of(truth)
        found, true = labelled(found, regions < 0), objects.describe(regions)
        value = found["score"].to_numpy()
        right = {
            rule: match.by_score(pairs, value) for rule, pairs in pairs_of(found, true, regions, gate_px, iou).items()
        }
        rows += [
            {columns.FRAME: frame, "score": float(value[at]), **{rule: bool(right[rule][at]) for rule in RULES}}
            for at in range(len(found))
        ]
    return rows


def best_threshold(scored: list[tuple[np.ndarray, np.ndarray, int]]) -> dict:
    """Choose the threshold of highest F1 over all frames; each is (scores, which are right, number of true objects).

    Returns it with that F1 and the whole curve of precision and recall, at most 200 points. Between two scores the
    threshold lies in their middle.
    """
    value = np.concatenate([part[0] for part in scored] or [np.zeros(0)])
    right = np.concatenate([part[1] for part in scored] or [np.zeros(0, bool)])
    true = sum(part[2] for part in scored)
    if not right.any():
        return {"threshold": None, "f1": 0.0, "curve": []}
    order = np.argsort(-value, kind="stable")
    value, hits = value[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.append(value[1:] < value[:-1], True))
    value, hits, found = value[ends], hits[ends], ends + 1
    f1 = 2 * hits / (found + true)
    best = int(f1.argmax())
    below = value[best + 1] if best + 1 < len(value) else 0.9 * value[best]
    shown = np.unique(np.linspace(0, len(value) - 1, min(200, len(value))).round().astype(int))
    curve = [[float(value[i]), float(hits[i] / found[i]), float(hits[i] / max(true, 1))] for i in shown]
    return {"threshold": float((value[best] + below) / 2), "f1": float(f1[best]), "curve": curve}
