"""Detections beside the truth: how many are right, with the number and size of objects, never one alone."""

import numpy as np

from matlens import columns, objects
from matlens.detect import match

COUNTS = ("tp", "fp", "fn")
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


def count_frame(found, true, gate_px: float, iou: float) -> dict[str, dict]:
    """Match the detections of one frame by both rules; returns by rule the counts, and the size errors of pairs."""
    rules = {"centre": match.near(found, true, gate_px), "iou": match.overlapping(found, true, iou)}
    counted = {}
    for rule, pairs in rules.items():
        a, b = match.one_to_one(pairs, (len(found), len(true)))
        sizes = np.sqrt(found["area_px2"].to_numpy()[a] / true["area_px2"].to_numpy()[b]) - 1
        counted[rule] = {"tp": len(a), "fp": len(found) - len(a), "fn": len(true) - len(a), "sizes": sizes}
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
    """
    tp, fp, fn = (sum(part[name] for part in parts) for name in COUNTS)
    sizes = np.concatenate([part["sizes"] for part in parts] or [np.zeros(0)])
    low, high = poisson_interval(tp + fp)
    true = tp + fn
    return {
        "tp": tp, "fp": fp, "fn": fn,
        "precision": tp / (tp + fp) if tp + fp else np.nan,
        "recall": tp / true if true else np.nan,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else np.nan,
        "found": tp + fp,
        "true": true,
        "count_error": (tp + fp) / true - 1 if true else np.nan,
        "count_error_low": low / true - 1 if true else np.nan,
        "count_error_high": high / true - 1 if true else np.nan,
        "found_per_px2": (tp + fp) / area_px2 if area_px2 else np.nan,
        "true_per_px2": true / area_px2 if area_px2 else np.nan,
        "size_error": float(sizes.mean()) if len(sizes) else np.nan,
        "size_spread": float(sizes.std()) if len(sizes) else np.nan,
    }  # fmt: skip


def poisson_interval(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a Poisson mean. Source: F. Garwood, Biometrika 28 (1936) 437."""
    from scipy.stats import chi2

    return (chi2.ppf(0.025, 2 * count) / 2 if count else 0.0), chi2.ppf(0.975, 2 * count + 2) / 2


def score(frames: list, controls: dict[str, list], truths: list, *, gate_px: float, iou: float) -> list[dict]:
    """Score the detections of an item and of the controls beside them, by both rules of matching.

    `frames`: a table of detections per frame; `controls`: the same by name; `truths`: the truth map of each frame.
    """
    known = [truth_of(truth) for truth in truths]
    area = float(sum((~unlabelled).sum() for _, unlabelled in known))
    rows = []
    for control, tables in {ITSELF: frames, **controls}.items():
        parts = [
            count_frame(labelled(found, unlabelled), true, gate_px, iou)
            for found, (true, unlabelled) in zip(tables, known, strict=True)
        ]
        for rule, at in (("centre", gate_px), ("iou", iou)):
            head = {columns.CONTROL: control, "match": rule, "match_at": at}
            rows.append(head | row([part[rule] for part in parts], area))
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
