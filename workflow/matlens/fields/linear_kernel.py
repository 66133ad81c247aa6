"""The best linear map from the phases of a cell to its fields: a convolution, learned per wave vector by regression.

At wave vector k the field is sum over phases h of (a_h + b_h f_h + c_h f_h^2) m_h(k), with m_h the transform of the
indicator of the phase and f_h its fraction, in Legendre polynomials; the mean is a polynomial of second degree in the
fractions. Cells of another size take the same convolution, cut or continued by zeros. Source (materials knowledge
systems): S. R. Kalidindi et al., Comput. Mater. Contin. 17 (2010) 103; T. Fast, S. R. Kalidindi, Acta Mater. 59 (2011)
4595.
"""

from collections.abc import Sequence

import numpy as np
from scipy import fft, ndimage

DEGREE = 2  # of the polynomials of the fraction
RESOLVED = 0.7  # of the Nyquist frequency; waves beyond it are distorted by the differences of the grid
RIDGE = 1e-3  # of the mean square of the inputs


def indicators(labels: np.ndarray, phases: int) -> np.ndarray:
    """Return 1 where a voxel is of a phase, for all phases but the first: (phases - 1, *shape)."""
    return np.stack([labels == phase for phase in range(1, phases)]).astype(np.float32)


def _inputs(labels: np.ndarray, phases: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the transforms of the inputs of the convolution (inputs, *half), and those of the mean (terms,)."""
    marks = indicators(labels, phases)
    share = marks.reshape(len(marks), -1).mean(axis=1)
    powers = np.polynomial.legendre.legvander(2 * share - 1, DEGREE)
    waves = fft.rfftn(marks, axes=tuple(range(1, marks.ndim)))
    whole = (waves[:, None] * powers.reshape(*powers.shape, *(1,) * labels.ndim)).reshape(-1, *waves.shape[1:])
    return whole, np.concatenate([[1.0], powers[:, 1:].ravel()])


def fit(labels: Sequence[np.ndarray], fields: Sequence[np.ndarray], phases: int) -> dict[str, np.ndarray]:
    """Learn the kernel of cells of one shape; `fields`: components (components, *shape) of each.

    Returns `kernel` (components, inputs, *shape), in real space, and `mean` (components, terms).
    """
    waves, terms = zip(*(_inputs(each, phases) for each in labels), strict=True)
    shape, axes = labels[0].shape, tuple(range(1, labels[0].ndim + 1))
    x = np.stack(waves).reshape(len(waves), len(waves[0]), -1).transpose(2, 0, 1)
    y = np.stack([fft.rfftn(each, axes=axes) for each in fields])
    y = y.reshape(len(y), y.shape[1], -1).transpose(2, 0, 1)
    gram = x.conj().swapaxes(1, 2) @ x
    size = np.trace(gram, axis1=1, axis2=2).real / x.shape[2]
    gram += (RIDGE * size + 1e-12 * size.max() + 1e-30)[:, None, None] * np.eye(x.shape[2])
    found = np.linalg.solve(gram, x.conj().swapaxes(1, 2) @ y)  # (waves, inputs, components)
    found[0] = 0.0
    half = found.transpose(2, 1, 0).reshape(y.shape[2], x.shape[2], *waves[0].shape[1:])
    kernel = fft.irfftn(half, shape, axes=tuple(range(2, 2 + len(shape))))
    means = np.stack([each.reshape(len(each), -1).mean(axis=1) for each in fields])
    terms = np.stack(terms)
    ridge = 1e-6 * np.eye(terms.shape[1]) * len(terms)
    mean = np.linalg.solve(terms.T @ terms + ridge, terms.T @ means).T
    return {"kernel": kernel.astype(np.float32), "mean": mean.astype(np.float32)}


def resized(kernel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Cut a kernel around its centre, or continue it by zeros, to the shape of another cell.

    Its mean is not known, so that it is shifted to be 0 on average where it is farthest from its centre.
    """
    if kernel.shape[2:] == tuple(shape):
        return kernel
    shell = np.zeros(kernel.shape[2:], bool)
    for axis, n in enumerate(shell.shape):
        np.moveaxis(shell, axis, 0)[n // 2] = True
    kernel = kernel - kernel[..., shell].mean(axis=-1).reshape(*kernel.shape[:2], *(1,) * shell.ndim)
    for axis, new in enumerate(shape, start=2):
        old = kernel.shape[axis]
        if old == new:
            continue
        kept = min(old, new)
        centred = np.take(np.fft.fftshift(kernel, axis), range(old // 2 - kept // 2, old // 2 - kept // 2 + kept), axis)
        before = new // 2 - kept // 2
        sides = [(0, 0)] * kernel.ndim
        sides[axis] = (before, new - kept - before)
        kernel = np.fft.ifftshift(np.pad(centred, sides), axis)
    return kernel


def rescaled(kernel: np.ndarray, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Return a kernel for a cell whose pixels are `scale` times as fine as those that it was learned from.

    Waves that the coarse pixels do not resolve take the value of the longest resolved wave of their direction: the
    response of an elastic body depends on the direction of a wave, and not on its length.
    """
    dims = len(shape)
    coarse = tuple(max(2, round(n / scale)) for n in shape)
    waves = fft.fftshift(fft.fftn(resized(kernel, coarse), axes=tuple(range(2, 2 + dims))), tuple(range(2, 2 + dims)))
    counts = np.stack(np.meshgrid(*(fft.fftfreq(n, 1 / n) for n in shape), indexing="ij"))
    halves = np.array(coarse).reshape(-1, *(1,) * dims) / 2
    length = np.sqrt(((counts / halves) ** 2).sum(axis=0))
    at = counts * np.minimum(1.0, RESOLVED / np.maximum(length, 1e-12)) + np.array(coarse).reshape(halves.shape) // 2
    flat = waves.reshape(-1, *coarse)
    parts = [[ndimage.map_coordinates(part, at, order=1, mode="nearest") for part in (w.real, w.imag)] for w in flat]
    made = np.array([real + 1j * imaginary for real, imaginary in parts]).reshape(*kernel.shape[:2], *shape)
    return fft.ifftn(made, axes=tuple(range(2, 2 + dims))).real.astype(np.float32)


def apply(model: dict[str, np.ndarray], labels: np.ndarray, phases: int, scale: float = 1.0) -> np.ndarray:
    """Return the components (components, *shape) that a kernel predicts of a cell.

    `scale`: pixels of the cell in the width of a pixel that it was learned from.
    """
    waves, terms = _inputs(labels, phases)
    axes = tuple(range(2, 2 + labels.ndim))
    kernel = model["kernel"].astype(np.float32)
    kernel = resized(kernel, labels.shape) if scale == 1 else rescaled(kernel, labels.shape, scale)
    kernel = fft.rfftn(kernel, axes=axes)
    made = (kernel * waves[None]).sum(axis=1)
    values = fft.irfftn(made, labels.shape, axes=tuple(range(1, 1 + labels.ndim)))
    mean = model["mean"].astype(float) @ terms
    values += (mean - values.reshape(len(values), -1).mean(axis=1)).reshape(-1, *(1,) * labels.ndim)
    return values.astype(np.float32)
