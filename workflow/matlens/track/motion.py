"""Motion of tracked objects: displacements by lag, the part of them that diffusion explains, and D.

Where objects touch, a detector puts one place between two, and links change from one to the other: few displacements,
of the size of the gate, that would hold half of the mean square. They are fitted as a second, uniform part.
"""

import numpy as np

ROUNDS = 200  # of the fit of two parts; it converges in some dozens
TWICE, CHANCE = 2.4, 4.0  # a ratio of mean square displacements beyond these is none of diffusion
LOST, STEPS = 0.05, 100  # part of the steps beyond a gate from which a remark says so, and the fewest that tell it
WIDE = 16.0  # least area of the uniform part over the mean square displacement: a narrower one is the tail itself


def displacements(tracks: list[np.ndarray], lag: int) -> np.ndarray:
    """Return the squared displacements over a lag of tracks, each (frame, y, x) sorted by frame; gaps are left out."""
    found = [np.zeros(0)]
    for track in tracks:
        frame = track[:, 0].astype(int)
        later = np.searchsorted(frame, frame + lag)
        both = (later < len(frame)) & (frame[np.minimum(later, len(frame) - 1)] == frame + lag)
        found.append(((track[later[both], 1:3] - track[both, 1:3]) ** 2).sum(1))
    return np.concatenate(found)


def two_parts(squared: np.ndarray) -> tuple[float, float]:
    """Fit squared displacements as diffusion (exponential) and wrong links (uniform up to the largest one).

    Returns the mean square displacement of diffusion and the share of wrong links, by expectation and maximisation.
    The law of squared displacements of a two-dimensional random walk is exponential.
    """
    mean, wrong = float(np.median(squared)) / np.log(2), 0.05
    if mean <= 0:
        return float(squared.mean()), 0.0
    area = max(float(squared.max()), WIDE * mean)
    for _ in range(ROUNDS):
        diffusive = (1 - wrong) * np.exp(-squared / mean) / mean
        weight = diffusive / (diffusive + wrong / area)
        before, mean, wrong = mean, float((weight * squared).sum() / weight.sum()), 1 - float(weight.mean())
        if abs(mean - before) < 1e-9 * mean:
            break
    return mean, wrong


def by_lag(tracks: list[np.ndarray], most: int) -> np.ndarray:
    """Return rows of (lag, mean square displacement, the same of diffusion alone, share of wrong links, pairs)."""
    rows = [(lag, displacements(tracks, lag)) for lag in range(1, most + 1)]
    return np.array([(lag, d.mean(), *two_parts(d), len(d)) for lag, d in rows if len(d)]).reshape(-1, 5)


def diffusion(lags: np.ndarray, msd: np.ndarray, pairs: np.ndarray) -> tuple[float, float, int]:
    """Fit MSD = 4 D t + 4 sigma^2 in two dimensions; returns D per frame, the localisation error sigma, and the lags.

    Displacements over long lags are few and overlap: the fit takes the first 2 + 2.3 (sigma^2 / D)^0.52 lags, weighted
    by the number of pairs. Source: X. Michalet, Phys. Rev. E 82 (2010) 041914, eq. 14.
    """
    count = len(lags)
    for _ in range(10):
        weight = np.sqrt(pairs[:count])
        design = np.column_stack([4.0 * lags[:count], np.full(count, 4.0)])
        (rate, offset), *_ = np.linalg.lstsq(design * weight[:, None], msd[:count] * weight, rcond=None)
        noise = max(float(offset), 0.0)
        wanted = 2 + 2.3 * (noise / rate) ** 0.52 if rate > 0 else len(lags)
        before, count = count, int(np.clip(round(wanted), 2, len(lags)))
        if count == before:
            break
    return float(rate), float(np.sqrt(noise)), before


def one_way(found: np.ndarray, squared: np.ndarray) -> str | None:
    """Return a remark where displacements grow as those of straight motion; None where diffusion explains them.

    `found`: rows of `by_lag`; `squared`: displacements over one interval. Two intervals have twice the mean square
    displacement of one by diffusion, less with an error of the places, and four times by straight motion; chance
    changes that by some parts of 1 / sqrt(n), where n are the pairs, fewer if some objects are far faster than others.
    """
    if len(found) < 2 or tuple(found[:2, 0]) != (1, 2) or found[0, 2] <= 0:
        return None
    ratio, even = found[1, 2] / found[0, 2], 2 * squared.sum() ** 2 / (squared**2).sum() / len(squared)
    if ratio <= TWICE + CHANCE / np.sqrt(min(even, 1.0) * found[1, 4]):
        return None
    said = (
        f"the mean square displacement of two intervals is {ratio:.1f} times that of one: 2 by diffusion, 4 by straight"
    )
    return f"{said} motion; the diffusion coefficient means little, the speeds are in the table paths"


def beyond_gate(squared: np.ndarray, gate_px: float) -> str | None:
    """Return a remark where a diffusion that explains the steps has many that a gate does not let through; else None.

    `squared`: displacements over one interval. The law of a random walk, cut off at the gate, has the mean
    m - gate^2 / (exp(gate^2 / m) - 1), which never exceeds half of gate^2; m is the mean without a gate.
    """
    squared = squared[squared <= gate_px**2]
    if len(squared) < STEPS:
        return None
    share, low, high = float(squared.mean()) / gate_px**2, 2e-3, 1e3
    for _ in range(60):  # of m over gate^2, between which the cut mean rises
        middle = np.sqrt(low * high)
        low, high = (middle, high) if middle - 1 / np.expm1(1 / middle) < share else (low, middle)
    lost = float(np.exp(-1 / low))
    if lost <= LOST:
        return None
    return (
        f"by diffusion {lost:.0%} of the steps would be longer than gate_px {gate_px:g}: tracks are cut, lives too "
        "short and the diffusion coefficient too small; raise gate_px, or take frames more often"
    )


def kept_of_steps(tracks_per_step: np.ndarray) -> float:
    """Return the part of a random step that is left after the median step of n tracks was taken off.

    Var(x - median) / Var(x) = 1 + pi / (2 n + 1) - 2 / n for normal steps: the median moves with the tracks.
    """
    n = tracks_per_step[tracks_per_step >= 3].astype(float)
    return float((n * (1 + np.pi / (2 * n + 1) - 2 / n)).sum() / n.sum()) if len(n) else 1.0
