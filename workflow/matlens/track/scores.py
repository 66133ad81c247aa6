"""Scores of tracks against true tracks: CLEAR MOT, identity and HOTA, equal to TrackEval.

`truth` and `found` are lists with one pair per frame: places (n, 2) and track numbers (n,). The similarity of a pair is
1 - distance / (2 gate), at least 0; it is a match from 0.5 (CLEAR, identity), or from every 0.05 (HOTA).
Sources: K. Bernardin, R. Stiefelhagen, EURASIP J. Image Video Process. (2008) 246309; E. Ristani et al., ECCV 2016
Workshops; J. Luiten et al., Int. J. Comput. Vis. 129 (2021) 548.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

LEVELS = np.arange(0.05, 0.99, 0.05)
EPS = np.finfo(float).eps


def similarity(one: np.ndarray, other: np.ndarray, gate_px: float) -> np.ndarray:
    """Return max(0, 1 - distance / (2 gate)) of all pairs: 0.5 at the gate."""
    distance = np.linalg.norm(np.asarray(one, float)[:, None] - np.asarray(other, float)[None], axis=2)
    return np.maximum(0.0, 1.0 - distance / (2 * gate_px))


class Tables:
    """Input of all scores: track numbers from 0, and the similarities of every frame."""

    def __init__(self, truth: list, found: list, gate_px: float):
        self.truth, self.found = _numbered(truth), _numbered(found)
        self.similar = [similarity(t[0], f[0], gate_px) for t, f in zip(truth, found, strict=True)]
        self.true_count = np.bincount(np.concatenate([*self.truth, np.zeros(0, int)]), minlength=1)
        self.found_count = np.bincount(np.concatenate([*self.found, np.zeros(0, int)]), minlength=1)


def _numbered(frames: list) -> list[np.ndarray]:
    """Renumber tracks from 0."""
    names = np.unique(np.concatenate([np.asarray(track) for _, track in frames] + [np.zeros(0, int)]))
    return [np.searchsorted(names, np.asarray(track, int)) for _, track in frames]


def clear(tables: Tables, threshold: float = 0.5) -> dict[str, float]:
    """Return TP, FP, FN, identity switches, MOTA, MOTP and the mostly tracked and lost tracks."""
    tp = fp = fn = switches = 0
    overlap = 0.0
    matched = np.zeros(len(tables.true_count))
    last = np.full(len(tables.true_count), -1)  # the found track that a true one had last
    before = np.full(len(tables.true_count), -1)  # the same, of the frame before alone
    for true, found, similar in zip(tables.truth, tables.found, tables.similar, strict=True):
        if not len(true) or not len(found):
            fn, fp = fn + len(true), fp + len(found)
            before[:] = -1
            continue
        score = np.where(similar >= threshold - EPS, (before[true][:, None] == found[None]) * 1000.0 + similar, 0.0)
        rows, columns = linear_sum_assignment(-score)
        kept = score[rows, columns] > EPS
        rows, columns = rows[kept], columns[kept]
        names, own = true[rows], found[columns]
        switches += int(((last[names] >= 0) & (last[names] != own)).sum())
        last[names] = own
        before[:] = -1
        before[names] = own
        matched[names] += 1
        overlap += float(similar[rows, columns].sum())
        tp, fn, fp = tp + len(rows), fn + len(true) - len(rows), fp + len(found) - len(rows)
    total = int(tables.true_count.sum())
    part = matched[tables.true_count > 0] / tables.true_count[tables.true_count > 0]
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "id_switches": switches,
        "mota": (tp - fp - switches) / max(total, 1),
        "motp": overlap / max(tp, 1),
        "mostly_tracked": int((part > 0.8).sum()),
        "mostly_lost": int((part < 0.2).sum()),
    }


def identity(tables: Tables, threshold: float = 0.5) -> dict[str, float]:
    """Return IDTP, IDFP, IDFN and IDF1: true and found tracks matched one to one over the whole video."""
    n, m = len(tables.true_count), len(tables.found_count)
    together = np.zeros((n, m))
    for true, found, similar in zip(tables.truth, tables.found, tables.similar, strict=True):
        rows, columns = np.nonzero(similar >= threshold - EPS)
        np.add.at(together, (true[rows], found[columns]), 1)
    rows, columns = linear_sum_assignment(-together)
    idtp = float(together[rows, columns].sum())
    idfn, idfp = tables.true_count.sum() - idtp, tables.found_count.sum() - idtp
    return {"idtp": idtp, "idfp": float(idfp), "idfn": float(idfn), "idf1": idtp / max(idtp + 0.5 * (idfp + idfn), 1.0)}


def hota(tables: Tables) -> dict[str, float]:
    """Return HOTA, DetA and AssA, each the mean over the levels of similarity."""
    n, m = len(tables.true_count), len(tables.found_count)
    likely = np.zeros((n, m))
    for true, found, similar in zip(tables.truth, tables.found, tables.similar, strict=True):
        if similar.size:
            both = similar.sum(0, keepdims=True) + similar.sum(1, keepdims=True) - similar
            np.add.at(likely, (true[:, None], found[None]), np.where(both > EPS, similar / np.maximum(both, EPS), 0.0))
    aligned = likely / np.maximum(tables.true_count[:, None] + tables.found_count[None] - likely, EPS)
    tp, fn, fp, counts = _matched(tables, aligned, (n, m))
    association = np.array([_association(count, tables, hits) for count, hits in zip(counts, tp, strict=True)])
    detection = tp / np.maximum(tp + fn + fp, 1)
    return {
        "hota": float(np.sqrt(detection * association).mean()),
        "det_a": float(detection.mean()),
        "ass_a": float(association.mean()),
    }


def _matched(tables: Tables, aligned: np.ndarray, shape: tuple[int, int]):
    """Match every frame by similarity times alignment; count hits, misses, false alarms and pairs at every level."""
    tp, fn, fp = (np.zeros(len(LEVELS)) for _ in range(3))
    counts = np.zeros((len(LEVELS), *shape))
    for true, found, similar in zip(tables.truth, tables.found, tables.similar, strict=True):
        if not len(true) or not len(found):
            fn, fp = fn + len(true), fp + len(found)
            continue
        rows, columns = linear_sum_assignment(-aligned[true[:, None], found[None]] * similar)
        for level, alpha in enumerate(LEVELS):
            kept = similar[rows, columns] >= alpha - EPS
            hits = int(kept.sum())
            tp[level] += hits
            fn[level] += len(true) - hits
            fp[level] += len(found) - hits
            np.add.at(counts[level], (true[rows[kept]], found[columns[kept]]), 1)
    return tp, fn, fp, counts


def _association(count: np.ndarray, tables: Tables, hits: float) -> float:
    """Return the mean over matches of the Jaccard index of their two tracks."""
    each = count / np.maximum(1.0, tables.true_count[:, None] + tables.found_count[None] - count)
    return float((count * each).sum() / max(1.0, hits))


def scores(truth: list, found: list, gate_px: float) -> dict[str, float]:
    """Return all scores of tracks; `gate_px`: the distance at which a pair is no match any more."""
    tables = Tables(truth, found, gate_px)
    return {**clear(tables), **identity(tables), **hota(tables)}
