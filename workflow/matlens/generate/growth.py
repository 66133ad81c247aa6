"""Agreement of grown sequences with real ones of the same first states: shape, facet speeds, handedness."""

import numpy as np

KNIGHT = np.arctan(0.5)  # angle of the directions whose speeds tell left from right, from the axes


def supports(mask: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return how far a body (y, x) reaches in directions, in pixels from the middle of the image; angles in radian."""
    y, x = np.nonzero(mask)
    if not len(y):
        return np.full(len(angles), np.nan)
    middle = [(n - 1) / 2 for n in mask.shape]
    return (np.outer(np.sin(angles), y - middle[0]) + np.outer(np.cos(angles), x - middle[1])).max(1)


def speeds(sequence: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return the speeds of facets by direction, in pixels per frame, between the first and the last frame."""
    return (supports(sequence[-1], angles) - supports(sequence[0], angles)) / (len(sequence) - 1)


def handedness(sequence: np.ndarray) -> float:
    """Return the mean speed at angles of +26.6 degrees from the axes less that at -26.6 degrees."""
    axes = np.arange(4) * np.pi / 2
    return float((speeds(sequence, axes + KNIGHT) - speeds(sequence, axes - KNIGHT)).mean())


def compared(made: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Compare sequences (n, t, y, x) of one phase, bool, with the real ones of the same first states.

    final IoU: mean of the last frames; error of facet speeds: mean absolute difference over the mean real speed, in 16
    directions; right hand: part of the sequences that turn as the real ones do, of those that turn at all.
    """
    angles = np.arange(16) * np.pi / 8
    ious, errors, hands = [], [], []
    for own, true in zip(made, real, strict=False):
        ious.append((own[-1] & true[-1]).sum() / max(1, (own[-1] | true[-1]).sum()))
        wanted = speeds(true, angles)
        errors.append(np.abs(speeds(own, angles) - wanted).mean() / max(np.abs(wanted).mean(), 1e-9))
        if abs(handedness(true)) > 0.02:
            hands.append(handedness(own) * np.sign(handedness(true)) > 0.02)
    mean = lambda values: float(np.mean(values)) if values else float("nan")  # noqa: E731
    return {"final IoU": mean(ious), "error of facet speeds": mean(errors), "part of right hand": mean(hands)}
