"""A study hands candidates over, waits for results, and judges them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

FAKE = Path(__file__).parents[1] / "validate/fake_pw.py"
UPF = '<UPF version="2.0.1">\n<PP_HEADER element="{0}" functional="PBE" is_ultrasoft="F" wfc_cutoff="30.0"/>\n</UPF>\n'
CRYSTALS = """8
Lattice="5.43 0 0 0 5.43 0 0 0 5.43" Properties=species:S:1:pos:R:3 id="{0}" pbc="T T T"
{1} 0 0 0
{1} 0 2.715 2.715
{1} 2.715 0 2.715
{1} 2.715 2.715 0
{1} 1.3575 1.3575 1.3575
{1} 1.3575 4.0725 4.0725
{1} 4.0725 1.3575 4.0725
{1} 4.0725 4.0725 1.3575
"""


def settings(house, **qe) -> dict:
    """Write three crystals, one without a pseudopotential and one with a hostile name; give the study's sections."""
    pseudo = house.folder / "pseudo"
    pseudo.mkdir()
    (pseudo / "Si.upf").write_text(UPF.format("Si"))
    made = [("good", "Si"), ("$(touch harm) x", "Si"), ("none", "Ge")]
    (house.folder / "mine.extxyz").write_text("".join(CRYSTALS.format(*one) for one in made))
    engine = {"pseudopotential_folder": str(pseudo), **qe}
    return {
        "ingest": {"structures": {"path": str(house.folder / "mine.extxyz")}},
        "validate": {"candidates": "index", "jobs": 2, "qe": engine},
        "main_table": "verdicts",
    }


def status(house) -> dict:
    return house.read("dft", "verdicts").drop_duplicates("item").set_index("item")["status"].to_dict()


@pytest.fixture
def house(house):
    house.env["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return house


def test_without_the_engine_complete_hand_offs_wait_and_what_is_dropped_back_is_judged(house):
    house.study("dft", **settings(house, run=False))
    done = house.run(studies="dft")
    assert done.returncode == 0, done.stdout + done.stderr
    assert status(house) == {"good": "pending", "$(touch harm) x": "pending", "none": "failed"}
    why = house.read("dft", "verdicts").set_index("item")["reason"]
    assert "run.sh" in why["good"] and "no pseudopotential of Ge" in why["none"]
    tell = [sys.executable, "-m", "matlens.cli.status", "--studies", "dft"]
    env = {**house.env, "PYTHONPATH": "workflow"}
    said = subprocess.run(tell, cwd=house.folder, env=env, capture_output=True, text=True, check=True).stdout
    assert "2 hand-offs wait for qe" in said and "results/dft/handoff/qe" in said
    folder = house.folder / "results/dft/handoff/qe/good"
    about = json.loads((folder / "manifest.json").read_text())
    assert {"what", "why", "predicted", "ranked", "expected", "accept", "versions", "run"} <= set(about)
    env = {**house.env, "PW": f"{sys.executable} {FAKE}"}
    assert subprocess.run(["sh", "run.sh"], cwd=folder, env=env, timeout=120).returncode == 0
    done = house.run(studies="dft")
    assert done.returncode == 0, done.stdout + done.stderr
    assert status(house) == {"good": "accepted", "$(touch harm) x": "pending", "none": "failed"}
    assert not list(house.folder.rglob("harm"))
    spent = pd.read_csv(house.folder / "results/dft/timings/verdicts.csv").set_index("item")
    assert spent.loc["good", "wall_s"] >= 0 and spent["wall_s"].isna().sum() == 2
    again = house.run("-n", studies="dft")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_an_engine_that_is_here_is_run_and_a_changed_option_begins_anew(house):
    house.study("dft", **settings(house, run=True))
    house.env["PW"] = f"{sys.executable} {FAKE}"
    done = house.run(studies="dft")
    assert done.returncode == 0, done.stdout + done.stderr
    assert status(house) == {"good": "accepted", "$(touch harm) x": "accepted", "none": "failed"}
    first = house.read("dft", "verdicts")
    shutil.rmtree(house.folder / "pseudo")
    house.study("dft", **settings(house, run=True, cutoff_ry=40.0))
    done = house.run(studies="dft")
    assert done.returncode == 0, done.stdout + done.stderr
    second = house.read("dft", "verdicts")
    assert not set(first["checksum"].dropna()) & set(second["checksum"].dropna())
    assert (house.folder / "results/dft/handoff/qe/.superseded").is_dir()
