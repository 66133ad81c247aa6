"""A benchmark that lacks data is skipped with the reason."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


def loaded(name: str):
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def runner():
    return loaded("all")


def test_a_copy_of_the_project_has_what_it_runs(tmp_path):
    made = loaded("scale").house(tmp_path)
    assert (made / "Snakefile").is_file() and (made / "workflow/scripts").is_dir()


def test_processes_that_outlive_their_parents_are_counted():
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    lost = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {busy!r}])"
    asked = f"import scale, sys; print(scale.measured([sys.executable, '-c', {lost!r}], scale.ROOT)['cpu_s'])"
    told = subprocess.run([sys.executable, "-c", asked], cwd=FOLDER, capture_output=True, text=True, check=True)
    assert float(told.stdout) > 0.4


def test_what_is_needed_is_known_to_the_catalogue(runner):
    from matlens.store import catalog

    found = {path.name: runner.needs(path) for path in FOLDER.glob("*.py")}
    assert found["graphs.py"] == {"set": "matbench_log_gvrh_kvrh"}
    for each in found.values():
        assert "set" not in each or catalog.entry(each["set"])


def test_a_set_that_is_nowhere_is_named_with_its_source(runner, monkeypatch, tmp_path):
    from matlens.store import catalog

    monkeypatch.setattr(catalog, "places", lambda: [tmp_path])
    why = runner.lacking(FOLDER / "graphs.py")
    assert "'matbench_log_gvrh_kvrh' is not on this machine" in why and "put it at" in why
    assert "make run STUDIES=omee2024_ood_*" in runner.lacking(FOLDER / "ood.py")
    assert runner.lacking(FOLDER / "quantify_spatial.py") == ""
