"""Compare the measured fraction of a phase in micrographs with its fraction at equilibrium by CALPHAD."""

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.job.batch import BadItem
from matlens.thermo import assessments, database, quantities, system
from matlens.thermo.equilibria import Equilibrium, fractions
from matlens.validate import exchange_format

ZERO_C = 273.15
COLUMNS = (
    columns.ITEM, columns.METHOD, columns.PHASE_NAME, "structure", "temperature_k", "measured", "measured_error",
    "measured_low", "measured_high", "database", "calphad", "basis", "calphad_spread", "difference", "agrees",
    columns.REASON,
)  # fmt: skip
BASIS = {True: "volume", False: "moles of atoms, not volume"}


def bridge(
    measured: dict,
    index,
    *,
    composition: dict,
    phase: str,
    structure: str,
    databases: list[dict],
    unit: str = "wt%",
    temperature_k: float | None = None,
    temperatures_k: list[float] | None = None,
    molar_volumes_cm3: dict[str, float] | None = None,
):
    """Compare the area fraction of a phase in micrographs with its fraction at equilibrium.

    `measured`: tables `fractions` by method; `index`: the items. `composition`: amounts by symbol in `unit`, one of
    them may be "bal". `phase`: its name in the segmentation; `structure`: in the databases (l1_2 is gamma prime).
    `temperature_k`: of the heat treatment; None for the column temperature_c of the index. `temperatures_k`: further
    ones, for the figure. Area fractions are volume fractions of what is isotropic; CALPHAD counts atoms, and is turned
    into volumes where `molar_volumes_cm3` gives those of all its phases: the column `basis` says which. `agrees`:
    whether CALPHAD lies in the 95 % interval of the measurement, widened by half the range of independent databases.
    Returns that table, and the equilibria (the neutral response).
    """
    import pandas as pd

    shares = compositions.shares(composition, unit)
    items = _temperatures(index, temperature_k)
    asked = sorted({*(float(t) for t in items["T_K"].dropna().unique()), *map(float, temperatures_k or [])})
    expected, basis, why, responses = {}, {}, {}, []
    for one in databases:
        name = one["database"]
        _has(name, one["phases"], structure)
        line = quantities.lines(name, one["phases"], [shares], asked, False)[0]
        responses += exchange_format.rows("alloy", 1, name, database.sha256(name), line, asked, molar_volumes_cm3)
        for temperature, found in _answers(line, asked):
            why[name, temperature] = (
                "" if isinstance(line, BadItem) else "; ".join(system.remarks(line[0], [temperature]))
            )
            if isinstance(found, Equilibrium):
                parts, basis[name, temperature] = _fractions(found, molar_volumes_cm3)
                expected[name, temperature] = parts.get(structure, 0.0)
            else:
                why[name, temperature] = "; ".join(filter(None, [str(found), why[name, temperature]]))
    rows = [
        row
        for method, table in measured.items()
        for row in _rows(
            method,
            table,
            items,
            phase,
            structure,
            {one["database"]: assessments.of(one) for one in databases},
            expected,
            why,
            basis,
        )
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)), exchange_format.table(responses)


def _has(name: str, phases: list[str], structure: str) -> None:
    try:
        quantities.has(name, phases, structure)
    except BadItem as error:
        raise ValueError(f"bridge.structure: {error}") from error


def _temperatures(index, temperature_k: float | None):
    """Return the temperature of every item. Raises ValueError if one has none."""
    if temperature_k is not None:
        return index.assign(T_K=float(temperature_k))
    if columns.TEMPERATURE not in index:
        raise ValueError("bridge.temperature_k: give it, for the index has no column temperature_c")
    return index.assign(T_K=index[columns.TEMPERATURE].astype(float) + ZERO_C)


def _answers(line, asked: list[float]):
    return [(t, line) for t in asked] if isinstance(line, BadItem) else list(zip(asked, line[2], strict=True))


def _fractions(found: Equilibrium, molar_volumes) -> tuple[dict[str, float], bool]:
    """Return volume fractions if the molar volumes are known, else fractions of atoms; and which of them."""
    try:
        return quantities.by_volume(fractions(found), molar_volumes), True
    except BadItem:
        return fractions(found), False


def _rows(method, table, items, phase, structure, behind, expected, why, basis) -> list[dict]:
    known = items.set_index(columns.ITEM)["T_K"].to_dict()
    own = table[table[columns.PHASE_NAME] == phase]
    if len(table) and not len(own):
        there = ", ".join(sorted(table[columns.PHASE_NAME].unique()))
        raise ValueError(f"bridge.phase: no phase '{phase}' was measured; there are {there}")
    rows = []
    for row in own.to_dict("records"):
        t = known.get(row[columns.ITEM], np.nan)
        there = {name: expected[name, t] for name in behind if (name, t) in expected}
        alike = len({basis[name, t] for name in there}) < 2  # volumes and atoms have no spread
        spread = assessments.combine(there, behind)[1] if alike else np.nan
        wide = 0.0 if np.isnan(spread) else spread
        low, high = row.get("area_fraction_low", np.nan), row.get("area_fraction_high", np.nan)
        for name in behind:
            value, of = expected.get((name, t), np.nan), BASIS[basis.get((name, t), False)]
            agrees = bool(low - wide <= value <= high + wide) if np.isfinite([low, high, value]).all() else None
            values = (
                row[columns.ITEM], method, phase, structure, t, row[columns.AREA_FRACTION],
                row.get("area_fraction_error", np.nan), low, high, name, value, of, spread,
                row[columns.AREA_FRACTION] - value, agrees, why.get((name, t), ""),
            )  # fmt: skip
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows
