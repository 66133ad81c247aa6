"""Linked detections to tables: tracks with events, scores against the truth, lifetimes, motion."""

from itertools import pairwise

import numpy as np

from matlens import columns
from matlens.track import events, link, lives, motion, scores

LAGS = 10  # of the mean square displacement, at most a quarter of the frames


def numbered(linked: list[np.ndarray]) -> list[np.ndarray]:
    """Number the tracks from 1, without gaps, in the order of the methods; 0 for detections that are in none."""
    every = np.concatenate([*linked, np.zeros(0, int)]).astype(int)
    names = np.unique(every[every >= 0])
    return [np.where(part >= 0, np.searchsorted(names, part) + 1, 0) for part in linked]


def drifts(own, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the common shift since the first frame (frames, 2), and the number of tracks that each step is of.

    The shift is the sum of the median steps of tracks, where three moved.
    """
    steps, place = np.zeros((frames, 2)), own[["y_px", "x_px"]].to_numpy(float)
    track, at = own[columns.TRACK].to_numpy(), own["series_frame"].to_numpy()
    parts, counts = [np.flatnonzero((at == frame) & (track > 0)) for frame in range(frames)], np.zeros(frames, int)
    for frame, (before, after) in enumerate(pairwise(parts), start=1):
        _, a, b = np.intersect1d(track[before], track[after], return_indices=True)
        counts[frame] = len(a)
        if len(a) >= 3:
            steps[frame] = np.median(place[after[b]] - place[before[a]], axis=0)
    return np.cumsum(steps, 0), counts


def life_rows(own, time: np.ndarray, size: tuple[float, float] | None = None, border_px: float = 0.0) -> list[dict]:
    """Return the survival of tracks by age in frames (Kaplan, Meier), and the mean life of an exponential law.

    A track that is there in the first frame enters with an unknown age: it is left out of the curve and counts its time
    at risk in the mean. One that outlives the series, or leaves the image, is censored. `time` of every frame (frames,)
    in units of their interval.
    """
    rows = events.ends(own)
    at, event = own["series_frame"].to_numpy(), own[columns.EVENT].to_numpy()
    first, last = (np.array([at[pair[end]] for pair in rows.values()], int) for end in (0, 1))
    died = np.array(["death" in event[pair[1]] for pair in rows.values()], bool)
    born = np.array(["birth" in event[pair[0]] for pair in rows.values()], bool)
    watched = inner_part(own, size, border_px) if size else np.ones(len(rows))
    time = np.round(np.asarray(time, float), 6)
    seen = time[last] - time[first]
    after = time[np.minimum(last + 1, len(time) - 1)] - time[last]
    mean, error = lives.mean_life(watched * seen + 0.5 * after * died, died)  # a death lies between two frames
    curve = lives.survival((seen + 1)[born], died[born])
    same = {"lives": len(rows), "deaths": int(died.sum()), "mean_life_frames": mean, "mean_life_error_frames": error}
    same[columns.REMARK] = lives.of_one_detection(int((first == last).sum()), len(rows))
    return [
        {"age_frames": age, "survival": left, "survival_error": spread, **same} for age, left, spread in curve.tolist()
    ]


def inner_part(own, size: tuple[float, float], border_px: float) -> np.ndarray:
    """Return the part of the detections of each track that lies further than `border_px` from the border."""
    part = own[own[columns.TRACK] > 0]
    place = part[["y_px", "x_px"]].to_numpy(float)
    inner = np.minimum(place, np.array(size) - 1 - place).min(1) > border_px if len(part) else np.zeros(0, bool)
    return part.assign(_inner=inner).groupby(columns.TRACK)["_inner"].mean().to_numpy(float)


def motion_rows(
    own, steps: np.ndarray, drift: np.ndarray, counts: np.ndarray | None = None, gate_px: float | None = None
) -> list[dict]:
    """Return the square displacements of tracks by lag, with the drift taken off, and what follows from them.

    `steps`: time of every frame (frames,) in whole intervals: lags are of these. `counts`: tracks behind each step of
    the drift, for the part of their own steps that was taken off with it; None if no drift was. `gate_px`: of what
    linked them, if it had one.
    """
    moved = own[["y_px", "x_px"]].to_numpy(float) - drift[own["series_frame"].to_numpy(int)]
    track, at = own[columns.TRACK].to_numpy(), own["series_frame"].to_numpy()
    order = np.lexsort((at, track))[np.count_nonzero(track <= 0) :]
    cuts = np.flatnonzero(np.diff(track[order])) + 1
    parts = [np.column_stack([steps[at[part]], moved[part]]) for part in np.split(order, cuts)] if len(order) else []
    found = motion.by_lag(parts, max(1, min(LAGS, int(steps[-1]) // 4)))
    rate, spread, lags = motion.diffusion(*found[:, [0, 2, 4]].T) if len(found) > 1 else (np.nan, np.nan, 0)
    kept = 1.0 if counts is None else motion.kept_of_steps(counts)
    speed = (drift[-1] - drift[0]) / max(int(steps[-1]), 1)
    same = {"diffusion_px2_per_frame": rate / kept, "localisation_px": spread, "fitted_lags": lags}
    single = motion.displacements(parts, 1)
    same[columns.REMARK] = motion.one_way(found, single) or (motion.beyond_gate(single, gate_px) if gate_px else None)
    same |= {"drift_y_px_per_frame": float(speed[0]), "drift_x_px_per_frame": float(speed[1])}
    names = ("lag_frames", "msd_px2", "msd_diffusive_px2", "wrong_links", "pairs")
    rows = [dict(zip(names, row, strict=True)) for row in found.tolist()]
    return [row | {name: int(row[name]) for name in ("lag_frames", "pairs")} | same for row in rows]


def score_rows(places: list[np.ndarray], tracks: dict[str, list], truths: list, gate_px: float) -> list[dict]:
    """Score tracks and the controls beside them; `tracks`: by control, "" is the method itself; 0 is in no track.

    `truths`: places (n, 2) and numbers (n,) of the true objects of every frame.
    """
    rows = []
    for control, linked in tracks.items():
        found = [(place[name > 0, :2], name[name > 0]) for place, name in zip(places, linked, strict=True)]
        rows.append({columns.CONTROL: control, "gate_px": gate_px, **scores.scores(truths, found, gate_px)})
    return rows


def alone(places: list[np.ndarray]) -> list[np.ndarray]:
    """Return the control: every detection a track of its own, from 1."""
    return [part + 1 for part in link.each_its_own(places)]


def tracked(own, linked: list[np.ndarray], frames: list[tuple], size: tuple[float, float], border_px: float):
    """Add track, event, time and common drift to the detections of a series; returns them, the drift, its `counts`."""
    own = own.assign(**{columns.TRACK: np.concatenate([*linked, np.zeros(0, int)]).astype(int)})
    own[columns.EVENT], own["parents"] = events.events(own, len(frames), size, border_px)
    drift, counts = drifts(own, len(frames))
    own["drift_y_px"], own["drift_x_px"] = drift[own["series_frame"].to_numpy(int)].T
    return own, drift, counts
