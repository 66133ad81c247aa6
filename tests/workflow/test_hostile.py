"""Hostile names of crystals and images: in tables, figures, report, exports and hand-offs they stay text."""

import json
import os
import subprocess

import pytest
from matlens.store import io
from PIL import Image

from .conftest import two_phase

SCRIPT = "<script>alert(1)</script>"
NAMES = [
    "$(touch pwned)", "`touch pwned`", "a b'c\"d", "-rf", SCRIPT, "новый μm", "x" * 300, ";touch pwned|&", "nan",
    "../../../pwned", "line\nbreak", "handoffs",
]  # fmt: skip
WEIGHTS = {"log10_bulk_modulus_gpa": "data/weights/cgcnn_log10_bulk_modulus.safetensors"}


@pytest.fixture
def settings(house, tmp_path):
    """Write crystals with hostile names, and the study that judges them by hand-offs that nobody runs."""
    crystals = [
        {"id": name, "cell": [[4 + k / 10, 0, 0], [0, 4, 0], [0, 0, 4]], "species": ["Al"], "frac": [[0, 0, 0]]}
        for k, name in enumerate(NAMES)
    ]
    (tmp_path / "crystals.json").write_text(json.dumps(crystals))
    return {
        "ingest": {"shards": 2, "structures": {"path": str(tmp_path / "crystals.json")}},
        "connect": {"knn": {}},
        "predict": {"pretrained": {"weights": WEIGHTS}},
        "screen": {"properties": {"log10_bulk_modulus_gpa": {"goal": "maximize"}}, "weighted": {}},
        "validate": {"candidates": "index", "most": None, "gpaw": {"run": False}},
    }


def test_names_of_crystals_stay_text_and_stay_inside(house, tmp_path, settings):
    house.study("mine", **settings)
    before = {path for path in tmp_path.rglob("*") if "house" not in path.parts}
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(house.read("mine", "items")["item"]) == set(NAMES)
    assert set(house.read("mine", "shortlist")["item"]) <= set(NAMES)
    assert {path for path in tmp_path.rglob("*") if "house" not in path.parts} == before
    assert not list(tmp_path.rglob("pwned"))

    folders = [path.parent for path in house.folder.glob("results/mine/handoff/gpaw/*/run.sh")]
    assert len(folders) == len(NAMES)
    for folder in folders:
        for script in ("run.sh", "job.slurm"):
            assert subprocess.run(["sh", "-n", script], cwd=folder).returncode == 0
        assert json.loads((folder / "manifest.json").read_text())["item"] in NAMES
        heads = [line for line in (folder / "job.slurm").read_text().splitlines() if line.startswith("#SBATCH")]
        assert f"#SBATCH --job-name={folder.name}" in heads
        assert len(heads) == 6, "a name wrote a line for the scheduler"
    report = (house.folder / "results/report.html").read_text()
    assert SCRIPT not in report
    assert "&lt;script&gt;" in report


FILES = [
    "$(touch pwned)", "`touch pwned`", "a b'c\"d", "-rf", "--help", "<img src=x onerror=alert(1)>", "новый μm",
    "x" * 250, ";touch pwned|&", "nan", "line\nbreak",
    "=cmd|' !A0", "$\\frac{", "%s{0}{wildcards}", "~root", "\x1b[31m", "*?[a]",
]  # fmt: skip


def test_names_of_images_stay_text_and_stay_inside(house, tmp_path):
    folder = tmp_path / "images $(touch pwned)"
    folder.mkdir()
    for seed, name in enumerate(FILES):
        Image.fromarray(two_phase(seed, 32)).save(folder / f"{name}.png")
    (folder / b"latin-\xe9.png".decode("utf-8", "surrogateescape")).write_bytes((folder / "nan.png").read_bytes())
    house.study(
        "mine",
        phases=["matrix", "particle"],
        ingest={"shards": 2, "files": {"path": str(folder)}},
        segment={"otsu": {}},
        quantify={"fractions": {}},
        figures={"overlays": {}, "fractions": {}},
    )
    before = {path for path in tmp_path.rglob("*") if "house" not in path.parts}
    done = house.run("all", "export", studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path for path in tmp_path.rglob("*") if "house" not in path.parts} == before
    assert not list(tmp_path.rglob("pwned"))
    assert set(io.read_csv(house.folder / "results/mine/tables/fractions.csv")["item"]) == set(FILES)
    assert list(house.read("mine", "rejected")["item"]) == ["latin-\\xe9"]
    folders = list((house.folder / "results/mine/export").rglob("*.ome.zarr"))
    assert len(folders) == len(FILES)
    report = (house.folder / "results/report.html").read_text()
    assert "<img src=x" not in report
    assert "&lt;img src=x onerror=alert(1)&gt;" in report


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_nobody_may_read_stops_the_run_before_its_first_job(house, tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    house.study("mine", ingest={"files": {"path": str(tmp_path / "locked")}})
    done = house.run(studies="mine")
    assert done.returncode and "no permission to read it; change its access rights" in done.stdout + done.stderr
