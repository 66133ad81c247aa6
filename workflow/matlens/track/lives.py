"""Lifetimes of tracked objects."""

import numpy as np

SINGLE, FEWEST = 0.5, 5  # part of the tracks that have one detection from which a remark says so, of as many tracks


def of_one_detection(single: int, tracks: int) -> str | None:
    """Return a remark where most tracks have one detection: links fail, or detections are false; else None."""
    if tracks < FEWEST or single <= SINGLE * tracks:
        return None
    return (
        f"{single} of {tracks} tracks have one detection: either objects move further than the gate in an interval, or "
        "detections are false; raise gate_px, or set min_frames"
    )


def survival(duration: np.ndarray, ended: np.ndarray, entry: np.ndarray | None = None) -> np.ndarray:
    """Estimate the survival function of lifetimes, censored at the end and entered late (Kaplan-Meier).

    `duration`: observed lives; `ended`: False for objects that outlive the video; `entry`: age at which each was first
    seen (0: its birth was seen; the objects of the first frame have an unknown age and are left out by the caller, or
    enter as delayed). Returns rows of (time, survival, standard error by Greenwood).
    Source: E. L. Kaplan, P. Meier, J. Am. Stat. Assoc. 53 (1958) 457.
    """
    duration, ended = np.asarray(duration, float), np.asarray(ended, bool)
    entry = np.zeros_like(duration) if entry is None else np.asarray(entry, float)
    rows, left, green = [(0.0, 1.0, 0.0)], 1.0, 0.0
    for time in np.unique(duration[ended]):
        at_risk = int(((duration >= time) & (entry < time)).sum())
        deaths = int((ended & (duration == time)).sum())
        left *= 1.0 - deaths / at_risk
        green += deaths / (at_risk * (at_risk - deaths)) if at_risk > deaths else 0.0
        rows.append((float(time), left, left * np.sqrt(green)))
    return np.array(rows)


def mean_life(duration: np.ndarray, ended: np.ndarray) -> tuple[float, float]:
    """Return the mean lifetime of an exponential law and its standard error, from censored lives.

    Time at risk divided by deaths: by the memoryless law, lives that began before the video count from its first frame.
    Returns NaN if nothing died.
    """
    deaths = int(np.sum(ended))
    if not deaths:
        return float("nan"), float("nan")
    mean = float(np.sum(duration)) / deaths
    return mean, mean / np.sqrt(deaths)
