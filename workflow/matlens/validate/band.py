"""Bands of the boundaries of a binary diagram: their range over databases that are refits of one."""

import tempfile
from pathlib import Path

import numpy as np

from matlens.job.batch import BadItem
from matlens.thermo import system
from matlens.validate import binaries

COLUMNS = (
    "database", "T_K", "left", "right", "order", "boundary", "mole_fraction_low", "mole_fraction_median",
    "mole_fraction_high", "share_of_refits",
)  # fmt: skip


def band(*, databases: list[dict], elements: list[str], temperatures_k: list[float], points: int, samples: dict):
    """Find the range of each boundary of two-phase regions over the refits of a database, at each temperature.

    databases, elements, temperatures_k, points: as in `diagram.tie_lines`. samples: texts of refits, by the path of
    their database; others have no band. Returns a DataFrame with COLUMNS; no rows for three elements.
    """
    import pandas as pd

    rows: list[dict] = []
    for one in databases:
        texts = samples.get(one["database"], [])
        if texts and len(elements) == 2:
            found = _ends(texts, one["phases"], elements, temperatures_k, points)
            rows += [{"database": one["database"], **row} for row in summary(found, len(texts))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _ends(texts: list[str], phases: list[str], elements: list[str], temperatures_k: list[float], points: int) -> dict:
    """Return mole fractions of the second element by temperature, structures, order and boundary, over all refits."""
    found: dict[tuple, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            path = Path(folder) / f"{number}.tdb"
            path.write_text(text, encoding="utf-8")
            try:
                made = system.system(str(path), elements, phases)
            except BadItem:
                continue
            second = made.elements.index(elements[1].upper())
            for temperature in temperatures_k:
                for key, x in _boundaries(binaries.section(made, float(temperature), points), second):
                    found.setdefault((float(temperature), *key), []).append(x)
    return found


def _boundaries(found: binaries.Section, second: int) -> list[tuple[tuple, float]]:
    """Return both ends of each tie line, with its structures and its number among the ties of the same two."""
    made, seen = [], {}
    ties = [sorted((float(p.x[second]), p.structure) for p in tie.parts) for tie in found.ties]
    for (left, a), (right, b) in sorted(ties):
        order = seen[a, b] = seen.get((a, b), -1) + 1
        made += [((a, b, order, "left"), left), ((a, b, order, "right"), right)]
    return made


def summary(found: dict[tuple, list[float]], refits: int) -> list[dict]:
    """Return a row for each boundary: the smallest, median and largest mole fraction, and how many refits have it."""
    return [
        dict(zip(COLUMNS[1:], (*key, min(x), float(np.median(x)), max(x), len(x) / refits), strict=True))
        for key, x in sorted(found.items())
    ]
