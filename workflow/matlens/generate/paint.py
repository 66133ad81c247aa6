"""Grey values of generated labels: mean and noise of every phase, and the blur of edges, as in the real images."""

import numpy as np

from matlens.generate.examples import Examples

BLURS_PX = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)


def painted(labels: np.ndarray, examples: Examples, phases: int, rng: np.random.Generator) -> np.ndarray:
    """Paint labels (n, ...): the mean grey value of their phase, a Gaussian blur, and white noise by phase.

    All three are those of the examples: the blur is that of a set of widths which leaves the smallest residual.
    Returns float32 in [0, 1].
    """
    greys = np.array([_mean(examples, phase) for phase in range(phases)])
    width = min(BLURS_PX, key=lambda one: _residual(examples, greys, one).std())
    rest = _residual(examples, greys, width)
    noise = np.array([_noise(rest, examples.labels == phase) for phase in range(phases)])
    drawn = _blurred(greys[labels], width) + noise[labels] * rng.standard_normal(labels.shape)
    return np.clip(drawn, 0.0, 1.0).astype(np.float32)


def _noise(rest: np.ndarray, mask: np.ndarray) -> float:
    """Return the noise of a phase: from differences of neighbours, which rims and slow shading leave alone."""
    both = mask[..., 1:] & mask[..., :-1]
    steps = (rest[..., 1:] - rest[..., :-1])[both]
    return float(np.median(np.abs(steps)) / 0.6745 / np.sqrt(2)) if steps.size else 0.0


def _mean(examples: Examples, phase: int) -> float:
    chosen = examples.images[examples.labels == phase]
    return float(chosen.mean(dtype=np.float64)) if chosen.size else 0.5


def _blurred(values: np.ndarray, width: float) -> np.ndarray:
    from scipy import ndimage

    return values if width == 0 else ndimage.gaussian_filter(values, (0.0, *(width,) * (values.ndim - 1)))


def _residual(examples: Examples, greys: np.ndarray, width: float) -> np.ndarray:
    return examples.images - _blurred(greys[examples.labels], width)
