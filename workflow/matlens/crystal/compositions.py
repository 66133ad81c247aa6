"""Compositions as numbers: formulas parsed once, and the Magpie statistics of many of them at a time."""

import re
from collections.abc import Mapping
from functools import cache

import numpy as np

SYMBOLS = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc
Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi
Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
""".split()  # noqa: SIM905
NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS, 1)}
STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
CHUNK = 20_000  # compositions described at a time: bounded memory


def parse(formulas) -> tuple[np.ndarray, np.ndarray]:
    """Read formulas ("Ni3Al", "Ni0.7Al0.3") as elements and mole fractions.

    Returns atomic numbers (n, k) int16, 0 where a formula has fewer than k elements, and mole fractions (n, k), which
    sum to 1. A formula that is not one is a ValueError that names it.
    """
    from pymatgen.core import Composition

    known = {}
    for formula in dict.fromkeys(formulas):
        try:
            parts = Composition(formula).fractional_composition.items()
            known[formula] = [(element.Z, fraction) for element, fraction in parts]
        except Exception as error:
            raise ValueError(f"composition '{formula}' cannot be read: {error}") from error
        if not known[formula] or not all(1 <= z <= 118 for z, _ in known[formula]):
            raise ValueError(f"composition '{formula}' has no elements, or one that does not exist")
    width = max(map(len, known.values()), default=1)
    padded = {formula: parts + [(0, 0.0)] * (width - len(parts)) for formula, parts in known.items()}
    table = np.array([padded[formula] for formula in formulas], float).reshape(-1, width, 2)
    return table[..., 0].astype(np.int16), table[..., 1]


def readable(formula: str) -> bool:
    """Check whether `parse` reads a formula."""
    try:
        parse([formula])
    except ValueError:
        return False
    return True


def written(formula: str) -> str:
    """Return a formula as chemists write it, with elements by electronegativity: "O2Ti" is TiO2; for people alone."""
    parts = re.findall(r"([A-Z][a-z]?)([0-9.]*)", formula)
    if "".join(symbol + amount for symbol, amount in parts) != formula or any(s not in NUMBER for s, _ in parts):
        return formula  # brackets, text
    return "".join(symbol + amount for symbol, amount in sorted(parts, key=lambda part: _electronegativity(part[0])))


@cache
def _electronegativity(symbol: str) -> float:
    """Return Pauling's electronegativity; infinite for elements without one."""
    from pymatgen.core import Element

    value = Element(symbol).data.get("X")
    return float("inf") if value is None or value != value else float(value)


def identities(formulas) -> list[tuple[tuple[int, int], ...]]:
    """Return a key per composition from elements and thousandths, so that FeO1.5 is Fe2O3, and O2 is O (n)."""
    numbers, fractions = parse(formulas)
    parts = np.rint(1000 * fractions).astype(int)
    return [
        tuple(sorted((z, part) for z, part in zip(*row, strict=True) if z))
        for row in zip(numbers.tolist(), parts.tolist(), strict=True)
    ]


def identity(amounts: Mapping[str, float]) -> tuple[tuple[int, int], ...]:
    """Return the key of `identities` of one composition, given as amounts by symbol."""
    total = sum(amounts.values())
    return tuple(sorted((NUMBER[symbol], round(1000 * (amount / total))) for symbol, amount in amounts.items()))


def dense(numbers: np.ndarray, fractions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the compositions of `parse` as a table with one column per element that occurs.

    Returns the atomic numbers of the columns (e,), sorted, and mole fractions (n, e).
    """
    present = np.unique(numbers[numbers > 0])
    table = np.zeros((len(numbers), len(present)))
    for part, share in zip(numbers.T, fractions.T, strict=True):
        rows = np.flatnonzero(part > 0)
        table[rows, np.searchsorted(present, part[rows])] += share[rows]
    return present, table


@cache
def _elements() -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the properties of elements by atomic number (119, 22), and their names."""
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Element

    preset = ElementProperty.from_preset("magpie", impute_nan=True)
    values = preset.data_source.all_elemental_props
    rows = [[values[name][Element.from_Z(z).symbol] for name in preset.features] for z in range(1, 119)]
    return np.array([[np.nan] * len(preset.features), *rows], float), tuple(preset.features)


def properties() -> np.ndarray:
    """Return the 22 properties of Magpie by atomic number (119, 22); NaN for number 0."""
    return _elements()[0]


def property_names() -> tuple[str, ...]:
    """Return the names of these properties."""
    return _elements()[1]


def magpie_names() -> list[str]:
    """Return the names of the 132 statistics, as in matminer."""
    return [f"MagpieData {statistic} {name}" for name in property_names() for statistic in STATISTICS]


def magpie(formulas) -> np.ndarray:
    """Describe compositions by the 132 Magpie statistics of their elements; returns float64 (n, 132).

    Minimum, maximum, range, mean, mean absolute deviation and mode, weighted by mole fraction, of 22 properties. What
    is not known of an element is the mean over the elements. A formula that cannot be read is a ValueError.
    Source: L. Ward et al., npj Comput. Mater. 2 (2016) 16028; data and conventions of matminer, which this equals.
    """
    unique, back = np.unique(np.asarray(formulas, dtype=object).astype(str), return_inverse=True)
    numbers, fractions = parse(unique.tolist())
    described = [_describe(numbers[at : at + CHUNK], fractions[at : at + CHUNK]) for at in range(0, len(unique), CHUNK)]
    return np.concatenate([np.zeros((0, len(magpie_names()))), *described])[back]


def _describe(numbers: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    there, weights = (numbers > 0)[..., None], fractions[..., None]
    values = np.where(there, _elements()[0][numbers], 0.0)  # (n, k, 22)
    low = np.where(there, values, np.inf).min(axis=1)
    high = np.where(there, values, -np.inf).max(axis=1)
    mean = (values * weights).sum(axis=1)
    deviation = (np.abs(values - mean[:, None]) * weights).sum(axis=1)
    most = np.isclose(weights, weights.max(axis=1, keepdims=True))  # of equal shares the least value
    mode = np.where(there & most, values, np.inf).min(axis=1)
    return np.stack([low, high, high - low, mean, deviation, mode], axis=2).reshape(len(numbers), -1)


def shares(amounts: dict, unit: str = "at%") -> dict[str, float]:
    """Turn amounts by symbol in at%, wt% or mole_fraction into mole fractions that sum to 1; one may be "bal".

    ValueError says why they are no composition: an unknown element, a negative amount, a wrong sum.
    """
    from pymatgen.core import Element

    whole = 1.0 if unit == "mole_fraction" else 100.0
    balance = [symbol for symbol, amount in amounts.items() if str(amount).lower() in ("bal", "bal.", "balance")]
    for symbol in amounts:
        if symbol not in SYMBOLS:
            raise ValueError(f"composition: unknown element '{symbol}'; give chemical symbols, such as Ni")
    if len(balance) > 1:
        raise ValueError(f"composition: {' and '.join(balance)} are both the balance; only one can be")
    found = {symbol: float(amount) for symbol, amount in amounts.items() if symbol not in balance}
    found |= {symbol: whole - sum(found.values()) for symbol in balance}
    if min(found.values(), default=-1.0) < 0:
        raise ValueError("composition: an amount is negative, or too much stands beside the balance")
    if abs(sum(found.values()) - whole) > 0.005 * whole:
        raise ValueError(
            f"composition: it sums to {sum(found.values()):g} {unit}, not to {whole:g}; or write bal for one"
        )
    atoms = {s: a / (float(Element(s).atomic_mass) if unit == "wt%" else 1.0) for s, a in found.items()}
    return {symbol: amount / sum(atoms.values()) for symbol, amount in atoms.items()}


def of_row(row: Mapping) -> dict[str, float]:
    """Read the nonzero mole fractions by symbol from the columns x_<symbol> of a row."""
    found = {name.removeprefix("x_"): float(value) for name, value in row.items() if name.startswith("x_")}
    return {symbol: share for symbol, share in found.items() if share == share and share != 0}
