"""Acquisition functions."""

import numpy as np

from matlens import farthest


def expected_improvement(mean, std, best, *, margin: float = 0.0):
    """Return the expected improvement over the best value so far plus `margin`.

    EI = (m - b) Phi(z) + s phi(z), z = (m - b) / s, b = best + margin.
    Source: D. R. Jones, M. Schonlau, W. J. Welch, J. Glob. Optim. 13 (1998) 455.
    """
    from scipy.special import ndtr

    gain = mean - best - margin
    z = gain / np.maximum(std, 1e-12 * np.abs(gain).max(initial=0.0) or 1.0)
    return gain * ndtr(z) + std * np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)


def upper_confidence_bound(mean, std, *, kappa: float = 2.0):
    """Return the upper confidence bound m + kappa s. Source: N. Srinivas et al., ICML (2010) 1015."""
    return mean + kappa * std


def thompson(mean, std, rng):
    """Draw a value for every candidate from its normal distribution (Thompson sampling).

    Draws are independent, without covariance, so that a batch spreads.
    Source: W. R. Thompson, Biometrika 25 (1933) 285.
    """
    return mean + std * rng.standard_normal(len(mean))


def uncertainty(std):
    """Return the standard deviation (uncertainty sampling). Source: D. D. Lewis, W. A. Gale, SIGIR (1994) 3."""
    return std


def diversity(x, known_x, count):
    """Return scores that rank candidates by distance from evaluated ones and from one another (farthest first)."""
    from scipy.spatial.distance import cdist

    nearest = cdist(x, known_x).min(axis=1) if len(known_x) else np.linalg.norm(x - x.mean(axis=0), axis=1)
    order, _ = farthest.traverse(x, count, nearest)
    score = np.zeros(len(x))
    score[order] = count - np.arange(len(order))
    return score


def greedy(mean):
    """Return the predicted mean (exploitation only)."""
    return mean


def random(mean, rng):
    """Return random scores (control)."""
    return rng.random(len(mean))
