"""A montage whose bands are distributed over workers that are jobs of Slurm: the files of the plain loop."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

from ..workflow.conftest import ROOT, House, hashes
from .conftest import Clustered, until

pytestmark = pytest.mark.cluster
SMALL = {  # what is large, and how large its bands are
    "segment": {"LARGE_PX = 1 << 26": "LARGE_PX = 1 << 20", "PART_PX = 1 << 25": "PART_PX = 1 << 20"},
    "quantify": {"LARGE_PX = 1 << 26": "LARGE_PX = 1 << 20", "BAND_PX = 1 << 25": "BAND_PX = 1 << 20"},
}
MEASURES = {"fractions": {}, "regions": {}}
SHARED = "large arrays are distributed over 2 workers: jobs of slurm"


def montage(path, rows: int = 4500, columns: int = 1500) -> None:
    """Store an image of discs with noise, larger than what is read whole in these houses."""
    y, x = np.mgrid[:rows, :columns]
    disc = np.hypot(y % 64 - 32, (x + y // 64 * 7) % 64 - 32) < 20
    np.save(path, np.clip(90 + 80 * disc + np.random.default_rng(0).normal(0, 12, y.shape), 0, 255).astype(np.uint8))


def test_bands_of_a_montage_go_through_workers_on_two_nodes(cluster, tmp_path):
    montage(tmp_path / "montage.npy")
    source = "results/mine/ingest"
    here, there = House(tmp_path / "here"), Clustered(tmp_path / "there")
    profile = there.folder / "profiles/slurm-test/config.yaml"
    settings = yaml.safe_load(profile.read_text())
    settings["set-resources"]["segment"]["mem_mb"] = 12_000  # a node holds two such jobs: the three need both nodes
    profile.write_text(yaml.safe_dump(settings))
    for house in (here, there):
        for room, changes in SMALL.items():
            path = house.folder / f"workflow/matlens/{room}/bands.py"
            text = path.read_text()
            for old, new in changes.items():
                assert old in text
                text = text.replace(old, new)
            path.write_text(text)
        ingest = {"files": {"path": str(tmp_path / "montage.npy")}}
        house.study("mine", phases=["a", "b"], ingest=ingest, segment={"otsu": {}}, quantify=MEASURES)
        if house is there:  # ingest is not what is tested, and a job of Slurm takes half a minute
            shutil.copytree(here.folder / source, there.folder / source)
        done = house.run("--until", "quantify", studies="mine", timeout=580)
        assert done.returncode == 0, done.stdout + done.stderr
    assert hashes(there.folder / "results/mine") == hashes(here.folder / "results/mine")
    logs = {
        rule: (there.folder / f"logs/mine/{rule}.log").read_text()
        for rule in ("segment/otsu/0000", *(f"quantify/otsu/{measure}/0000" for measure in MEASURES))
    }
    assert {rule: SHARED in text for rule, text in logs.items()} == dict.fromkeys(logs, True), logs
    assert not list((there.folder / "logs/dask").glob(".dask-jobqueue.*")), "keys were left behind"

    command = ["squeue", "-h", "--states=all", "-o", "%j|%P|%N"]
    jobs = [line.split("|") for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines()]
    ours = [(partition, node) for name, partition, node in jobs if name.startswith("dask_")]  # not those of other tests
    assert {partition for partition, _ in ours} == {"cpu"}
    nodes = [node for _, node in ours]
    assert len(nodes) == 2 * (1 + len(MEASURES))
    assert set(nodes) == {"cpu01", "cpu02"}


JOB = """
import time
from matlens.job import workers as spread
def work(part):
    time.sleep(0.2)
    return part
with spread.workers({"dask_workers": 2, "dask_cluster": "slurm", "mem_mb": 1000, "runtime": 5}) as mapped:
    with open("parts.txt", "w", buffering=1) as out:
        for part in mapped(work, range(10_000)):
            out.write(f"{part}\\n")
"""


def test_a_lost_worker_job_is_replaced_and_none_outlives_a_killed_job(cluster, tmp_path):
    def workers(states: str = "running") -> set[str]:
        command = ["squeue", "-h", f"--states={states}", "--name=dask_4711", "-o", "%i"]
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())

    (tmp_path / "job.py").write_text(JOB)
    given = {"PYTHONPATH": str(ROOT / "workflow"), "SLURM_JOB_ID": "4711", "SLURM_JOB_PARTITION": "cpu"}
    job = subprocess.Popen([sys.executable, "job.py"], cwd=tmp_path, env={**os.environ, **given})
    try:
        first = until(lambda: len(found := workers()) == 2 and found)
        parts = tmp_path / "parts.txt"
        until(lambda: parts.exists() and len(parts.read_text().split()) > 4)
        subprocess.run(["scancel", min(first)], check=True)
        until(lambda: len(workers() - {min(first)}) == 2)
        done = len(parts.read_text().split())
        until(lambda: len(parts.read_text().split()) > done + 4)
    finally:
        job.kill()
    job.wait()
    until(lambda: not workers("pending,running,completing"))
    assert len(workers("all")) == 3
    found = [int(part) for part in parts.read_text().split()]
    assert found == list(range(len(found)))
