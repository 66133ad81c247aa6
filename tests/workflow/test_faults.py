"""Faults of one machine, caused on purpose: the results are those of an undisturbed run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pandas as pd
import pytest

from .conftest import FAULTY, House, hashes

ALWAYS = """
import os as _os, pathlib as _paths
if shard == "0001":
    raise RuntimeError("planted")
if shard == "0002" and not _paths.Path("planted").exists():
    _paths.Path("planted").touch()
    _os.kill(_os.getpid(), 9)
"""
HANGS = """
import pathlib as _paths, time as _time
_paths.Path("begun").touch()
while _paths.Path("hang").exists():
    _time.sleep(0.1)
"""


def start(house: House) -> subprocess.Popen:
    """Start a run in a session of its own."""
    command = house.command("--cores", "2", "--config", "studies=mine")
    return subprocess.Popen(command, cwd=house.folder, env=house.env, start_new_session=True, stderr=subprocess.PIPE)


def until(ready, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.1)


def kill(run: subprocess.Popen, by=os.kill) -> None:
    """Kill the driver of a run, or by os.killpg its jobs, too."""
    by(run.pid, signal.SIGKILL)
    run.wait()
    run.stderr.close()


def finished(house: House) -> None:
    """Run to the end."""
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_ends_in_the_same_bytes(house, calm, kills):
    """Kill Snakemake alone, so that its jobs live on, or with all its jobs; then resume, or unlock and run again."""
    house.study("mine", **FAULTY)
    moments, hit = random.Random(kills), 0
    while hit < kills:
        run = start(house)
        time.sleep(moments.uniform(1.0, 8.0))
        if run.poll() is None:
            hit += 1
            (os.kill if hit % 2 else os.killpg)(run.pid, signal.SIGKILL)
        run.wait()
        resumed = house.run("--unlock", studies="mine") if hit == 2 else house.door("resume")
        assert resumed.returncode == 0, resumed.stderr
        if run.returncode >= 0:  # it got through: begin anew, so that every kill hits a run at work
            assert run.returncode == 0, run.stderr.read()
            assert hashes(house.folder / "results/mine") == calm
            shutil.rmtree(house.folder / "results")
            shutil.rmtree(house.folder / ".snakemake")
        run.stderr.close()
    finished(house)
    assert hashes(house.folder / "results/mine") == calm
    verified = house.door("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert not list((house.folder / "results").rglob("*.partial"))


def test_jobs_that_outlive_their_driver_are_awaited_or_ended_and_a_second_run_is_refused(house, calm):
    house.study("mine", **FAULTY)
    house.plant(HANGS)
    (house.folder / "hang").touch()
    run = start(house)
    try:
        until((house.folder / "begun").exists)
        second = house.run(studies="mine")
        assert second.returncode != 0
        assert "locked" in second.stdout + second.stderr
        refused = house.door("resume")
        assert refused.returncode == 1
        assert str(run.pid) in refused.stderr
        assert run.poll() is None, "the run at work was disturbed"
        assert "segment/otsu/" in house.door("status", "--studies", "mine").stdout.split("under way")[1]
    finally:
        kill(run)
    awaited(house)
    ended(house)
    finished(house)
    assert hashes(house.folder / "results/mine") == calm


def awaited(house: House) -> None:
    """Resume with --jobs wait while jobs hang: it waits for them, and their outputs are complete."""
    command = [sys.executable, "-m", "matlens.cli.resume", "--jobs", "wait"]
    env = {**house.env, "PYTHONPATH": "workflow"}
    waiting = subprocess.Popen(command, cwd=house.folder, env=env, stdout=subprocess.PIPE, text=True)
    time.sleep(3.0)
    assert waiting.poll() is None, "it did not wait"
    (house.folder / "hang").unlink()
    assert "awaited" in waiting.communicate(timeout=120)[0]
    assert list((house.folder / "results/mine/segment/otsu/labels").iterdir()), "the output awaited is missing"


def ended(house: House) -> None:
    """Kill the driver of jobs that hang again, and resume: they are ended, and their partial files are removed."""
    (house.folder / "begun").unlink()
    (house.folder / "hang").touch()
    run = start(house)
    until((house.folder / "begun").exists)
    kill(run)
    half = house.folder / "results/mine/segment/otsu/labels/.9999.zarr.zip.1.partial"
    half.touch()
    resumed = house.door("resume")
    assert resumed.returncode == 0, resumed.stderr
    assert " 0 processes" not in resumed.stdout
    assert not half.exists()
    logs = [path.read_text() for path in (house.folder / "logs/mine/segment").rglob("*.log")]
    assert any("stopped by SIGTERM" in text and "a retry requests more time" in text for text in logs)
    (house.folder / "hang").unlink()


def test_a_run_is_cut_off_and_its_method_upgraded_and_only_the_users_of_that_work_again(house, undisturbed, calm):
    """Start with one formula, end the run, change the formula twice; the last is that of the undisturbed run."""
    formula, sound = "workflow/matlens/segment/otsu.py", "np.float32(threshold)"
    text = (house.folder / formula).read_text()
    assert sound in text

    def made() -> dict:
        """List the files that no job of the method `otsu` made, with the times of change."""
        paths = [path for stage in ("ingest", "segment", "quantify") for path in results.glob(f"{stage}/**/*.*")]
        return {path: path.stat().st_mtime_ns for path in paths if "otsu" not in path.parts}

    results = house.folder / "results/mine"
    house.study("mine", **{**FAULTY, "segment": {"otsu": {}, "all_background": {}}})
    (house.folder / formula).write_text(text.replace(sound, "np.float32(threshold + 0.03)") + HANGS)
    (house.folder / "hang").touch()
    run = start(house)
    index = "results/mine/ingest/gamma_prime/index/all.parquet"
    mark = house.folder / ".snakemake/incomplete" / urlsafe_b64encode(index.encode()).decode()
    until(lambda: (house.folder / "begun").exists() and (house.folder / index).exists() and not mark.exists())
    kill(run, os.killpg)
    (house.folder / "hang").unlink()
    assert house.door("resume").returncode == 0
    before = made()
    assert before

    (house.folder / formula).write_text(text.replace(sound, "np.float32(threshold + 0.05)"))
    finished(house)
    again = [path for path, at in made().items() if before.get(path, at) != at]
    assert not [path for path in again if "ingest" in path.parts], "what was finished was made again"
    upgraded = hashes(results)

    before = made()
    (house.folder / formula).write_text(text)
    finished(house)
    assert made() == before, "another method worked again"
    found = hashes(results)
    own = [name for name in calm if "otsu" in Path(name).parts]
    assert len(own) > 8 and {name: found[name] for name in own} == {name: calm[name] for name in own}
    assert any(upgraded[name] != found[name] for name in own)
    rows = house.read("mine", "fractions").query("method == 'otsu'").reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, undisturbed.read("mine", "fractions"), check_exact=True)


def test_a_shard_that_always_fails_leaves_the_rest_finished_and_is_named(house, calm):
    house.study("mine", **FAULTY)
    path = house.folder / "workflow/scripts/segment.py"
    sound = path.read_text()
    house.plant(ALWAYS)
    done = house.run("--retries", "1", studies="mine")
    assert done.returncode != 0
    made = hashes(house.folder / "results/mine")
    assert {name: calm[name] for name in made} == made, "what was made is not what an undisturbed run makes"
    assert {f"quantify/otsu/fractions/{shard}.parquet" for shard in ("0000", "0002", "0003")} <= set(made)
    assert "tables/items.csv" in made
    told = house.door("status", "--studies", "mine").stdout
    assert "1 failed" in told
    assert "shard=0001" in told
    assert "RuntimeError: planted" in told
    assert "logs/mine/segment/otsu/0001.log" in told
    report = (house.folder / "results/report.html").read_text()
    assert "fractions.csv" in report
    assert "Not finished" in report
    assert "shard=0001" in report and "RuntimeError: planted" in report

    path.write_text(sound)
    finished(house)
    assert hashes(house.folder / "results/mine") == calm
    assert "0 failed, 0 left" in house.door("status", "--studies", "mine").stdout


def mounted(*words: str) -> bool:
    """Call `mount`; False where this user or machine may not."""
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


def test_a_full_disk_is_named_and_freed_space_lets_the_run_go_on(house, calm):
    house.study("mine", **FAULTY)
    results = house.folder / "results"
    results.mkdir()
    if os.getuid() != 0 or not mounted("-t", "tmpfs", "-o", "size=72k", "tmpfs", str(results)):
        pytest.skip("only root can make a small file system")
    try:
        done = house.run(studies="mine")
        assert done.returncode != 0
        logs = "".join(path.read_text() for path in (house.folder / "logs").rglob("*.log"))
        assert "No space left" in logs
        assert "free disk space" in logs
        assert mounted("-o", "remount,size=64m", str(results))
        finished(house)
        assert hashes(house.folder / "results/mine") == calm
    finally:
        subprocess.run(["umount", str(results)], check=False)
