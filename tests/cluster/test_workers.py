"""A montage whose bands are shared out over workers that are jobs of Slurm: the files of the plain loop."""

import shutil
import subprocess

import numpy as np
import pytest
import yaml

from ..workflow.conftest import House, hashes
from .conftest import Clustered

pytestmark = pytest.mark.cluster
SMALL = {  # what is large, and how large its bands are
    "segment": {"LARGE_PX = 1 << 26": "LARGE_PX = 1 << 20", "PART_PX = 1 << 25": "PART_PX = 1 << 20"},
    "quantify": {"LARGE_PX = 1 << 26": "LARGE_PX = 1 << 20", "BAND_PX = 1 << 25": "BAND_PX = 1 << 20"},
}
MEASURES = {"fractions": {}, "regions": {}, "sizes": {}}
SHARED = "large arrays are shared out over 2 workers: jobs of slurm"


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
    assert {partition for _, partition, _ in jobs} == {"cpu"}
    nodes = [node for name, _, node in jobs if name.startswith("dask_")]
    assert len(nodes) == 2 * (1 + len(MEASURES))
    assert set(nodes) == {"cpu01", "cpu02"}
