"""What breaks on one machine, made to break: the results are those of an undisturbed run."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from .conftest import House

STUDY = {
    "phases": ["matrix", "particle"],
    "ingest": {"shards": 3, "gamma_prime": {"ages_h": [1, 20], "images": 3, "size_px": [64, 64]}},
    "segment": {"otsu": {}},
    "quantify": {"fractions": {}},
}
ALWAYS = """
    import os as _os, pathlib as _paths
    if "0001" in images:
        raise RuntimeError("planted")
    if "0002" in images and not _paths.Path("planted").exists():
        _paths.Path("planted").touch()
        _os.kill(_os.getpid(), 9)
"""


def hashes(house) -> dict[str, str]:
    """Hash every artefact of the study, by path."""
    folder = house.folder / "results/mine"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Run the study undisturbed."""
    house = House(tmp_path_factory.mktemp("calm") / "house")
    house.study("mine", **STUDY)
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    return hashes(house)


def door(house, name: str, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, f"workflow/scripts/{name}.py", *words]
    return subprocess.run(command, cwd=house.folder, env=house.env, capture_output=True, text=True)


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_ends_in_the_same_bytes(house, calm, kills):
    """Kill Snakemake alone, so that its jobs live on, or with all its jobs; then resume as a user would."""
    house.study("mine", **STUDY)
    house.env["PYTHONPATH"] = "workflow"
    moments, ended = random.Random(kills), 0
    for _ in range(kills):
        command = house.command("--config", "studies=mine")
        run = subprocess.Popen(command, cwd=house.folder, env=house.env, start_new_session=True, stderr=subprocess.PIPE)
        time.sleep(moments.uniform(1.0, 6.0))
        if run.poll() is None:
            (os.killpg if moments.random() < 0.5 else os.kill)(run.pid, signal.SIGKILL)
        else:
            ended += 1
            assert run.returncode == 0, run.stderr.read()
        run.wait()
        resumed = door(house, "resume")
        assert resumed.returncode == 0, resumed.stderr
        if ended and kills > 5:  # once it got through: begin anew, so that every kill hits a run at work
            ended = 0
            assert hashes(house) == calm
            subprocess.run(["rm", "-rf", "results", ".snakemake"], cwd=house.folder, check=True)
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert hashes(house) == calm
    assert not list((house.folder / "results").rglob("*.partial"))


def test_a_shard_that_always_fails_leaves_the_rest_finished_and_is_named(house, calm):
    house.study("mine", **STUDY)
    house.env["PYTHONPATH"] = "workflow"
    path = house.folder / "workflow/scripts/segment.py"
    sound = path.read_text()
    head, tail = sound.split("    function, lost =", 1)
    path.write_text(f"{head}{ALWAYS}    function, lost ={tail}")
    done = house.run("--retries", "1", studies="mine")
    assert done.returncode != 0
    made = hashes(house)
    assert {name: calm[name] for name in made} == made, "what was made is not what an undisturbed run makes"
    assert {f"quantify/otsu/fractions/{shard}.parquet" for shard in ("0000", "0002")} <= set(made)
    assert "tables/items.csv" in made
    told = door(house, "status", "--studies", "mine").stdout
    assert "1 failed" in told
    assert "shard=0001" in told
    assert "RuntimeError: planted" in told
    assert "logs/mine/segment/otsu/0001.log" in told
    report = (house.folder / "results/report.html").read_text()
    assert "fractions.csv" in report

    path.write_text(sound)
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert hashes(house) == calm
    assert "0 failed, 0 left" in door(house, "status", "--studies", "mine").stdout


def mounted(*words: str) -> bool:
    """Call `mount`; False where this user or machine may not."""
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


def test_a_full_disk_is_named_and_freed_space_lets_the_run_go_on(house, calm):
    house.study("mine", **STUDY)
    results = house.folder / "results"
    results.mkdir()
    if os.getuid() != 0 or not mounted("-t", "tmpfs", "-o", "size=72k", "tmpfs", str(results)):
        pytest.skip("only root can make a small file system")
    try:
        done = house.run(studies="mine")
        assert done.returncode != 0
        logs = "".join(path.read_text() for path in (house.folder / "logs").rglob("*.log"))
        assert "No space left" in logs
        assert "free some space" in logs
        assert mounted("-o", "remount,size=64m", str(results))
        done = house.run(studies="mine")
        assert done.returncode == 0, done.stdout + done.stderr
        assert hashes(house) == calm
    finally:
        subprocess.run(["umount", str(results)], check=False)


def test_input_that_cannot_be_written_is_read_and_a_moved_folder_is_still_finished(house, pictures, tmp_path):
    house.study("mine", **{**STUDY, "ingest": {"shards": 2, "files": {"path": f"{pictures}/*"}}})
    bound = os.getuid() == 0 and mounted("--bind", str(pictures), str(pictures))
    if bound:
        assert mounted("-o", "remount,ro,bind", str(pictures))
    else:
        pictures.chmod(0o555)
    try:
        done = house.run(studies="mine")
        assert done.returncode == 0, done.stdout + done.stderr
        before = hashes(house)
        house.folder = house.folder.rename(tmp_path / "moved")
        plan = house.run("-n", studies="mine")
        assert "Nothing to be done" in plan.stdout + plan.stderr
        assert hashes(house) == before
    finally:
        if bound:
            subprocess.run(["umount", str(pictures)], check=True)
        else:
            pictures.chmod(0o755)
