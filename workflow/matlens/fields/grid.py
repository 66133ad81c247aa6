"""Derivatives on a periodic grid in Fourier space, one set of symbols per discretisation.

`fourier` is the derivative of the trigonometric interpolant (H. Moulinec, P. Suquet, Comput. Methods Appl. Mech. Eng.
157 (1998) 69). A wave of two voxels, the Nyquist frequency of an even axis, is taken as a sine that is 0 at all voxels:
it has a derivative along its own axis alone, so that layers of single voxels have their fields. Where two axes have
such waves at once, they are left out. `rotated` takes differences along the diagonals of a voxel, which is the same as
hexahedra with one integration point (F. Willot, C. R. Mecanique 343 (2015) 232).
"""

import numpy as np
from scipy import fft

SCHEMES = ("fourier", "rotated")


class Grid:
    """A periodic grid: transforms over its axes, and the symbols `d` of its derivatives, complex (axes,
    *half-space)."""

    def __init__(self, shape: tuple[int, ...], spacing: tuple[float, ...] | None, scheme: str):
        if scheme not in SCHEMES:
            raise ValueError(f"there is no grid of the scheme '{scheme}'; allowed: {', '.join(SCHEMES)}")
        self.shape, self.axes = tuple(shape), tuple(range(-len(shape), 0))
        frequencies = [fft.fftfreq(n) for n in shape[:-1]] + [fft.rfftfreq(shape[-1])]
        q = np.meshgrid(*(2 * np.pi * one for one in frequencies), indexing="ij", sparse=True)
        self.d = _fourier(q, shape) if scheme == "fourier" else _rotated(q)
        for axis, step in enumerate(spacing or ()):
            self.d[axis] /= step
        # The half-space stands for the whole: a frequency and its conjugate count once each.
        self.weight = np.full(self.d.shape[1:], 2.0)
        self.weight[..., 0] = 1.0
        if shape[-1] % 2 == 0:
            self.weight[..., -1] = 1.0

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Transform over the axes of the grid."""
        return fft.rfftn(values, axes=self.axes)

    def back(self, values: np.ndarray) -> np.ndarray:
        """Transform back to real values."""
        return fft.irfftn(values, self.shape, axes=self.axes)

    def dot(self, a: np.ndarray, b: np.ndarray) -> float:
        """Return the mean over the grid of a . b, from their transforms (Parseval)."""
        return float((self.weight * (a.conj() * b).real).sum()) / np.prod(self.shape, dtype=float) ** 2


def _fourier(q: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Return i q; at the Nyquist frequency of an even axis pi along it and 0 along the others, of several axes 0."""
    last = [(n % 2 == 0) & (np.abs(one) > np.pi - 1e-9) for one, n in zip(q, shape, strict=True)]
    count = sum(part.astype(int) for part in last)
    alone = [part & (count == 1) for part in last]
    return np.stack([np.where(count == 0, 1j * one, np.pi * part) for one, part in zip(q, alone, strict=True)])


def _rotated(q: list[np.ndarray]) -> np.ndarray:
    """Return differences along each axis, averaged over the others."""
    steps = [np.exp(1j * one) for one in q]
    return np.stack(
        [
            np.prod(
                np.broadcast_arrays(*((s - 1.0 if axis == k else (s + 1.0) / 2) for k, s in enumerate(steps))), axis=0
            )
            for axis in range(len(q))
        ]
    )
