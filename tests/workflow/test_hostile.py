"""Hostile names of crystals and images: in tables, figures, report, exports and hand-offs they stay text."""

import json
import os
import subprocess

import pytest
from matlens.store import io
from PIL import Image

from .conftest import two_phase
from .test_report import Page

SCRIPT = "<script>alert(1)</script>"
NAMES = [
    "$(touch pwned)", "`touch pwned`", "a b'c\"d", "-rf", SCRIPT, "новый μm", "x" * 300, ";touch pwned|&", "nan",
    "../../../pwned", "line\nbreak", "handoffs",
]  # fmt: skip
SHOWN = {name.replace("\n", " ") for name in NAMES}  # crystals are named on one line
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
    assert set(house.read("mine", "items")["item"]) == SHOWN
    assert set(house.read("mine", "shortlist")["item"]) <= SHOWN
    assert {path for path in tmp_path.rglob("*") if "house" not in path.parts} == before
    assert not list(tmp_path.rglob("pwned"))

    folders = [path.parent for path in house.folder.glob("results/mine/handoff/gpaw/*/run.sh")]
    assert len(folders) == len(NAMES)
    for folder in folders:
        for script in ("run.sh", "job.slurm"):
            assert subprocess.run(["sh", "-n", script], cwd=folder).returncode == 0
        assert json.loads((folder / "manifest.json").read_text())["item"] in SHOWN
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


def test_names_of_images_stay_text_and_stay_inside_to_the_report_and_the_export(house, tmp_path):
    folder = tmp_path / "images $(touch pwned)"
    folder.mkdir()
    for seed, name in enumerate(FILES):
        Image.fromarray(two_phase(seed, 32)).save(folder / f"{name}.png")
    (folder / b"latin-\xe9.png".decode("utf-8", "surrogateescape")).write_bytes((folder / "nan.png").read_bytes())
    (folder / "broken.png").write_bytes(b"no image")
    house.study(
        "mine",
        phases=["matrix", "particle"],
        ingest={"shards": 2, "files": {"path": str(folder)}},
        segment={"otsu": {}},
        quantify={"fractions": {}},
        figures={"overlays": {"items": 2, "width_px": 128}, "fractions": {}},
    )
    before = {path for path in tmp_path.rglob("*") if "house" not in path.parts}
    done = house.run("all", "export", studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path for path in tmp_path.rglob("*") if "house" not in path.parts} == before
    assert not list(tmp_path.rglob("pwned"))
    results = house.folder / "results/mine"
    assert set(io.read_csv(results / "tables/fractions.csv")["item"]) == set(FILES)
    assert sorted(house.read("mine", "rejected")["item"]) == ["broken", "latin-\\xe9"]
    assert sorted(path.name for path in (results / "figures").iterdir()) == ["fractions.svg", "overlays.svg"]
    reported((house.folder / "results/report.html").read_text())
    exported(results / "export")
    again = house.run("-n", "all", "export", studies="mine")
    assert "Nothing to be done" in again.stdout + again.stderr


def reported(text: str) -> None:
    """Check that the report shows the names as text, and every rejected item."""
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert len(Page(text).rows["mine-rejected"]) == 1 + 2


def exported(folder) -> None:
    """Check that every image is an OME-Zarr folder with its name and its labels."""
    import zarr

    rows = [row for path in sorted((folder / "manifest").glob("*.json")) for row in io.read_json(path)]
    assert {row["item"] for row in rows} == set(FILES) and len(rows) == len(FILES)
    assert sorted(path.name for path in folder.glob("*.ome.zarr")) == sorted(row["folder"] for row in rows)
    for row in rows:
        root = zarr.open_group(folder / row["folder"], mode="r")
        assert root.attrs["ome"]["multiscales"][0]["name"] == row["item"]
        assert root["labels"].attrs["ome"]["labels"] == row["labels"] == ["otsu"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_nobody_may_read_stops_the_run_before_its_first_job(house, tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    house.study("mine", ingest={"files": {"path": str(tmp_path / "locked")}})
    done = house.run(studies="mine")
    assert done.returncode and "no permission to read it; change its access rights" in done.stdout + done.stderr
