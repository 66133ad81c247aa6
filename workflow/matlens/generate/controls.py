"""Controls: real images, copies of them, and images that do not heed the condition."""

import numpy as np

from matlens.generate.examples import Examples


def _drawn(count: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` of `number` images, each as often as the others."""
    return np.concatenate([rng.permutation(number) for _ in range(-(-count // number))])[:count]


def real(asked: np.ndarray, count: int, held: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Return real images that were held back, of the very condition; fewer than `count` if there are not so many."""
    own = held.of(asked)
    return own.labels[:count], own.images[:count]


def copy(asked: np.ndarray, count: int, rng, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Return images that were learned from, of the nearest condition."""
    own = examples.nearest(asked)
    chosen = _drawn(count, len(own), rng)
    return own.labels[chosen], own.images[chosen]


def blind(count: int, rng, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Return images that were learned from, of any condition."""
    chosen = _drawn(count, len(examples), rng)
    return examples.labels[chosen], examples.images[chosen]
