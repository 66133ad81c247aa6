"""Model: micrographs of nickel alloys of many compositions; CALPHAD sets how much gamma prime each of them has.

The volume fraction is the equilibrium fraction of the phase, by moles of atoms: molar volumes of the two phases differ
by about 1 %. The particles are those of the model `gamma_prime`, of one mean size.
"""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, alloys
from matlens.ingest.element_columns import PART
from matlens.ingest.models import gamma_prime, synthetic
from matlens.job.batch import BadItem

FEWEST, MOST = 0.02, 0.7  # fractions that the model of particles can pack


def plan(
    *,
    elements: dict[str, list[float]],
    balance: str,
    unit: str = "at%",
    levels: int = 6,
    database: str,
    phases: list[str],
    structure: str = "l1_2",
    temperature_k: float = 1073.0,
    images: int = 4,
    train_part: float = 0.5,
    seed: int = 0,
):
    """List `images` micrographs for every alloy of a grid; a part of the alloys, drawn by `seed`, is train.

    `elements`, `balance`, `unit`, `levels`: see `alloys`; `structure`: of the phase in the database. The columns are
    x_<symbol>, group (the alloy), split and the equilibrium fraction. An alloy whose fraction is unknown, or outside
    0.02 to 0.7, has a reason.
    """
    import pandas as pd

    grid = alloys.plan(elements=elements, balance=balance, unit=unit, levels=levels)
    parts = [name for name in grid if name.startswith(PART)]
    shares = [
        {name.removeprefix(PART): row[name] for name in parts if row[name] > 0} for row in grid.to_dict("records")
    ]
    found = [_fraction(line, structure) for line in _lines(database, phases, shares, temperature_k)]
    grid[columns.TRUE_MODEL_FRACTION] = [np.nan if isinstance(one, str) else one for one in found]
    grid[columns.REASON] = [one if isinstance(one, str) else _unfit(one) for one in found]
    order = np.random.default_rng([seed, 23]).permutation(len(grid))
    learned = np.isin(np.arange(len(grid)), order[: round(train_part * len(grid))])
    grid[columns.SPLIT], grid[columns.GROUP] = np.where(learned, "train", "test"), grid[columns.ITEM]
    made = pd.concat([grid.assign(image=number) for number in range(images)]).sort_index(kind="stable")
    made[columns.ITEM] = [f"{alloy}_{n:04d}" for alloy, n in zip(made[columns.ITEM], made.pop("image"), strict=True)]
    seeds = [synthetic.seed_of(seed, number) for number in range(len(made))]
    return made.assign(**{columns.ITEM_SEED: seeds}).reset_index(drop=True)


def _lines(database: str, phases: list[str], shares: list[dict], temperature_k: float) -> list:
    """Return the equilibria of alloys at one temperature, or why there are none."""
    from matlens.thermo import quantities

    found = quantities.lines(database, phases, shares, [temperature_k], False)
    return [one if isinstance(one, BadItem) else one[2][0] for one in found]


def _fraction(found, structure: str) -> float | str:
    """Return the fraction of a structure in an equilibrium, or the reason why it is unknown."""
    from matlens.thermo import equilibria

    return str(found) if isinstance(found, BadItem) else float(equilibria.fractions(found).get(structure, 0.0))


def _unfit(fraction: float) -> str | None:
    """Return why an alloy cannot be imaged; None if it can."""
    if FEWEST <= fraction <= MOST:
        return None
    return f"its equilibrium fraction is {fraction:.3g}, and particles are packed from {FEWEST:g} to {MOST:g}"


def read(
    item: dict,
    *,
    size_px: tuple = (64, 64),
    pixel_size_um: float = 0.015,
    radius_px: float = 4.0,
    shape: str = "cuboid",
    greys: tuple = (0.62, 0.42),
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one micrograph; the truth is a uint8 phase map, 0 gamma and 1 gamma prime.

    `radius_px`: mean radius of the particles; the others as of `gamma_prime`.
    """
    row = {columns.ITEM_SEED: item[columns.ITEM_SEED], columns.TRUE_RADIUS: radius_px}
    fraction = float(item[columns.TRUE_MODEL_FRACTION])
    return gamma_prime.read(
        row, size_px=size_px, pixel_size_um=pixel_size_um, volume_fraction=fraction, shape=shape, greys=greys,
        imaging=imaging,
    )  # fmt: skip
