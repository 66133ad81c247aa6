"""Model: spinodal decomposition, the Cahn-Hilliard equation solved in Fourier space."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import sem, synthetic

STABILISER = 1.5  # at least half the largest curvature of the double well, 1, where the energy may never rise
FIRST_STEP, STEP_GROWTH = 0.05, 0.01  # dt = max(first, growth t^(2/3)): the relative error stays the same


def _squared(size: tuple[int, ...]) -> np.ndarray:
    """Return k^2 of every mode of a real FFT, pixels of length 1."""
    waves = [np.fft.fftfreq(n) for n in size[:-1]] + [np.fft.rfftfreq(size[-1])]
    return sum((2 * np.pi * wave) ** 2 for wave in np.meshgrid(*waves, indexing="ij"))


def energy(field: np.ndarray) -> float:
    """Return the free energy per pixel, the mean of (c^2 - 1)^2 / 4 + |grad c|^2 / 2."""
    from scipy import fft

    power = np.abs(fft.rfftn(field)) ** 2 * _squared(field.shape)
    weight = np.full(power.shape[-1], 2.0)  # a real FFT holds each pair of modes once
    weight[0] = 1.0
    if field.shape[-1] % 2 == 0:
        weight[-1] = 1.0
    return float(((field**2 - 1) ** 2).mean() / 4 + (power * weight).sum() / field.size**2 / 2)


def domain_size(field: np.ndarray) -> float:
    """Return the first zero of the periodic autocorrelation, averaged over the axes, in pixels; nan where it has none.

    It grows as t^(1/3). The mean wave number of the structure factor does not show that: its tail of sharp interfaces
    makes it depend on their width.
    """
    from scipy import fft

    power = np.abs(fft.fftn(field - field.mean())) ** 2
    if not power.any():
        return float("nan")
    along = [
        fft.ifft(power.sum(axis=tuple(a for a in range(field.ndim) if a != axis))).real for axis in range(field.ndim)
    ]
    shortest = min(field.shape) // 2 + 1
    mean = sum(line[:shortest] / line[0] for line in along)
    below = np.flatnonzero(mean <= 0)
    if not len(below):
        return float("nan")
    left = below[0] - 1
    return float(left + mean[left] / (mean[left] - mean[left + 1]))


def evolve(field: np.ndarray, times: list[float]):
    """Yield the field at each of the rising `times`: dc/dt = laplacian(c^3 - c - laplacian c), periodic, mean kept.

    Interfaces are tanh(x / sqrt 2), 2.8 pixels wide. Semi-implicit with a linear stabiliser s:
    (1 + dt k^2 (s + k^2)) c' = c - dt k^2 FFT(c^3 - c - s c), after D. J. Eyre, MRS Symp. Proc. 529 (1998) 39.
    With these steps the clock is up to a tenth slow; the energy never rises.
    """
    from scipy import fft

    squared = _squared(field.shape)
    modes, now = fft.rfftn(field), 0.0
    for time in times:
        while now < time:
            step = min(max(FIRST_STEP, STEP_GROWTH * now ** (2 / 3)), time - now)
            drive = field * (field * field - (1 + STABILISER))
            modes -= step * squared * fft.rfftn(drive)
            modes /= 1 + step * squared * (STABILISER + squared)
            field, now = fft.irfftn(modes, s=field.shape), now + step
        yield field


def plan(*, times: tuple = (50, 200, 1000), images: int = 2, seed: int = 0):
    """List `images` independent simulations for each time."""
    return synthetic.items("model_time", list(times), images, seed, "_time")


def read(
    item: dict,
    *,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = 0.002,
    mean_composition: float = 0.0,
    start_noise: float = 0.05,
    greys: tuple = (0.35, 0.65),
    edge: float = 0.0,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Simulate one field from noise to its time, in two dimensions or three; the truth is uint8, 1 where c > 0.

    `mean_composition`: conserved mean of the order parameter, -1 to 1; unstable within 0.577. `start_noise`: standard
    deviation of the start. `greys`: brightness at c = -1 and 1. Domains grow as t^(1/3) at late times.
    """
    size = synthetic.sized(size_px)
    seed = int(item[columns.ITEM_SEED])
    start = start_noise * np.random.default_rng(seed).standard_normal(size)
    field = next(evolve(start - start.mean() + mean_composition, [float(item["model_time"])]))
    truth = (field > 0).astype(np.uint8)
    return synthetic.micrograph(
        greys[0] + (greys[1] - greys[0]) * (field + 1) / 2,
        truth,
        sem.boundaries(truth),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={
            columns.TRUE_FRACTION: float(truth.mean()),
            "true_domain_size_px": domain_size(field),
            "true_energy": energy(field),
        },
    )
