"""Designed compositions: a grid, a simplex lattice or random alloys of named elements and a balance element."""

import itertools
import math

import numpy as np

from matlens import columns
from matlens.crystal.compositions import SYMBOLS
from matlens.ingest import compositions, element_columns
from matlens.ingest.compositions import read
from matlens.ingest.element_columns import PART, WHOLE

__all__ = ["plan", "read"]
MOST = 1_000_000  # alloys of a study
EPS = 1e-9  # tolerance of a bound, as a fraction of the whole


def check(
    *,
    elements: dict[str, list[float]],
    balance: str,
    unit: str = "at%",
    design: str = "grid",
    levels: int = 6,
    step: float | None = None,
    balance_min: float = 0.0,
    **_,
) -> None:
    """Raise ValueError if `plan` would fail, without listing any alloy."""
    bounds = _bounds(elements, balance, unit)
    if design != "random":
        _axes(bounds, design, levels, step)
    if sum(low for low, _ in bounds.values()) > WHOLE[unit] * (1 + EPS) - balance_min:
        raise ValueError(_none_left(balance_min, unit, balance))


def _none_left(balance_min: float, unit: str, balance: str) -> str:
    return f"elements: no alloy leaves {balance_min:g} {unit} for {balance}; lower the largest amounts"


def plan(
    *,
    elements: dict[str, list[float]],
    balance: str,
    unit: str = "at%",
    design: str = "grid",
    levels: int = 6,
    step: float | None = None,
    points: int = 100,
    balance_min: float = 0.0,
    seed: int = 0,
):
    """List designed alloys as items with mole fractions.

    `elements`: least and largest amount by symbol, in `unit` (at%, wt% or mole_fraction); `balance` makes up the rest,
    at least `balance_min`. `design` grid: `levels` amounts of each element from its least to its largest, in every
    combination; simplex: every combination of multiples of `step` within the bounds; random: `points` alloys, equally
    likely anywhere within the bounds (drawn from `seed`; more points leave the first as they are). Returns a DataFrame:
    item ("Ni-12Al-10Cr": amounts in `unit`), formula, x_<symbol>. Raises ValueError if the design is impossible.
    """
    import pandas as pd

    bounds = _bounds(elements, balance, unit)
    whole = WHOLE[unit]
    if design == "random":
        amounts = _random(bounds, whole - balance_min, points, seed)
    else:
        axes = _axes(bounds, design, levels, step)
        amounts = np.array(list(itertools.product(*axes)), float).reshape(-1, len(axes))
        amounts = amounts[whole - amounts.sum(axis=1) >= balance_min - EPS * whole]
    if not len(amounts):
        raise ValueError(_none_left(balance_min, unit, balance))
    symbols = sorted([*bounds, balance], key=SYMBOLS.index)
    rest = np.maximum(whole - amounts.sum(axis=1), 0.0)
    table = pd.DataFrame({**dict(zip(bounds, amounts.T, strict=True)), balance: rest})[symbols]
    shares = table / [element_columns.mass(s) if unit == "wt%" else 1.0 for s in symbols]
    shares = shares.div(shares.sum(axis=1), axis=0)
    rows = [{symbol: float(v) for symbol, v in row.items() if v > 0} for row in shares.to_dict("records")]
    names = [name(balance, dict(zip(bounds, row, strict=True))) for row in amounts]
    made = {columns.ITEM: names, "formula": [compositions.formula(row) for row in rows]}
    return pd.DataFrame({**made, **{PART + symbol: shares[symbol] for symbol in symbols}})


def name(balance: str, amounts: dict[str, float]) -> str:
    """Name an alloy by balance and amounts: "Ni-12Al-10Cr"."""
    parts = [f"{amount:.6g}{symbol}" for symbol, amount in amounts.items() if amount > 0]
    return "-".join([balance, *parts])


def _bounds(elements: dict[str, list[float]], balance: str, unit: str) -> dict[str, tuple[float, float]]:
    if not elements:
        raise ValueError("elements: name at least one with its least and largest amount, such as Al: [5, 20]")
    for symbol in [*elements, balance]:
        if symbol not in SYMBOLS:
            raise ValueError(f"elements: unknown element '{symbol}'; use chemical symbols, such as Ni")
    if balance in elements:
        raise ValueError(f"balance: {balance} also has bounds; remove it from 'elements'")
    for symbol, (low, high) in elements.items():
        if not 0 <= low <= high <= WHOLE[unit]:
            raise ValueError(
                f"elements: {symbol} from {low:g} to {high:g} is impossible in {unit} (0 to {WHOLE[unit]:g}, rising)"
            )
    return {symbol: (float(low), float(high)) for symbol, (low, high) in elements.items()}


def _axes(bounds: dict, design: str, levels: int, step: float | None) -> list[np.ndarray]:
    """List the amounts of each element of a lattice."""
    if design == "grid":
        axes = [np.linspace(low, high, levels if high > low else 1) for low, high in bounds.values()]
    else:
        if not step:
            raise ValueError("step: a simplex design needs one, such as step: 5")
        spans = [(math.ceil(low / step - EPS), math.floor(high / step + EPS)) for low, high in bounds.values()]
        axes = [np.arange(first, last + 1) * step for first, last in spans]
    count = math.prod(len(axis) for axis in axes)
    if count > MOST:
        raise ValueError(f"the design has {count} combinations, the limit is {MOST}; use fewer levels or a larger step")
    return axes


def _random(bounds: dict, room: float, points: int, seed: int) -> np.ndarray:
    """Draw alloys within the bounds whose elements leave enough for the balance."""
    low, high = np.array(list(bounds.values())).T
    if points > MOST:
        raise ValueError(f"points: the limit is {MOST} alloys")
    if low.sum() > room:
        return np.zeros((0, len(low)))
    rng, found, tried = np.random.default_rng(seed), [], 0
    while sum(map(len, found)) < points:
        drawn = rng.uniform(low, high, (1024, len(low)))
        found.append(drawn[drawn.sum(axis=1) <= room])
        tried += len(drawn)
        if tried > 1000 * max(points, 1024):
            raise ValueError(
                "elements: almost no alloy within the bounds leaves enough for the balance; lower the largest amounts"
            )
    return np.concatenate(found)[:points]
