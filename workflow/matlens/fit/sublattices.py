"""Free energy of two elements on equal sublattices of fcc (four) or bcc (two): end members, interaction, ideal entropy.

One model holds A1, L1_2 and L1_0, or A2 and B2. Energies in J per mole of atoms; `y`: fractions of the second element
on the sublattices. Source: M. Hillert, J. Alloys Compd. 320 (2001) 161 (compound energy formalism); W. L. Bragg, E. J.
Williams, Proc. R. Soc. A 145 (1934) 699 (mean field of long-range order).
"""

from functools import cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

R = 8.31446261815324
JOULE = 96485.33212331  # of one eV per atom, per mole
MEV = 1000 / JOULE
COMPOSITIONS = {
    "fcc": {"L1_2 rich in the first": 0.25, "L1_0": 0.5, "L1_2 rich in the second": 0.75},
    "bcc": {"B2": 0.5},
}
PHASES = {"fcc": "FCC_4SL", "bcc": "BCC_2SL"}
HOTTEST_K, COLDEST_K = 6000.0, 1.0
GAIN = 1e-6  # J/mol by which an ordered state has to be below the disordered one


class Result(NamedTuple):
    """A fit: text of the database, table of cells, table of transitions, and texts of databases of refits."""

    database: str
    cells: object
    transitions: object
    samples: list[str]


class Model(NamedTuple):
    """Parameters of a lattice, in J per mole of atoms.

    members: energies of the ordered end members, by their number of sublattices of the second element (3,) or (1,),
    from the elements. interaction: (degree + 1,). pure: energies (2,) of the elements on this lattice. short_range:
    J/mol, what short-range order adds per product of four fractions of two sublattices.
    Source of the last: T. Abe, B. Sundman, Calphad 27 (2003) 403 (reciprocal parameter for short-range order).
    """

    members: np.ndarray
    interaction: np.ndarray
    pure: tuple[float, float] = (0.0, 0.0)
    short_range: float = 0.0

    @property
    def sublattices(self) -> int:
        """Return the number of sublattices."""
        return len(self.members) + 1


@cache
def configurations(sublattices: int) -> np.ndarray:
    """Return which sublattices the second element occupies in each end member (2^n, n)."""
    return np.array(list(product((0, 1), repeat=sublattices)))


def features(x: np.ndarray, degree: int, sublattices: int = 4) -> np.ndarray:
    """Return what multiplies each interaction in the energy of a random alloy (n, degree + 1)."""
    x = np.asarray(x, float)[:, None]
    return sublattices * x * (1 - x) * (1 - 2 * x) ** np.arange(degree + 1)


def levels(model: Model) -> np.ndarray:
    """Return the energy of each end member (2^n,)."""
    return np.array([model.pure[0], *model.members, model.pure[1]])[configurations(model.sublattices).sum(axis=1)]


def energy(model: Model, y: np.ndarray) -> np.ndarray:
    """Return the energy (...,) J/mol for occupations (..., n) without short-range order."""
    share = np.where(configurations(model.sublattices) == 1, y[..., None, :], 1 - y[..., None, :]).prod(axis=-1)
    powers = (1 - 2 * y[..., None]) ** np.arange(len(model.interaction))
    regular = (y * (1 - y) * (powers @ model.interaction)).sum(axis=-1)
    return share @ levels(model) + regular


def pairs(y: np.ndarray) -> np.ndarray:
    """Return the sum over pairs of sublattices of the product of their four fractions (...,)."""
    both = y * (1 - y)
    return sum(both[..., a] * both[..., b] for a, b in combinations(range(y.shape[-1]), 2))


def free_energy(model: Model, y: np.ndarray, temperature: float) -> np.ndarray:
    """Return the free energy (...,) J/mol."""
    inside = np.clip(y, 1e-15, 1 - 1e-15)
    entropy = -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside)).mean(axis=-1)
    return energy(model, y) + pairs(y) * model.short_range - R * temperature * entropy


def paths(x: float, points: int = 2001, sublattices: int = 4) -> np.ndarray:
    """Return occupations from disorder to full order at a composition of COMPOSITIONS (points, n)."""
    order = np.linspace(0, 1, points)[:, None]
    full = (np.arange(sublattices) < round(x * sublattices)).astype(float)
    return x + order * (full - x)


