"""Memorisation: how like the nearest training image a generated one is, whatever its shift and mirror image.

A copy passes every statistic. It is found by its correlation to the nearest training image, beside that of real images
that were held back: generated images that are nearer to training images than real ones are were memorised.
"""

import itertools
from collections.abc import Iterator

import numpy as np

SIDE_PX = {2: 64, 3: 24}  # by the number of axes: longer images are averaged down to it
PAIRS = 60_000  # comparisons that are made at most, by choosing evenly among generated and held-back images
BLOCK = 1 << 22  # pixels of known images that are transformed at a time


def spread(number: int, known: np.ndarray) -> np.ndarray:
    """Choose evenly among a number of images that are compared with known ones (n, ...): 40 to 300, of volumes 40."""
    most = 40 if known.ndim == 4 else int(np.clip(PAIRS // max(len(known), 1), 40, 300))
    return np.unique(np.linspace(0, number - 1, min(number, most)).round().astype(int))


def _blocks(known: np.ndarray) -> Iterator[np.ndarray]:
    """Cut known images into blocks of about 4 million pixels."""
    step = max(1, BLOCK // known[0].size)
    for first in range(0, len(known), step):
        yield known[first : first + step]


def features(labels: np.ndarray) -> np.ndarray:
    """Return label images (n, ...) as a channel per phase, averaged down, of mean 0 and norm 1 (n, p, ...)."""
    step = max(1, -(-max(labels.shape[1:]) // SIDE_PX[labels.ndim - 1]))
    shape = tuple(n // step for n in labels.shape[1:])
    cut = labels[(slice(None), *(slice(n * step) for n in shape))]
    blocks = cut.reshape(len(labels), *itertools.chain.from_iterable((n, step) for n in shape))
    inner = tuple(range(2, blocks.ndim, 2))
    found = np.stack([(blocks == phase).mean(inner) for phase in range(int(labels.max(initial=0)) + 1)], 1)
    found = found - found.mean(tuple(range(2, found.ndim)), keepdims=True)
    norm = np.sqrt((found**2).sum(tuple(range(1, found.ndim)), keepdims=True))
    return (found / np.maximum(norm, 1e-12)).astype(np.float32)


def mirrored(values: np.ndarray, axes: int) -> np.ndarray:
    """Return all mirror images of (n, p, ...) along the last `axes`, (2^axes, n, p, ...)."""
    ways = itertools.product((False, True), repeat=axes)
    return np.stack([np.flip(values, [values.ndim - axes + k for k in range(axes) if way[k]]) for way in ways])


def correlations(made: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the largest correlation of every label image to every known one over shifts and mirror images, (n, m).

    Shifts go round: 1 for a copy of a periodic image; of others, less by what the shift moves out of the image.
    """
    phases = max(int(made.max(initial=0)), int(known.max(initial=0))) + 1
    own = _channels(features(made), phases)
    return np.concatenate([_peaks(own, _channels(features(part), phases)) for part in _blocks(known)], 1)


def _peaks(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the largest circular correlation of features (n, p, ...) to those of others over mirror images, (n, m)."""
    from scipy import fft

    axes = tuple(range(1, own.ndim - 1))
    size = own.shape[2:]
    space = tuple(range(2, 2 + len(axes)))
    turned = mirrored(others, len(axes)).reshape(-1, *others.shape[1:])
    spectra = np.conj(fft.rfftn(turned, axes=space))
    found = np.empty((len(own), len(others)), np.float32)
    for number, image in enumerate(own):
        product = (fft.rfftn(image, axes=tuple(range(1, 1 + len(axes)))) * spectra).sum(1)
        peaks = fft.irfftn(product, size, axes=axes).reshape(len(turned), -1).max(1)
        found[number] = peaks.reshape(-1, len(others)).max(0)
    return found


def _channels(values: np.ndarray, phases: int) -> np.ndarray:
    """Add empty channels for phases that no image has."""
    return np.pad(values, [(0, 0), (0, phases - values.shape[1]), *[(0, 0)] * (values.ndim - 2)])


def windows(labels: np.ndarray) -> np.ndarray:
    """Cut the middle out of label images, half as long on every axis."""
    return labels[(slice(None), *(slice(n // 4, n // 4 + n // 2) for n in labels.shape[1:]))]


def part_correlations(made: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the best agreement of the middle of each image with any place and mirror image of known ones, (n,).

    Agreement: part of the pixels of the same phase, 1 for a patch that was cut out. It finds copies of parts and of
    images that are not periodic. Of volumes the middle plane is compared with every second plane.
    """
    if made.ndim == 4:
        made, known = made[:, made.shape[1] // 2], known[:, ::2].reshape(-1, *known.shape[2:])
    phases = max(int(made.max(initial=0)), int(known.max(initial=0))) + 1
    return np.max([_agreement(windows(made), part, phases) for part in _blocks(known)], 0)


def _agreement(middle: np.ndarray, known: np.ndarray, phases: int) -> np.ndarray:
    """Return the largest part of pixels (y, x) of each window that agree with a place of known images, (n,)."""
    from scipy import fft

    size = known.shape[1:]
    one_hot = np.stack([known == phase for phase in range(phases)], 1).astype(np.float32)
    turned = mirrored(one_hot, 2).reshape(-1, *one_hot.shape[1:])
    spectra = fft.rfftn(turned, axes=(2, 3))
    valid = (slice(None), *(slice(n - m + 1) for n, m in zip(size, middle.shape[1:], strict=True)))
    found = np.empty(len(middle))
    for number, part in enumerate(middle):
        seen = np.stack([part == phase for phase in range(phases)]).astype(np.float32)
        product = (np.conj(fft.rfftn(seen, size, axes=(1, 2))) * spectra).sum(1)
        found[number] = fft.irfftn(product, size, axes=(1, 2))[valid].max() / part.size
    return found


def p_value(made: np.ndarray, held: np.ndarray) -> float:
    """Return the probability of generated similarities this much larger than those of held-back real images by chance.

    One-sided rank test (Mann, Whitney, Ann. Math. Stat. 18 (1947) 50); NaN if a set has fewer than two images.
    """
    from scipy.stats import mannwhitneyu

    if min(len(made), len(held)) < 2:
        return float("nan")
    return float(mannwhitneyu(np.round(made, 6), np.round(held, 6), alternative="greater").pvalue)
