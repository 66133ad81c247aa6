"""Crystal inputs with known answers (cases/crystals of the public data): each is right, or refused for its true reason.

Predictions for these inputs are compared in tests/predict/test_crystal_cases.py.
"""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from matlens import columns
from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.kernels import closest
from matlens.ingest.crystals import structures
from matlens.job import batch

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("MATLENS_DATA", ROOT.parent / "shared" / "data")) / "cases/crystals"
HERE = ("read", "rejected", "table")  # verdicts that need no network


def inputs(verdicts=HERE) -> list:
    """List (folder, one input of its expected.json) of the verdicts."""
    found = []
    for file in sorted(FOLDER.glob("*/expected.json")):
        for one in json.loads(file.read_text())["inputs"]:
            flagged = any("outside_training_range" in right for right in one["right"])
            if one["right"][0]["verdict"] in verdicts and not flagged:
                name = f"{one['input']} {json.dumps(one.get('options', {}))}"
                found.append(pytest.param(file.parent, one, id=f"{file.parent.name[:2]} {name}"))
    return found or [pytest.param(None, None, marks=pytest.mark.skip(reason="the cases are not on this machine"))]


def read_all(path: Path, **options) -> tuple[dict, dict, object]:
    """Plan and read a file: crystals by item, reasons by item, the plan."""
    plan = structures.plan(path=str(path))
    lost, found = {}, {}
    for row in plan.to_dict("records"):
        try:
            if row[columns.REASON]:
                raise batch.BadItem(row[columns.REASON])
            found[row[columns.ITEM]] = structures.read(row, **options)
        except batch.BadItem as error:
            lost[row[columns.ITEM]] = str(error)
    return found, lost, plan


def fault(crystal, notes: str, right: dict) -> str | None:
    """Describe how a crystal differs from the reference."""
    kinds = dict(Counter(SYMBOLS[z - 1] for z in crystal.species))
    if kinds != right["species"] or len(crystal.species) != right["atoms"]:
        return f"it has {kinds}"
    volume = abs(np.linalg.det(crystal.cell))
    if abs(volume / right["volume_a3"] - 1) > right["volume_rel_tol"]:
        return f"its volume is {volume}"
    if "shortest_distance_a" in right:
        distance = closest(np.ascontiguousarray(crystal.cell), np.ascontiguousarray(crystal.frac), 20.0)[0]
        if abs(distance - right["shortest_distance_a"]) > right["distance_tol_a"]:
            return f"its shortest distance is {distance}"
    return "it says no word about it" if right.get("must_tell") and not notes else None


def differs(found: dict, lost: dict, right: dict) -> str | None:
    """Describe how the crystals read from a file differ from the reference."""
    if right["verdict"] == "rejected":
        if found or not lost:
            return f"read: {list(found)}"
        reason = " ".join(lost.values())
        named = any(word.lower() in reason.lower() for word in right["reason_names_any_of"])
        wrong = [word for word in right.get("must_not_name", ()) if word in reason]
        return None if named and not wrong else f"rejected: {reason}"
    if lost:
        return f"rejected: {lost}"
    wanted = right.get("items")
    if "structures" in right:
        return None if len(found) == right["structures"] else f"it gives {len(found)} crystals"
    if wanted is None:
        if len(found) != 1:
            return f"it gives {len(found)} crystals"
        wanted = dict.fromkeys(found, right)
    if set(wanted) != set(found):
        return f"its items are {list(found)}"
    faults = [fault(crystal, meta["remark"], wanted[item]) for item, (crystal, meta) in found.items()]
    return next((each for each in faults if each), None)


@pytest.mark.parametrize(("folder", "one"), inputs())
def test_every_input_is_read_rightly_or_refused_for_its_true_reason(folder, one):
    path = folder / one["input"]
    if one["right"][0]["verdict"] == "table":
        plan = structures.plan(path=str(folder / "*.cif"))
        rows = plan.set_index(columns.ITEM)
        for item, value in one["right"][0]["targets"].items():
            np.testing.assert_equal(rows.loc[item, "y"], np.nan if value is None else value)
        told = " ".join(str(word) for name in (columns.REMARK, columns.REASON) for word in rows[name])
        assert all(word.split(": ")[1] in told for word in one["right"][0]["must_tell"])
        return
    found, lost, _ = read_all(path, **one.get("options", {}))
    differences = [differs(found, lost, right) for right in one["right"]]
    assert None in differences, differences
