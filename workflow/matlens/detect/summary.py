"""Scores of a detection over all images of a split: pooled counts, intervals by bootstrap over images, the curve."""

import numpy as np

from matlens import columns
from matlens.detect import scores

DRAWN = 1000  # resamples of the images
INTERVAL = (2.5, 97.5)
CONSTANT = "constant"  # control: the mean density of the items with split train or val, without any place
SUMMED = ("tp", "fp", "fn", "found", "true", "covered_found_px2", "covered_true_px2", "judged_px2")
ALIKE = 1e-6  # relative difference of the pixel areas of one magnification
POINTS = 200  # of a curve


def average_precision(score: np.ndarray, right: np.ndarray, true: int) -> float:
    """Return the area under the precision over the recall, precision being the highest at this recall or beyond.

    Source: M. Everingham et al., Int. J. Comput. Vis. 88 (2010) 303, with all points.
    """
    if not true:
        return np.nan
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best * right[order]).sum() / true)


def intervals(table) -> dict[str, float]:
    """Return 95 % intervals of F1 and of the error of the count, by bootstrap over images; empty for one image."""
    counts = table[["tp", "fp", "fn"]].to_numpy(float)
    names = ("f1_low", "f1_high", "pooled_error_low", "pooled_error_high")
    if len(counts) < 2:
        return dict.fromkeys(names, np.nan)
    rng = np.random.default_rng(0)
    tp, fp, fn = np.moveaxis(counts[rng.integers(0, len(counts), (DRAWN, len(counts)))].sum(1), 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = 2 * tp / (2 * tp + fp + fn), (tp + fp) / (tp + fn) - 1
    found = [np.nanpercentile(part[np.isfinite(part)], INTERVAL) if np.isfinite(part).any() else (np.nan,) * 2
             for part in drawn]  # fmt: skip
    return dict(zip(names, map(float, np.concatenate(found)), strict=True))


def _row(table, order) -> dict:
    """Pool the rows of one split, control and rule; `order`: (score, right) of all detections, or None."""
    total = table[list(SUMMED)].sum()
    tp, fp, fn = (int(total[name]) for name in scores.COUNTS)
    true, covered = int(total["true"]), total["covered_true_px2"]
    low, high = scores.poisson_interval(int(total["found"]))
    return {
        "images": len(table), "tp": tp, "fp": fp, "fn": fn,
        **scores.rates(tp, fp, fn),
        **intervals(table),
        "average_precision": average_precision(*order, true) if order is not None else np.nan,
        "found": int(total["found"]), "true": true,
        "count_error": total["found"] / true - 1 if true else np.nan,
        "count_error_low": low / true - 1 if true else np.nan,
        "count_error_high": high / true - 1 if true else np.nan,
        "count_error_each": float(table["count_error"].abs().mean()),
        "covered_ratio": total["covered_found_px2"] / covered if covered else np.nan,
        "size_error": _weighted(table, "size_error", "tp"),
        "class_accuracy": _weighted(table, "class_accuracy", "tp"),
        "commonest_class": _weighted(table, "commonest_class", "true"),
        **_lengths(table),
    }  # fmt: skip


def _lengths(table) -> dict:
    """Pool densities and diameters: in micrometres over the images with a scale, in pixels where all have one alike.

    A remark says how many images have a scale if not all have.
    """
    area = table["judged_um2"] if "judged_um2" in table else table["judged_px2"] * np.nan
    there, squared = area.notna(), (area / table["judged_px2"].where(table["judged_px2"] > 0)).dropna()
    alike = not len(squared) or (there.all() and np.ptp(squared) <= ALIKE * squared.max())
    made = {}
    for unit, rows in (("px", table if alike else table.iloc[:0]), ("um", table[there])):
        total = rows[f"judged_{unit}2"].sum() if len(rows) else 0
        for name in ("found", "true"):
            made[f"{name}_per_{unit}2"] = rows[name].sum() / total if total else np.nan
            made[f"diameter_{name}_{unit}"] = _weighted(rows, f"diameter_{name}_{unit}", name) if total else np.nan
        made[f"size_w1_{unit}"] = float(rows[f"size_w1_{unit}"].mean()) if total else np.nan
    part = f"lengths of {int(there.sum())} of {len(table)} images" if there.any() and not there.all() else ""
    return made | {columns.REMARK: part}


def _weighted(table, name: str, by: str) -> float:
    """Average a column of the images by how many objects stand behind each."""
    known = table[table[name].notna() & (table[by] > 0)]
    return float(np.average(known[name], weights=known[by])) if len(known) else np.nan


def constant(judged):
    """Return the rows of a control that knows the mean density alone: the right number, perhaps, and no right place."""
    learned = judged[judged[columns.SPLIT].isin(columns.LEARNED)]
    if not len(learned) or not learned["judged_px2"].sum():
        return judged.iloc[:0]
    rate = learned["true"].sum() / learned["judged_px2"].sum()
    made = judged.assign(**{columns.CONTROL: CONSTANT, "found": np.rint(rate * judged["judged_px2"])})
    made = made.assign(tp=0, fp=made["found"], fn=made["true"], covered_found_px2=0.0)
    made["count_error"] = made["found"] / made["true"].where(made["true"] > 0) - 1
    unknown = ("size_error", "class_accuracy", "size_w1_px", "size_w1_um", "diameter_found_px", "diameter_found_um")
    return made.assign(**{name: np.nan for name in unknown if name in made})


def pooled(judged, order):
    """Make the table of pooled scores: a row per split, control and rule of matching.

    `judged`: the scores of the items; `order`: their detections, sure or not, with whether each is right.
    """
    import pandas as pd

    keys, judged = [columns.SPLIT, columns.CONTROL, "match"], judged[judged["match"] != scores.NO_TRUTH]
    itself = judged[judged[columns.CONTROL] == scores.ITSELF]
    parts = pd.concat([judged, constant(itself)], ignore_index=True)
    rows = []
    for (split, control, rule), table in parts.groupby(keys, sort=True):
        own = order[order[columns.SPLIT] == split] if control == scores.ITSELF else None
        curve = None if own is None else (own["score"].to_numpy(float), own[rule].to_numpy(bool))
        head = {columns.SPLIT: split, columns.CONTROL: control, "match": rule, "match_at": table["match_at"].iloc[0]}
        rows.append(head | _row(table, curve))
    empty = {**dict.fromkeys([*keys, "match_at"]), **_row(judged.iloc[:0], None)}
    return pd.DataFrame(rows, columns=list(empty))


def _bends(hits: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the ends between which the recall stays: the first and the last of every number of right detections."""
    first = np.flatnonzero(np.append(True, hits[1:] > hits[:-1])) if len(hits) else np.zeros(0, int)
    last = np.append(first[1:] - 1, len(hits) - 1) if len(hits) else first
    return ends[np.union1d(first, last)]


def curves(judged, order):
    """Make the table of precision and recall of every split and rule, at no more than 200 thresholds each."""
    import pandas as pd

    judged = judged[judged["match"] != scores.NO_TRUTH]
    itself, rows = judged[judged[columns.CONTROL] == scores.ITSELF], []
    for (split, rule), table in itself.groupby([columns.SPLIT, "match"], sort=True):
        own = order[order[columns.SPLIT] == split].sort_values("score", ascending=False, kind="stable")
        value, hits, true = own["score"].to_numpy(float), np.cumsum(own[rule].to_numpy(bool)), int(table["true"].sum())
        ends = np.flatnonzero(np.append(value[1:] < value[:-1], True)) if len(value) else np.zeros(0, int)
        ends = ends[np.isin(ends, _bends(hits[ends], ends))]
        shown = ends[np.unique(np.linspace(0, len(ends) - 1, min(POINTS, len(ends))).round().astype(int))]
        rows += [
            {
                columns.SPLIT: split, "match": rule, columns.THRESHOLD: value[at],
                **scores.rates(int(hits[at]), int(at + 1 - hits[at]), true - int(hits[at])),
            }
            for at in shown
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=[columns.SPLIT, "match", columns.THRESHOLD, "precision", "recall", "f1"])
