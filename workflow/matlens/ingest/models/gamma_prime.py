"""Model: gamma prime in a nickel superalloy, coarsening with ageing time; plane sections through a 3-D packing."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import packing, synthetic

FEWEST_PX = 2.0  # smallest mean radius that pixels resolve
DEPTH = 6.0  # thickness of the packed block, in mean radii: the largest LSW particle is 3 wide


def lsw_density(size: np.ndarray) -> np.ndarray:
    """Return the Lifshitz-Slyozov-Wagner density of particle radii in units of their mean; 0 from 1.5 on.

    I. M. Lifshitz, V. V. Slyozov, J. Phys. Chem. Solids 19 (1961) 35; C. Wagner, Z. Elektrochem. 65 (1961) 581:
    g(u) = 4/9 u^2 (3 / (3 + u))^(7/3) (3/2 / (3/2 - u))^(11/3) exp(-u / (3/2 - u)).
    """
    size = np.asarray(size, dtype=float)
    inside = (size > 0) & (size < 1.5)
    u = np.where(inside, size, 0.0)
    rest = 1.5 - u
    return inside * 4 / 9 * u**2 * (3 / (3 + u)) ** (7 / 3) * (1.5 / rest) ** (11 / 3) * np.exp(-u / rest)


def lsw_sizes(count: int, rng) -> np.ndarray:
    """Draw radii from the LSW distribution, in units of their mean."""
    size = np.linspace(0, 1.5, 20001)
    density = lsw_density(size)
    total = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
    return np.interp(rng.random(count), total / total[-1], size)


def mean_radius_um(time_h, initial_radius_um: float, rate_um3_per_h: float):
    """Return the mean radius after a time: r^3 = r0^3 + K t (LSW, diffusion-controlled coarsening)."""
    return np.cbrt(initial_radius_um**3 + rate_um3_per_h * np.asarray(time_h, dtype=float))


def plan(
    *,
    ages_h: tuple = (1, 10, 50, 150, 400),
    images: int = 3,
    seed: int = 0,
    initial_radius_um: float = 0.1,
    rate_um3_per_h: float = 1e-4,
    pixel_size_um: float = 0.015,
):
    """List the micrographs of an ageing series: `images` independent fields of view for each age."""
    found = synthetic.items(columns.TIME, list(ages_h), images, seed, "h")
    radius = mean_radius_um(found[columns.TIME], initial_radius_um, rate_um3_per_h)
    found[columns.TRUE_RADIUS], found["true_mean_radius_um"] = radius / pixel_size_um, radius
    found["true_rate_um3_per_h"], found["true_exponent"] = rate_um3_per_h, 3.0
    small = found[columns.TRUE_RADIUS] < FEWEST_PX
    found[columns.REASON] = [
        f"mean radius {r:.2g} px is below {FEWEST_PX:g} px; make pixel_size_um smaller" if bad else None
        for r, bad in zip(found[columns.TRUE_RADIUS], small, strict=True)
    ]
    return found


def block(size: tuple[int, int], mean_px: float, volume_fraction: float, exponent: float, gap_px: float, rng):
    """Pack LSW particles into a periodic block: `(centres, half_widths, depth)` in pixels, axes z, y, x.

    Particles are aligned superellipsoids as large as spheres of LSW radii. The depth is set so that the volume fraction
    is exact; no two particles are nearer than the gap (in the norm of their shape).
    """
    mean_volume = 4 / 3 * np.pi * mean_px**3 * 1.13  # <u^3> of LSW, to choose the number of particles
    count = max(1, round(volume_fraction * size[0] * size[1] * DEPTH * mean_px / mean_volume))
    radii = mean_px * lsw_sizes(count, rng)
    half = packing.half_width_of(radii, exponent, 3)
    depth = float((4 / 3 * np.pi * radii**3).sum() / (volume_fraction * size[0] * size[1]))
    centres = packing.pack(half, (depth, *size), rng, exponent=exponent, gap=gap_px)
    return centres, half, depth


def read(
    item: dict,
    *,
    size_px: tuple = (512, 512),
    pixel_size_um: float = 0.015,
    volume_fraction: float = 0.5,
    shape: str = "cuboid",
    squareness: float = 6.0,
    gap: float = 0.1,
    waviness: float = 0.05,
    greys: tuple = (0.62, 0.42),
    grey_spread: float = 0.015,
    edge: float = 0.12,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one micrograph: a plane section (through cuboids: along a cube face) of particles packed in 3-D.

    The truth is a uint8 phase map, 0 gamma and 1 gamma prime. Over sections the area fraction has the volume fraction
    as its mean (Delesse); the mean radius of circles cut from spheres is pi/4 <r^2>/<r> = 0.822 of their mean radius.
    `shape`: sphere, or cuboid: |x|^p + |y|^p + |z|^p <= a^p with p = `squareness`, as large as the sphere. `gap`:
    narrowest channel between particles, in mean radii (less where it does not fit). `waviness`: unevenness of the
    outlines, in mean radii. `greys`: brightness of gamma and gamma prime; `grey_spread`: deviation from particle to
    particle; `edge`: rim of the particles.
    """
    size = synthetic.sized(size_px, (2,))
    seed, mean_px = int(item[columns.ITEM_SEED]), float(item[columns.TRUE_RADIUS])
    rng = np.random.default_rng(seed)
    exponent = 2.0 if shape == "sphere" else squareness
    centres, half, depth = block(size, mean_px, volume_fraction, exponent, gap * mean_px, rng)
    away = np.abs(centres[:, 0] - depth * np.round(centres[:, 0] / depth))
    cut = np.flatnonzero(away < half)
    # A plane at distance z cuts a superellipsoid in a superellipse of the same exponent.
    width = half[cut] * (1 - (away[cut] / half[cut]) ** exponent) ** (1 / exponent)
    regions = synthetic.draw(size, centres[cut, 1:], width, exponent)
    if waviness > 0:
        regions = synthetic.warp(regions, waviness * mean_px, 0.4 * mean_px, rng)
    radius = packing.half_width_of(1.0, exponent, 2)
    return synthetic.of_bodies(
        regions,
        np.where(np.arange(len(cut) + 1) == 0, *greys),
        grey_spread,
        seed,
        rng,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={
            columns.TRUE_MODEL_FRACTION: volume_fraction,
            columns.TRUE_REGIONS: int(np.count_nonzero(np.bincount(regions.ravel())[1:])),
            columns.TRUE_SECTION_RADIUS: float(width.mean() / radius) if len(cut) else float("nan"),
        },
    )
