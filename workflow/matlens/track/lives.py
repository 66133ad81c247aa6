"""How long tracked objects live and how they move."""

import numpy as np


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


def mean_square_displacement(tracks: list[np.ndarray], most: int) -> np.ndarray:
    """Return rows of (lag, mean square displacement, pairs) of tracks, each (frame, y, x) sorted by frame."""
    total, pairs = np.zeros(most + 1), np.zeros(most + 1, int)
    for track in tracks:
        frame = track[:, 0].astype(int)
        for lag in range(1, most + 1):
            later = np.searchsorted(frame, frame + lag)
            both = (later < len(frame)) & (frame[np.minimum(later, len(frame) - 1)] == frame + lag)
            step = track[later[both], 1:3] - track[both, 1:3]
            total[lag] += (step**2).sum()
            pairs[lag] += int(both.sum())
    lags = np.flatnonzero(pairs)
    return np.column_stack([lags, total[lags] / pairs[lags], pairs[lags]])


def diffusion(msd: np.ndarray) -> tuple[float, float]:
    """Fit MSD = 4 D t + 4 sigma^2 in two dimensions; returns D per frame and the localisation error sigma.

    Weighted by the number of pairs. Source: X. Michalet, Phys. Rev. E 82 (2010) 041914.
    """
    weight = np.sqrt(msd[:, 2])
    design = np.column_stack([4.0 * msd[:, 0], np.full(len(msd), 4.0)])
    (rate, offset), *_ = np.linalg.lstsq(design * weight[:, None], msd[:, 1] * weight, rcond=None)
    return float(rate), float(np.sqrt(max(offset, 0.0)))
