"""Faults of a cluster, caused on a real Slurm: the results are those of an undisturbed run."""

import os
import signal
import subprocess
import time

import pytest

from ..workflow.conftest import FAULTY, hashes
from .conftest import Clustered, until

pytestmark = pytest.mark.cluster
# What is to happen to each shard, once, apart from memory, which is always short: the first attempt asks for less.
STORM = """
import os as _os, pathlib as _paths, time as _time
if shard == "0000":
    keep = np.ones(2600 << 17)  # 2.6 GB
elif not _paths.Path(f"planted_{shard}").exists():
    _paths.Path(f"planted_{shard}").touch()
    if shard == "0002":
        _os.kill(_os.getpid(), 9)
    _time.sleep({"0001": 900, "0003": 45}[shard])
"""
SLOW = """
import os as _os, time as _time
def _note(word):
    with open(f"work_{shard}.txt", "a") as handle:
        handle.write(f"{_os.getpid()} {word}\\n")
_note("begins")
_time.sleep(12)
_note("ends")
"""


def start(house: Clustered, *words: str) -> subprocess.Popen:
    command = house.command("--config", "studies=mine", *words)
    return subprocess.Popen(command, cwd=house.folder, env=house.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def segmenting(shard: str = "", state: str = "RUNNING") -> list[list[str]]:
    """List the jobs that segment, by the end of their names and their state: (id, node)."""
    command = ["squeue", "-h", "-t", state, "-o", "%i|%N|%k"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split("|")[:2] for line in lines if "rule_segment" in line and line.endswith(shard)]


def test_memory_time_a_killed_job_a_lost_node_that_comes_back_and_a_lost_daemon(cluster, tmp_path, calm):
    house = Clustered(tmp_path / "house")
    house.study("mine", **FAULTY)
    house.plant(STORM)
    run, lost = start(house, "--set-resources", "segment:runtime=1"), None
    try:
        until(lambda: (house.folder / "planted_0003").exists() and (house.folder / "planted_0001").exists(), 300)
        ((_, lost),) = segmenting("0003")
        ((hung, busy),) = segmenting("0001")
        cluster("crash", lost)
        if busy != lost:
            cluster("blink", busy)
            assert segmenting("0001") == [[hung, busy]], "a job ended with the daemon of its node"
        until(lambda: segmenting("0003", "NODE_FAIL"))
        cluster("revive", lost)
        subprocess.run(["srun", "-w", lost, "-p", "cpu", "true"], check=True, timeout=120)
        told = run.communicate(timeout=580)[0].decode()
        assert run.returncode == 0, told
    finally:
        run.kill()
        if lost:
            cluster("revive", lost)
    assert hashes(house.folder / "results/mine") == calm
    jobs = house.jobs()
    tries = {shard: sum(f"_mine_otsu_{shard}" in job[3] for job in jobs) for shard in ("0000", "0001", "0002", "0003")}
    assert all(2 <= number <= 3 for number in tries.values()), tries
    states = {job[1] for job in jobs if "_mine_otsu_0001" in job[3]}
    assert "COMPLETED" in states
    assert states & {"TIMEOUT", "NODE_FAIL"}


@pytest.mark.parametrize(("jobs", "told"), [("cancel", "cancelled"), ("wait", "awaited")])
def test_a_lost_driver_is_resumed_and_nothing_runs_twice(cluster, tmp_path, calm, jobs, told):
    house = Clustered(tmp_path / "house")
    house.study("mine", **FAULTY)
    house.plant(SLOW)
    run = start(house)
    try:
        until(lambda: len(list(house.folder.glob("work_*.txt"))) >= 2, 300)
        refused = house.door("resume")
        assert refused.returncode == 1
        assert str(run.pid) in refused.stderr
        assert len(segmenting()) >= 2, "jobs of a living run were cancelled"
    finally:
        os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    time.sleep(1)
    assert segmenting(), "the jobs of the lost driver did not live on"
    resumed = house.door("resume", "--jobs", jobs)
    assert resumed.returncode == 0, resumed.stderr
    assert told in resumed.stdout
    assert not house.jobs("PENDING", "RUNNING", "COMPLETING")
    again = house.run(studies="mine", timeout=580)
    assert again.returncode == 0, again.stdout + again.stderr
    assert hashes(house.folder / "results/mine") == calm
    diaries = {path.name: path.read_text().split()[1::2] for path in house.folder.glob("work_*.txt")}
    assert len(diaries) == 4
    assert {words.count("ends") for words in diaries.values()} == {1}, f"done more than once: {diaries}"
    if jobs == "wait":
        assert {words.count("begins") for words in diaries.values()} == {1}, f"begun more than once: {diaries}"
