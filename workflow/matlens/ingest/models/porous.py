"""Model: a porous body of overlapping discs or spheres (Boolean model), whose statistics are known exactly."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import sem, synthetic


def union(lag_px: np.ndarray, radius_px: float, axes: int) -> np.ndarray:
    """Return the area (volume) of two discs (spheres) of one radius whose centres are `lag_px` apart."""
    half = np.minimum(np.asarray(lag_px, dtype=float) / (2 * radius_px), 1.0)
    if axes == 2:
        return 2 * radius_px**2 * (np.pi - np.arccos(half) + half * np.sqrt(1 - half**2))
    return 4 / 3 * np.pi * radius_px**3 * (1 + 1.5 * half - 0.5 * half**3)


def expected_s2(lag_px: np.ndarray, uncovered: float, radius_px: float, axes: int) -> np.ndarray:
    """Return S2 of the uncovered phase: exp(-n V2(r)), n = -ln(uncovered) / V.

    S. Torquato, Random Heterogeneous Materials (Springer, 2002), eqs. 5.31 and 5.12.
    """
    return np.exp(np.log(uncovered) * union(lag_px, radius_px, axes) / union(0.0, radius_px, axes))


def plan(*, porosities: tuple = (0.3,), images: int = 4, seed: int = 0):
    """List `images` bodies for each porosity."""
    return synthetic.items(columns.TRUE_MODEL_FRACTION, list(porosities), images, seed, begin="porosity_")


def read(
    item: dict,
    *,
    size_px: tuple = (512, 512),
    pixel_size_um: float | None = 0.2,
    bodies: str = "solid",
    radius_px: float = 10.0,
    greys: tuple = (0.62, 0.16),
    edge: float = 0.12,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one porous body, in two dimensions or three; the truth is a uint8 phase map, 0 solid and 1 pore.

    `bodies`: solid (discs or spheres of solid overlap, pores are what they leave) or pore (the other way round). Their
    number is Poisson, so the porosity of one image scatters about that of the plan; the mean over images is exact, and
    so is S2 (`expected_s2`). `radius_px`: radius of the bodies. `greys`: brightness of solid and pore; `edge`: rim.
    """
    size = synthetic.sized(size_px)
    seed, porosity = int(item[columns.ITEM_SEED]), float(item[columns.TRUE_MODEL_FRACTION])
    rng = np.random.default_rng(seed)
    uncovered = porosity if bodies == "solid" else 1 - porosity
    count = rng.poisson(-np.log(uncovered) * np.prod(size) / union(0.0, radius_px, len(size)))
    centres = rng.uniform(size=(count, len(size))) * np.array(size)
    covered = synthetic.draw(size, centres, np.full(count, float(radius_px))) > 0
    truth = (covered != (bodies == "solid")).astype(np.uint8)
    return synthetic.micrograph(
        np.asarray(greys, dtype=np.float32)[truth],
        truth,
        sem.boundaries(truth),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_FRACTION: float(truth.mean()), columns.TRUE_RADIUS: float(radius_px)},
    )
