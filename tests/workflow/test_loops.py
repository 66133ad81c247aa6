"""Loops as a user runs them: rounds are files, so that one more is one more, and a killed one goes on where it was."""

import os
import re
import signal
import subprocess
import sys
import time

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
    """Give a study of so many rounds; a change to None takes a setting away."""
    acquire = {**LOOP["acquire"], "rounds": number, **changes}
    return {**LOOP, "acquire": {name: value for name, value in acquire.items() if value is not None}}


def files(house) -> dict[str, tuple[bytes, int]]:
    """Give what every file of a round holds, and when it was written."""
    folder = house.folder / "results/mine/acquire"
    found = sorted(folder.glob("*/candidates/*.parquet")) + sorted(folder.glob("*/verdicts/*.parquet"))
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def run(house, number: int, **changes):
    house.study("mine", **rounds(number, **changes))
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    return files(house)


def test_one_more_round_runs_one_more_round(house):
    before = run(house, 2)
    house.study("mine", **rounds(3))
    plan = house.run("-n", studies="mine").stdout
    counts = {name: int(re.search(rf"^{name} +(\d+)", plan, re.MULTILINE)[1]) for name in ("acquire", "judge")}
    assert counts == {"acquire": 2, "judge": 2}  # one for each of the two methods
    after = run(house, 3)
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[-1] for name in set(after) - set(before)} == {"0003.parquet"}
    found = house.read("mine", "rounds").query("method == 'greedy'")
    assert found["verdicts"].tolist() == [8, 13, 18]
    taught = house.read("mine", "transfer").query("method == 'greedy'")
    assert taught["round"].tolist() == [2, 3] and taught["held_out"].tolist() == [5, 5]


def test_a_budget_ends_a_loop_in_the_middle_of_a_round_and_patience_after_one(house):
    run(house, 4, budget={"verdicts": 15})
    asked = house.read("mine", "asked").query("method == 'greedy'")
    assert asked.groupby("round").size().to_dict() == {1: 8, 2: 5, 3: 2}
    log = (house.folder / "logs/mine/acquire/greedy/0004.log").read_text()
    assert "the budget of 15 verdicts is used up" in log
    run(house, 4, patience=1)
    found = house.read("mine", "rounds").query("method == 'random'")
    log = (house.folder / "logs/mine/acquire/random/0004.log").read_text()
    assert "rounds without improvement" in log and found["round"].max() < 4
    run(house, 2, budget={"cpu_hours": 1e-12}, random=None)
    log = (house.folder / "logs/mine/acquire/greedy/0002.log").read_text()
    assert "CPU-hours is used up" in log and house.read("mine", "rounds")["round"].tolist() == [1]


def test_a_killed_round_goes_on(house, tmp_path):
    """Kill Snakemake and its jobs while the second round of three is under way."""
    undisturbed = run(House(tmp_path / "calm"), 3, random=None)
    house.study("mine", **rounds(3, random=None))
    started = subprocess.Popen(
        house.command("--config", "studies=mine"), cwd=house.folder, env=house.env, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    second = house.folder / "results/mine/acquire/greedy/candidates/0002.parquet"
    ends = time.monotonic() + 240
    while not second.exists() and started.poll() is None and time.monotonic() < ends:
        time.sleep(0.05)
    assert started.poll() is None, "the run ended before it could be killed"
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    left = files(house)
    assert 0 < len(left) < len(undisturbed)
    env = {**house.env, "PYTHONPATH": "workflow"}
    subprocess.run([sys.executable, "-m", "matlens.cli.resume"], cwd=house.folder, env=env, check=True)
    after = run(house, 3, random=None)
    assert {name: data for name, (data, _) in after.items()} == {n: data for n, (data, _) in undisturbed.items()}
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