def transition(model: Model, x: float) -> float:
    """Return the temperature below which an ordered state is the more stable at a composition, K; 0: none."""
    y = paths(x, sublattices=model.sublattices)

    def ordered(temperature: float) -> bool:
        g = free_energy(model, y, temperature)
        return bool(g.min() < g[0] - GAIN)

    falling = np.geomspace(HOTTEST_K, COLDEST_K, 24)
    low = next((t for t in falling if ordered(t)), 0.0)
    high = min(HOTTEST_K, low * falling[0] / falling[1])
    while high - low > 0.1:
        middle = (low + high) / 2
        low, high = (middle, high) if ordered(middle) else (low, middle)
    return float(low)


def gap(model: Model) -> float:
    """Return the temperature below which the disordered alloy is unstable against demixing at some composition, K.

    Short-range order is left out.
    """
    x = np.linspace(0.0, 1.0, 2001)
    h = energy(model, np.repeat(x[:, None], model.sublattices, axis=1))
    curvature = np.diff(h, 2) / (x[1] - x[0]) ** 2
    inner = x[1:-1]
    return float(max(0.0, (-inner * (1 - inner) * curvature / R).max()))


def interaction(model: Model, x: np.ndarray, target: np.ndarray, degree: int) -> tuple[Model, np.ndarray]:
    """Fit the interaction to energies (n,) J/mol of random alloys; returns the model and deleted residuals (n,)."""
    plain = model._replace(interaction=np.zeros(degree + 1))
    rest = target - energy(plain, np.repeat(x[:, None], model.sublattices, axis=1))
    rows = features(x, degree, model.sublattices)
    found = np.linalg.lstsq(rows, rest, rcond=None)[0]
    basis, _ = np.linalg.qr(rows)
    free = np.maximum(1 - (basis**2).sum(axis=1), 1e-9)
    return model._replace(interaction=found), (rest - rows @ found) / free


def phase_orders(model: Model, elements: list[str], phase: str, references=("", ""), pure=("", "")) -> list[str]:
    """Write a phase as orders of a TDB file.

    elements: in the order of the alphabet, the second is that of `y`. references: names of functions with the Gibbs
    energies of the elements that energies refer to; "": 0. pure: those of the elements on this lattice, which replace
    the energies of the model.
    """
    first, second = (symbol.upper() for symbol in elements)
    both, many = f"{first},{second}", model.sublattices
    sites = ":".join([both] * many)
    lines = [f"PHASE {phase} % {many} {' '.join([f'{1 / many:g}'] * many)} !", f"CONSTITUENT {phase} :{sites}: !"]

    def parameter(names: list[str], power: int, value: str) -> str:
        return f"PARAMETER G({phase},{':'.join(names)};{power}) 1 {value}; {HOTTEST_K:g} N !"

    for one, level in zip(configurations(many), levels(model), strict=True):
        parts = zip((1 - one.mean(), one.mean()), references, strict=True)
        value = f"{level:.6f}" + "".join(f"+{share:g}*{name}#" for share, name in parts if share and name)
        alone = pure[one[0]] if len(set(one.tolist())) == 1 else ""
        value = f"+{alone}#" if alone else value
        lines.append(parameter([second if kind else first for kind in one], 0, value))
    for power, value in enumerate(model.interaction):
        for place in range(many):
            lines.append(parameter([both if place == k else "*" for k in range(many)], power, f"{value:.6f}"))
    if model.short_range:
        for chosen in combinations(range(many), 2):
            names = [both if k in chosen else "*" for k in range(many)]
            lines.append(parameter(names, 0, f"{model.short_range:.6f}"))
    return lines


def database(model: Model, elements: list[str], phase: str, about: str) -> str:
    """Write one model as a TDB file. elements: in the order of the alphabet, the second is that of `y`."""
    return document(phase_orders(model, elements, phase), elements, about)


def document(lines: list[str], elements: list[str], about: str) -> str:
    """Write orders of phases and functions as a TDB file of two elements."""
    head = [f"$ {about}", "ELEMENT VA VACUUM 0 0 0 !"]
    head += [f"ELEMENT {symbol.upper()} FCC_A1 0 0 0 !" for symbol in elements]
    return "\n".join([*head, "TYPE_DEFINITION % SEQ * !", *lines]) + "\n"
