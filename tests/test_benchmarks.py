"""A benchmark that lacks data is skipped with the reason."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("all_benchmarks", FOLDER / "all.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
