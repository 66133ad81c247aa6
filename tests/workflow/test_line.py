"""The line from files to tables, run as a user would run it."""

import os
import re
import signal
import subprocess
import time

import pytest
from PIL import Image

from .conftest import two_phase

SETTINGS = {"segment": {"otsu": {}, "all_background": {}}, "quantify": {"fractions": {}}}


def ingest(folder, shards=1):
    return {"shards": shards, "files": {"path": f"{folder}/*"}}


def test_one_bad_file_costs_one_row_and_shards_change_nothing(house, pictures):
    (pictures / "broken.png").write_bytes((pictures / "field_0.png").read_bytes()[:200])
    (pictures / "empty.tif").write_bytes(b"")
    house.study("one", ingest=ingest(pictures, 1), **SETTINGS)
    house.study("three", ingest=ingest(pictures, 3), **SETTINGS)
    done = house.run(studies="one,three")
    assert done.returncode == 0, done.stdout + done.stderr
    assert house.tables("one") == house.tables("three")
    assert sorted(house.read("one", "rejected")["item"]) == ["broken", "empty"]
    fractions = house.read("one", "fractions")
    assert set(fractions["item"]) == {f"field_{n}" for n in range(7)}
    assert set(fractions["method"]) == {"otsu", "all_background"}


def test_a_finished_study_reruns_only_what_a_change_touches(house, pictures):
    house.study("mine", ingest=ingest(pictures), **SETTINGS)
    assert house.run(studies="mine").returncode == 0
    assert "Nothing to be done" in house.run("-n", studies="mine").stderr + house.run("-n", studies="mine").stdout

    with open(house.folder / "workflow/matlens/segment/otsu.py", "a") as handle:
        handle.write("\n# another formula\n")
    plan = house.run("-n", "--workflow-profile", "none", "--cores", "1", studies="mine")
    text = plan.stdout + plan.stderr
    assert "results/mine/segment/otsu/labels/0000.zarr.zip" in text
    assert "output: results/mine/segment/all_background/labels" not in text
    assert "rule ingest_images:" not in text

    Image.open(pictures / "field_0.png").rotate(90).save(pictures / "field_9.png")
    plan = house.run("-n", "--workflow-profile", "none", "--cores", "1", studies="mine")
    assert "rule ingest_plan:" in plan.stdout + plan.stderr


def test_a_wrong_study_stops_before_the_first_job(house, pictures):
    house.study("mine", ingest=ingest(pictures), segment={"otsuu": {}})
    done = house.run(studies="mine")
    assert done.returncode == 2
    banner, block = done.stderr.split("Configuration error (no job was started):\n")
    assert block.count("\n") == 1 and "did you mean 'otsu'" in block
    assert block.startswith("config/studies/mine.yaml:") and ": segment.otsuu: unknown method" in block
    assert not re.search("Error|Traceback|File ", done.stdout + banner), "no frames of Snakemake"
    assert not (house.folder / "results").exists()


def test_a_path_without_files_stops_before_the_first_job(house, pictures):
    house.study("mine", ingest={"files": {"path": f"{pictures}/*.tif"}}, **SETTINGS)
    done = house.run(studies="mine")
    assert done.returncode == 2
    assert done.stderr.split("Configuration error (no job was started):\n")[1].count("\n") == 1
    assert str(pictures) in done.stderr and "Traceback" not in done.stderr + done.stdout
    assert not (house.folder / "results").exists()


@pytest.mark.parametrize("seconds", [4.0])
def test_a_killed_run_resumes_to_the_same_bytes(house, pictures, seconds):
    house.study("mine", ingest=ingest(pictures, 3), **SETTINGS)
    house.study("calm", ingest=ingest(pictures, 3), **SETTINGS)
    assert house.run(studies="calm").returncode == 0
    command = house.command("--config", "studies=mine")
    run = subprocess.Popen(command, cwd=house.folder, env=house.env, start_new_session=True, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert house.run("--unlock", studies="mine").returncode == 0
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert house.tables("mine") == house.tables("calm")
    assert not list((house.folder / "results").rglob("*.partial"))


SCRIPT = "<script>alert(1)<_script>"
HOSTILE = ["$(touch pwned)", "a b'c\"d", "-rf", SCRIPT, "новый μm", "x" * 240, "line\nbreak", ";ls|&", "nan"]


def test_hostile_names_stay_text_and_stay_inside(house, tmp_path):
    folder = tmp_path / "names"
    folder.mkdir()
    for seed, name in enumerate(HOSTILE):
        Image.fromarray(two_phase(seed)).save(folder / f"{name}.png")
    (folder / os.fsdecode(b"bad\xff\xfename.png")).write_bytes((folder / "nan.png").read_bytes())
    house.study("mine", ingest=ingest(folder, 2), **SETTINGS)
    before = {path for path in tmp_path.rglob("*") if "house" not in path.parts}
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(house.read("mine", "items")["item"]) == set(HOSTILE)
    assert "UTF-8" in house.read("mine", "rejected")["reason"].item()
    assert {path for path in tmp_path.rglob("*") if "house" not in path.parts} == before
    assert not list(house.folder.rglob("pwned"))
