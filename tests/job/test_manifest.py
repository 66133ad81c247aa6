"""Files that were edited, or that are older than their inputs, are named."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from matlens.job import manifest
from matlens.report import contents

ROOT = Path(__file__).resolve().parents[2]


class Files(list):
    def items(self):
        return {}.items()


def job(name, inputs, outputs, **params):
    return SimpleNamespace(
        rule=name,
        log=[f"logs/mine/{name}.log"],
        input=Files(inputs),
        output=Files(outputs),
        params=SimpleNamespace(items=params.items),
    )


@pytest.fixture
def line(tmp_path, monkeypatch):
    """Run two jobs: raw.csv to a.parquet, and that to tables/t.csv."""
    monkeypatch.chdir(tmp_path)
    for path in ("raw.csv", "results/mine/a.parquet", "results/mine/tables/t.csv", "results/mine/timings/c.csv"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(path)
    manifest.write(job("read", ["raw.csv"], ["results/mine/a.parquet", "results/mine/timings/c.csv"], shards=1))
    manifest.write(job("table", ["results/mine/a.parquet"], ["results/mine/tables/t.csv"]))
    return tmp_path


def found(study="*"):
    return {fault.path: fault.reason for fault in manifest.faults(manifest.records("results", study))}


def test_untouched_results_have_no_fault(line):
    assert found() == {} == found("mine")
    assert len(list(manifest.records("results"))) == 2


def test_an_edited_table_is_named_and_nothing_else(line):
    Path("results/mine/tables/t.csv").write_text("edited")
    assert list(found()) == ["results/mine/tables/t.csv"]
    assert "edited" in found()["results/mine/tables/t.csv"]


def test_what_was_made_from_an_edited_file_is_older_than_its_input(line):
    Path("results/mine/a.parquet").write_text("edited")
    assert "edited" in found()["results/mine/a.parquet"]
    assert "older than its input results/mine/a.parquet" in found()["results/mine/tables/t.csv"]


def test_a_changed_source_makes_its_outputs_old(line):
    Path("raw.csv").write_text("more rows")
    assert list(found()) == ["results/mine/a.parquet"]


def test_what_was_deleted_is_made_again_and_is_no_fault(line):
    Path("results/mine/tables/t.csv").unlink()
    assert found() == {}


def test_readings_of_a_clock_are_left_out(line):
    Path("results/mine/timings/c.csv").write_text("slower")
    assert found() == {}


@pytest.mark.parametrize("text", ["", '{"rule": "ta', "[]", "{}"])
def test_a_damaged_record_is_named(line, text):
    Path("results/mine/manifest/table.json").write_text(text)
    assert list(found()) == ["results/mine/manifest/table.json"]
    assert [one.path for one in manifest.faults(manifest.records("results", "mine"))] == list(found())


def test_a_file_written_again_with_equal_bytes_is_no_fault(line):
    path = Path("results/mine/tables/t.csv")
    path.write_bytes(path.read_bytes())
    os.utime(path, (1, 1))
    assert found() == {}


def test_records_depend_on_settings_and_code(line):
    before = json.loads(Path("results/mine/manifest/read.json").read_text())
    manifest.write(job("read", ["raw.csv"], ["results/mine/a.parquet"], shards=2))
    after = json.loads(Path("results/mine/manifest/read.json").read_text())
    assert before["settings"] != after["settings"] and before["code"] == after["code"]


def test_large_files_are_left_to_verify(line):
    Path("results/mine/tables/t.csv").write_text("edited")
    assert manifest.faults(manifest.records("results"), largest=3) == []


def test_the_page_of_the_report_names_an_edited_table(line):
    Path("results/mine/tables/t.csv").write_text("edited")
    nothing = {"tables": {}, "figures": {}, "overlays": {}, "settings": {}}
    content = {**nothing, "methods": [], "entries": {}, "cited": []}
    shown = contents.of_study("mine", content)
    assert [fault.path for fault in shown["changed"]] == ["results/mine/tables/t.csv"]


def test_the_command_ends_with_status_6(line):
    def verify(*words):
        command = [sys.executable, "-m", "matlens.cli.verify", *words]
        return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, text=True)

    assert verify().returncode == 0
    assert verify("--studies", "other").returncode == 2
    Path("results/mine/tables/t.csv").write_text("edited")
    done = verify()
    assert done.returncode == 6 and done.stdout.startswith("results/mine/tables/t.csv: edited")
