"""Group thermodynamic databases by assessment; spread of independent ones.

Databases of one assessment agree because they are the same, so that their spread is no uncertainty.
"""

from collections.abc import Mapping
from pathlib import PurePath

import numpy as np

SAME = 1e-9  # part of a value by which two assessments never agree
DUPIN = "Dupin 2001"  # N. Dupin, I. Ansara, B. Sundman, Calphad 25 (2001) 279: Al-Cr-Ni, the base of all these
KNOWN = dict.fromkeys(("alcrni.tdb", "alcocrni.tdb", "NiCrAl.tdb", "alni_dupin_2001.tdb", "alnipt.tdb"), DUPIN)


def of(database: Mapping) -> str:
    """Return the assessment of a database: from the study, else a known one, else the name of the database."""
    name = database["database"]
    return database.get("assessment") or KNOWN.get(PurePath(name.rpartition(":")[2]).name, name)


def combine(values: Mapping[str, float], behind: Mapping[str, str]) -> tuple[float, float]:
    """Return the mean over assessments of values by database, and half the range; NaN for a single one.

    `behind`: the assessment of every database. One that several databases share counts once.
    """
    grouped: dict[str, list[float]] = {}
    for name, value in values.items():
        grouped.setdefault(behind[name], []).append(value)
    means = [float(np.mean(own)) for own in grouped.values()]
    if not means:
        return np.nan, np.nan
    return float(np.mean(means)), (max(means) - min(means)) / 2 if len(means) > 1 else np.nan


def caution(names, behind: Mapping[str, str]) -> str:
    """Return a warning if all databases share one assessment, else ""."""
    shared = {behind[name] for name in names}
    if len(shared) > 1 or len(list(names)) < 2:
        return ""
    return f"all databases go back to one assessment ({shared.pop()}), so that their spread is no uncertainty"


def alike(values: Mapping[str, float]) -> str:
    """Return a warning if databases have an identical value other than 0 or 1, else ""."""
    found = list(values.values())
    if (
        len(found) < 2
        or max(found) - min(found) > SAME * abs(max(found))
        or min(abs(found[0]), abs(found[0] - 1)) < SAME
    ):
        return ""
    return "the very same value in all databases: name their common 'assessment', if they have one"
