"""Alloys and their verdicts by CALPHAD, run as a user would run them."""

import pytest

BASES = [
    {"database": "pycalphad:alcrni.tdb", "phases": ["LIQUID", "L12_FCC", "B2"]},
    {"database": "pycalphad:alcocrni.tdb", "phases": ["LIQUID", "L12_FCC", "BCC_B2"]},
]
HALF = {"quantity": "fraction", "phase": "l1_2", "temperature_k": 1073, "min": 0.3}
ALLOYS = {"alloys": {"elements": {"Al": [2, 12], "Cr": [10, 10]}, "balance": "Ni", "levels": 2}}


def test_alloys_are_judged_alike_however_they_are_shared_out(house):
    calphad = {"databases": BASES, "temperatures_k": [1000, 1200, 1400], "criteria": [HALF]}
    for name, jobs in (("one", 1), ("two", 2)):
        validate = {"candidates": "index", "most": None, "jobs": jobs, "calphad": calphad}
        validate["diagram"] = {"databases": BASES[:1], "elements": ["Ni", "Al"], "temperatures_k": [1100], "points": 6}
        drawn = {"phase_fractions": {}, "phase_diagram": {}}
        house.study(name, ingest=ALLOYS, validate=validate, figures=drawn)
    done = house.run("all", studies="one,two")
    assert done.returncode == 0, done.stdout + done.stderr
    assert house.tables("one") == house.tables("two")
    verdicts = house.read("one", "verdicts").set_index("item")
    assert verdicts["status"].to_dict() == {"Ni-12Al-10Cr": "accepted", "Ni-2Al-10Cr": "rejected"}
    assert verdicts.loc["Ni-12Al-10Cr", "value"] == pytest.approx(0.497, abs=5e-4)
    assert "for testing only" in verdicts.loc["Ni-12Al-10Cr", "reason"]
