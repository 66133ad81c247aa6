"""What breaks on clusters, made to break on a real Slurm: the results are those of an undisturbed run."""

import os
import signal
import subprocess
import sys
import time

import pytest

from ..workflow.conftest import House
from .conftest import Clustered, hashes, until

pytestmark = pytest.mark.cluster
STUDY = {
    "phases": ["matrix", "particle"],
    "ingest": {"shards": 4, "gamma_prime": {"ages_h": [1, 20], "images": 4, "size_px": [64, 64]}},
    "segment": {"otsu": {}},
    "quantify": {"fractions": {}},
}
# At the head of the door `segment`: what is to happen to each shard, once, apart from memory, which is always short.
STORM = """
import os, time
from pathlib import Path
import numpy as np
def plant(shard):
    if shard == "0000":
        return np.ones(2600 << 17)  # more megabytes than the first attempt asks for
    if not Path(f"planted_{shard}").exists():
        Path(f"planted_{shard}").touch()
        if shard == "0002":
            os.kill(os.getpid(), 9)
        time.sleep({"0001": 900, "0003": 45}[shard])
"""
SLOW = """
import os, time
from pathlib import Path
class plant:
    def __init__(self, shard):
        self.file = Path(f"work_{shard}.txt")
        with open(self.file, "a") as handle:
            handle.write(f"{os.getpid()} begins {time.time()}\\n")
        time.sleep(12)
        with open(self.file, "a") as handle:
            handle.write(f"{os.getpid()} ends {time.time()}\\n")
"""


def planted(folder, code: str) -> Clustered:
    """Make a house in which the door `segment` first does something bad."""
    house = Clustered(folder)
    door = house.folder / "workflow/scripts/segment.py"
    head, main = door.read_text().split("    function, lost =", 1)
    call = "    from pathlib import Path as _Path\n    keep = plant(_Path(images).name[:4])\n"
    door.write_text(head.replace("\ndef main(", f"\n{code}\n\ndef main(") + call + "    function, lost =" + main)
    return house


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Run the study undisturbed, on this machine."""
    house = House(tmp_path_factory.mktemp("calm") / "house")
    house.study("mine", **STUDY)
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    return hashes(house.folder / "results/mine")


def start(house):
    command = house.command("--config", "studies=mine")
    return subprocess.Popen(command, cwd=house.folder, env=house.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def segmenting(shard="", state="RUNNING"):
    """List the living jobs that segment: (id, node)."""
    command = ["squeue", "-h", "-t", state, "-o", "%i|%N|%k"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split("|")[:2] for line in lines if "rule_segment" in line and line.endswith(shard)]


def test_memory_time_a_killed_job_a_lost_node_and_a_lost_daemon(cluster, tmp_path, calm):
    house = planted(tmp_path / "house", STORM)
    house.study("mine", **STUDY)
    command = house.command("--config", "studies=mine", "--set-resources", "segment:runtime=1")
    run = subprocess.Popen(command, cwd=house.folder, env=house.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: (house.folder / "planted_0003").exists() and (house.folder / "planted_0001").exists())
        ((_, lost),) = segmenting("0003")
        ((hung, busy),) = segmenting("0001")
        cluster("crash", lost)
        if busy != lost:
            cluster("blink", busy)
            assert segmenting("0001") == [[hung, busy]], "a job ended with the daemon of its node"
        told = run.communicate(timeout=400)[0].decode()
        assert run.returncode == 0, told
    finally:
        run.kill()
        cluster("revive", lost)
    assert hashes(house.folder / "results/mine") == calm
    jobs = house.jobs()
    tries = {shard: sum(f"_mine_otsu_{shard}" in job[3] for job in jobs) for shard in ("0000", "0001", "0002", "0003")}
    assert all(2 <= number <= 3 for number in tries.values()), tries
    states = {job[1] for job in jobs if "_mine_otsu_0001" in job[3]}
    assert "COMPLETED" in states
    assert states & {"TIMEOUT", "NODE_FAIL"}


def test_a_lost_driver_is_resumed_and_nothing_runs_twice(cluster, tmp_path, calm):
    house = planted(tmp_path / "house", SLOW)
    house.study("mine", **STUDY)
    house.env["PYTHONPATH"] = "workflow"
    resume = [sys.executable, "workflow/scripts/resume.py"]
    run = start(house)
    try:
        until(lambda: len(segmenting()) >= 2)

        second = house.run(studies="mine")
        assert second.returncode != 0
        assert "locked" in second.stdout + second.stderr
        refused = subprocess.run(resume, cwd=house.folder, env=house.env, capture_output=True, text=True)
        assert refused.returncode == 1
        assert str(run.pid) in refused.stderr
        assert len(segmenting()) >= 2, "jobs of a living run were cancelled"
    finally:
        os.kill(run.pid, signal.SIGKILL)
    run.wait()
    time.sleep(1)
    assert segmenting(), "the jobs of the lost driver live on"
    resumed = subprocess.run(resume, cwd=house.folder, env=house.env, capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert "jobs in the queue" in resumed.stdout
    assert not house.jobs("PENDING", "RUNNING", "COMPLETING")
    again = house.run(studies="mine", timeout=300)
    assert again.returncode == 0, again.stdout + again.stderr
    assert hashes(house.folder / "results/mine") == calm
    for diary in house.folder.glob("work_*.txt"):
        lines = [line.split() for line in diary.read_text().splitlines()]
        whole = [line[0] for line in lines if line[1] == "ends"]
        assert len(whole) == 1, f"{diary.name}: the shard was worked on to its end more than once"
