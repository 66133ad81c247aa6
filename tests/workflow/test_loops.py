"""Run loops as a user would: a round is files, so that more rounds and killed rounds continue."""

import os
import re
import signal
import subprocess
import time

import pytest

from .conftest import House

LOOP = {
    "ingest": {"alloys": {"elements": {"Al": [1, 12], "Cr": [1, 12]}, "balance": "Ni", "design": "simplex", "step": 1}},
    "acquire": {
        "objectives": {"x_Al": "maximize"}, "features": ["index.x_Al", "index.x_Cr"], "initial": 8, "batch": 5,
        "rounds": 2, "greedy": {}, "random": {},
    },
    "figures": {"acquisition": {}, "transfer": {}},
}  # fmt: skip


def rounds(number: int, **changes) -> dict:
    """Return a study of so many rounds; None removes a setting. Only a study without changes draws figures."""
    acquire = {**LOOP["acquire"], "rounds": number, **changes}
    study = {**LOOP, "acquire": {name: value for name, value in acquire.items() if value is not None}}
    return {name: part for name, part in study.items() if not changes or name != "figures"}


STUDIES = {  # all of the same loop, run at once
    "mine": rounds(2),
    "budget": rounds(4, budget={"verdicts": 15}, random=None),
    "patience": rounds(4, patience=1, greedy=None),
    "hours": rounds(2, budget={"cpu_hours": 1e-12}, random=None),
}


def files(house, study="mine") -> dict[str, tuple[bytes, int]]:
    """Return the bytes of every file of a round, and when it was written."""
    folder = house.folder / f"results/{study}/acquire"
    found = sorted(folder.glob("*/candidates/*.parquet")) + sorted(folder.glob("*/verdicts/*.parquet"))
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def run(house, studies: str) -> None:
    done = house.run(studies=studies)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def looped(tmp_path_factory) -> House:
    """Run all studies of the loop."""
    house = House(tmp_path_factory.mktemp("loops") / "house")
    for name, settings in STUDIES.items():
        house.study(name, **settings)
    run(house, ",".join(STUDIES))
    return house


@pytest.fixture(scope="module")
def longer(looped) -> dict[str, tuple[bytes, int]]:
    """Run a third round of the first study; returns the files of rounds before it."""
    before = files(looped)
    looped.study("mine", **rounds(3))
    plan = looped.run("-n", studies="mine").stdout
    counts = {name: int(re.search(rf"^{name} +(\d+)", plan, re.MULTILINE)[1]) for name in ("acquire", "judge")}
    assert counts == {"acquire": 2, "judge": 2}  # one for each of the two methods
    run(looped, "mine")
    return before


def test_one_more_round_runs_one_more_round(looped, longer):
    after = files(looped)
    assert {name: after[name] for name in longer} == longer
    assert {name.split("/")[-1] for name in set(after) - set(longer)} == {"0003.parquet"}
    found = looped.read("mine", "rounds").query("method == 'greedy'")
    assert found["verdicts"].tolist() == [8, 13, 18]
    taught = looped.read("mine", "transfer").query("method == 'greedy'")
    assert taught["round"].tolist() == [2, 3] and taught["held_out"].tolist() == [5, 5]


def test_a_budget_ends_a_loop_in_the_middle_of_a_round_and_patience_after_one(looped):
    logs = looped.folder / "logs"
    asked = looped.read("budget", "asked")
    assert asked.groupby("round").size().to_dict() == {1: 8, 2: 5, 3: 2}
    assert "the budget of 15 verdicts is used up" in (logs / "budget/acquire/greedy/0004.log").read_text()
    assert "rounds without improvement" in (logs / "patience/acquire/random/0004.log").read_text()
    assert looped.read("patience", "rounds")["round"].max() < 4
    assert "CPU-hours is used up" in (logs / "hours/acquire/greedy/0002.log").read_text()
    assert looped.read("hours", "rounds")["round"].tolist() == [1]


def test_a_killed_round_goes_on(looped, longer):
    """Kill Snakemake and its jobs while the second round of three is under way."""
    undisturbed = {name: data for name, (data, _) in files(looped).items() if name.startswith("greedy")}
    looped.study("killed", **rounds(3, random=None))
    started = subprocess.Popen(
        looped.command("--config", "studies=killed"), cwd=looped.folder, env=looped.env, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    second = looped.folder / "results/killed/acquire/greedy/candidates/0002.parquet"
    ends = time.monotonic() + 240
    while not second.exists() and started.poll() is None and time.monotonic() < ends:
        time.sleep(0.05)
    assert started.poll() is None, "the run ended before it could be killed"
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    left = files(looped, "killed")
    assert 0 < len(left) < len(undisturbed)
    assert looped.door("resume").returncode == 0
    run(looped, "killed")
    after = files(looped, "killed")
    assert {name: data for name, (data, _) in after.items()} == undisturbed
    first = [name for name in left if name.endswith("0001.parquet")]
    assert all(after[name][1] == left[name][1] for name in first)  # what was done is not done again


def test_a_loop_of_alloys_asks_calphad(house):
    base = {"database": "pycalphad:alcrni.tdb", "phases": ["LIQUID", "L12_FCC", "B2"]}
    wishes = [{"quantity": "fraction", "phase": "l1_2", "temperature_k": 1073}]
    wishes += [{"quantity": "solvus", "phase": "l1_2"}]
    acquire = {
        "objectives": {"solvus_l1_2": "maximize"}, "constraints": {"fraction_l1_2_1073_k": {"max": 0.5}},
        "features": ["index.x_Al"], "oracle": "calphad", "initial": 3, "batch": 2, "rounds": 2, "greedy": {},
        "calphad": {"databases": [base], "temperatures_k": [900, 1200, 1500], "criteria": wishes, "within_k": 10},
    }  # fmt: skip
    alloys = {"elements": {"Al": [2, 16], "Cr": [10, 10]}, "balance": "Ni", "levels": 8}
    house.study("mine", ingest={"alloys": alloys}, acquire=acquire, figures={"trade_off": {}})
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = house.read("mine", "asked").set_index("item")
    kept = asked["feasible"]
    assert (asked.loc[kept, "fraction_l1_2_1073_k"] <= 0.5).all()
    assert len(asked) == 5
    weak = asked[asked["status"] == "rejected"]
    assert weak["reason"].str.contains("nothing of l1_2").all()
