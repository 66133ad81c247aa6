"""Run the line from files to tables as a user would."""

import os
import re
import subprocess

import pytest
from PIL import Image

from .conftest import House, hashes, save_pictures, two_phase

SETTINGS = {"segment": {"otsu": {}, "all_background": {}}, "quantify": {"fractions": {}}}
SCRIPT = "<script>alert(1)<_script>"
HOSTILE = ["$(touch pwned)", "a b'c\"d", "-rf", SCRIPT, "новый μm", "x" * 240, "line\nbreak", ";ls|&", "nan"]


def ingest(folder, shards=1):
    return {"shards": shards, "files": {"path": f"{folder}/*"}}


def mounted(*words: str) -> bool:
    """Call `mount`; False where this user or machine may not."""
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> House:
    """Run three studies at once: seven pictures and two broken files, by one shard and by three, and hostile names.

    The pictures cannot be written while they run.
    """
    place = tmp_path_factory.mktemp("line")
    house, pictures, names = House(place / "house"), save_pictures(place / "pictures"), place / "names"
    (pictures / "broken.png").write_bytes((pictures / "field_0.png").read_bytes()[:200])
    (pictures / "empty.tif").write_bytes(b"")
    names.mkdir()
    for seed, name in enumerate(HOSTILE):
        Image.fromarray(two_phase(seed)).save(names / f"{name}.png")
    (names / os.fsdecode(b"bad\xff\xfename.png")).write_bytes((names / "nan.png").read_bytes())
    house.study("one", ingest=ingest(pictures, 1), **SETTINGS)
    house.study("three", ingest=ingest(pictures, 3), **SETTINGS)
    house.study("names", ingest=ingest(names), segment={"otsu": {}}, quantify={"fractions": {}})
    bound = os.getuid() == 0 and mounted("--bind", str(pictures), str(pictures))
    if bound:
        assert mounted("-o", "remount,ro,bind", str(pictures))
    else:
        pictures.chmod(0o555)
    before = outside(house)
    try:
        done = house.run(studies="one,three,names")
    finally:
        subprocess.run(["umount", str(pictures)], check=True) if bound else pictures.chmod(0o755)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outside(house) == before
    return house


def outside(house: House) -> set:
    """List the files next to the house."""
    return {path for path in house.folder.parent.rglob("*") if not path.is_relative_to(house.folder)}


@pytest.fixture
def copied(finished, tmp_path) -> House:
    return finished.copied(tmp_path / "moved")


def test_one_bad_file_costs_one_row_and_shards_change_nothing(finished):
    assert finished.tables("one") == finished.tables("three")
    assert sorted(finished.read("one", "rejected")["item"]) == ["broken", "empty"]
    fractions = finished.read("one", "fractions")
    assert set(fractions["item"]) == {f"field_{n}" for n in range(7)}
    assert set(fractions["method"]) == {"otsu", "all_background"}


def test_hostile_names_stay_text_and_stay_inside(finished):
    assert set(finished.read("names", "items")["item"]) == set(HOSTILE)
    assert "UTF-8" in finished.read("names", "rejected")["reason"].item()
    assert not list(finished.folder.rglob("pwned"))


def test_moved_folders_are_still_finished(copied, tmp_path):
    before = hashes(copied.folder / "results/one")
    (copied.folder / "results").rename(tmp_path / "elsewhere")
    (copied.folder / "results").symlink_to(tmp_path / "elsewhere")
    plan = copied.run("-n", studies="one,three,names")
    assert "Nothing to be done" in plan.stdout + plan.stderr
    assert hashes(tmp_path / "elsewhere/one") == before


def test_a_finished_study_reruns_only_what_a_change_touches(copied, finished):
    with open(copied.folder / "workflow/matlens/segment/otsu.py", "a") as handle:
        handle.write("\n# another formula\n")
    plan = copied.run("-n", "--workflow-profile", "none", "--cores", "1", studies="one")
    text = plan.stdout + plan.stderr
    assert "results/one/segment/otsu/labels/0000.zarr.zip" in text
    assert "output: results/one/segment/all_background/labels" not in text
    assert "rule ingest_images:" not in text

    pictures = finished.folder.parent / "pictures"
    added = pictures / "field_9.png"
    Image.open(pictures / "field_0.png").rotate(90).save(added)
    plan = copied.run("-n", "--workflow-profile", "none", "--cores", "1", studies="one")
    added.unlink()
    assert "rule ingest_plan:" in plan.stdout + plan.stderr


@pytest.mark.parametrize(
    ("settings", "place", "words"),
    [
        ({"segment": {"otsuu": {}}}, ": segment.otsuu: unknown method", "did you mean 'otsu'"),
        ({"ingest": ingest("nowhere"), **SETTINGS}, ": ingest.files: ", "nowhere/*"),
    ],
    ids=["method", "path"],
)
def test_a_wrong_study_stops_before_the_first_job(house, pictures, settings, place, words):
    house.study("mine", **{"ingest": ingest(pictures), **settings})
    done = house.run(studies="mine")
    assert done.returncode == 2
    banner, block = done.stderr.split("Configuration error (no job was started):\n")
    assert block.count("\n") == 1 and words in block
    assert block.startswith("config/studies/mine.yaml:") and place in block
    assert not re.search("Error|Traceback|File ", done.stdout + banner), "no frames of Snakemake"
    assert not (house.folder / "results").exists()
