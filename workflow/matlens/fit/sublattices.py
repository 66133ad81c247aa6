"""Free energy of two elements on four equal sublattices of fcc: end members, interaction, ideal entropy.

One model holds A1, L1_2 and L1_0. Energies in J per mole of atoms; `y`: fractions of the second element on the four
sublattices. Source: M. Hillert, J. Alloys Compd. 320 (2001) 161 (compound energy formalism); W. L. Bragg, E. J.
Williams, Proc. R. Soc. A 145 (1934) 699 (mean field of long-range order).
"""

from itertools import product
from typing import NamedTuple

import numpy as np

R = 8.31446261815324
CONFIGURATIONS = np.array(list(product((0, 1), repeat=4)))
COMPOSITIONS = {"L1_2 rich in the first": 0.25, "L1_0": 0.5, "L1_2 rich in the second": 0.75}
HOTTEST_K = 6000.0
GAIN = 1e-6  # J/mol by which an ordered state has to be below the disordered one


class Model(NamedTuple):
    """Parameters in J/mol: `members` (3,), of L1_2, L1_0 and L1_2, from the elements; `interaction` (degree + 1,)."""

    members: np.ndarray
    interaction: np.ndarray


def features(x: np.ndarray, degree: int) -> np.ndarray:
    """Return what multiplies each interaction in the energy of a random alloy (n, degree + 1)."""
    x = np.asarray(x, float)[:, None]
    return 4 * x * (1 - x) * (1 - 2 * x) ** np.arange(degree + 1)


def energy(model: Model, y: np.ndarray) -> np.ndarray:
    """Return the energy of mixing (...,) J/mol for occupations (..., 4)."""
    share = np.where(CONFIGURATIONS == 1, y[..., None, :], 1 - y[..., None, :]).prod(axis=-1)
    levels = np.concatenate([[0.0], model.members, [0.0]])[CONFIGURATIONS.sum(axis=1)]
    powers = (1 - 2 * y[..., None]) ** np.arange(len(model.interaction))
    regular = (y * (1 - y) * (powers @ model.interaction)).sum(axis=-1)
    return share @ levels + regular


def free_energy(model: Model, y: np.ndarray, temperature: float) -> np.ndarray:
    """Return the free energy of mixing (...,) J/mol."""
    inside = np.clip(y, 1e-15, 1 - 1e-15)
    entropy = -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside)).mean(axis=-1)
    return energy(model, y) - R * temperature * entropy


def paths(x: float, points: int = 2001) -> np.ndarray:
    """Return occupations from disorder to full order at a composition of COMPOSITIONS (points, 4)."""
    order = np.linspace(0, 1, points)[:, None]
    full = {0.25: (1, 0, 0, 0), 0.5: (1, 1, 0, 0), 0.75: (1, 1, 1, 0)}[x]
    return x + order * (np.array(full, float) - x)


def transition(model: Model, x: float) -> float:
    """Return the temperature below which an ordered state is the more stable at a composition, K; 0: none."""
    y = paths(x)

    def ordered(temperature: float) -> bool:
        g = free_energy(model, y, temperature)
        return bool(g.min() < g[0] - GAIN)

    low, high = 1.0, HOTTEST_K
    if not ordered(low):
        return 0.0
    while high - low > 0.1:
        middle = (low + high) / 2
        low, high = (middle, high) if ordered(middle) else (low, middle)
    return low


def gap(model: Model) -> float:
    """Return the temperature below which the disordered alloy is unstable against demixing at some composition, K."""
    x = np.linspace(0.0, 1.0, 2001)
    h = energy(model, np.repeat(x[:, None], 4, axis=1))
    curvature = np.diff(h, 2) / (x[1] - x[0]) ** 2
    inner = x[1:-1]
    return float(max(0.0, (-inner * (1 - inner) * curvature / R).max()))


def database(model: Model, elements: list[str], phase: str, about: str) -> str:
    """Write the model as a TDB file. elements: in the order of the alphabet, the second is that of `y`."""
    first, second = (symbol.upper() for symbol in elements)
    both = f"{first},{second}"
    lines = [f"$ {about}", "ELEMENT VA VACUUM 0 0 0 !"]
    lines += [f"ELEMENT {symbol} FCC_A1 0 0 0 !" for symbol in (first, second)]
    lines += ["TYPE_DEFINITION % SEQ * !", f"PHASE {phase} % 4 0.25 0.25 0.25 0.25 !"]
    lines += [f"CONSTITUENT {phase} :{both}:{both}:{both}:{both}: !"]
    levels = [0.0, *model.members, 0.0]
    for one in CONFIGURATIONS:
        names = ":".join(second if kind else first for kind in one)
        lines.append(f"PARAMETER G({phase},{names};0) 1 {levels[one.sum()]:.6f}; {HOTTEST_K:g} N !")
    for power, value in enumerate(model.interaction):
        for place in range(4):
            names = ":".join(both if place == k else "*" for k in range(4))
            lines.append(f"PARAMETER G({phase},{names};{power}) 1 {value:.6f}; {HOTTEST_K:g} N !")
    return "\n".join(lines) + "\n"
