"""Crystals whose values were recorded before, by the engines themselves at default settings; each takes long."""

import csv
import shutil
from pathlib import Path

import pytest
from matlens import registry
from matlens.ingest.crystals import structures
from matlens.validate import HANDOFFS, JUDGES, cells, collect_results, references, verdicts

ROOT = Path(__file__).resolve().parents[2]
DOJO = ROOT / "data/raw/pseudodojo"
OPTIONS = {"qe": {"pseudopotential_folder": str(DOJO)}, "gpaw": {}}  # all else by default
NEEDS = {"qe": ("pw.x", "quantum-espresso"), "gpaw": ("gpaw", "gpaw gpaw-data")}


def recorded(engine: str) -> list[dict]:
    with open(ROOT / "data/published/dft_references.csv", encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines) if row["engine"] == engine]


def crystals_of(name: str) -> dict:
    plan = structures.plan(path=str(ROOT / f"data/published/dft_references/{name}.extxyz"))
    return {row["item"]: structures.read(row)[0] for row in plan.to_dict("records")}


@pytest.mark.slow
@pytest.mark.parametrize("engine", sorted(OPTIONS))
@pytest.mark.parametrize("items", [("SrTiO3",), ("Al", "Ni", "Ni3Al")])
def test_recorded_values_come_back(engine, items, tmp_path, hand_over):
    program, package = NEEDS[engine]
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed: apt-get install {package}")
    if engine == "qe" and not DOJO.is_dir():
        pytest.skip("no pseudopotentials: make pseudopotentials")
    known = {**crystals_of("small"), **crystals_of("large")}
    prepare, judge = registry.load(HANDOFFS, engine), registry.load(JUDGES, engine)
    outcomes, settings, shares = {}, {}, {}
    for item in items:
        candidate = {"item": item, "formula": item, "name": item, "reason": "", "predicted": {}}
        made = prepare(candidate, known[item], **OPTIONS[engine])
        folder = hand_over(tmp_path / item, made)
        assert folder.run(PW="pw.x", seconds=14400) == 0, collect_results.state(folder.path)
        outcomes[item] = collect_results.outcome(folder.path, {"sha256": folder.sha256, "reason": ""}, judge)
        assert outcomes[item]["status"] == "accepted", outcomes[item]["reason"]
        names = cells.symbols(known[item].species)
        shares[item] = {one: names.count(one) / len(names) for one in names}
        settings[item] = references.energies(made.settings, shares[item])
    if engine == "gpaw":  # pseudopotentials of Quantum ESPRESSO have cut-offs of their own
        verdicts.add_formation(outcomes, shares, settings)
    for row in recorded(engine):
        if row["item"] in items and row["quantity"] in outcomes[row["item"]]["values"]:
            value = outcomes[row["item"]]["values"][row["quantity"]][0]
            assert value == pytest.approx(float(row["value"]), abs=float(row["tolerance"])), row
    assert "Ni3Al" not in items or engine == "qe" or verdicts.FORMATION in outcomes["Ni3Al"]["values"]


def test_the_crystals_are_there():
    assert set(crystals_of("small")) == {"Al", "NaCl", "Si"}
    assert set(crystals_of("large")) == {"Al", "Ni", "Ni3Al", "SrTiO3"}
