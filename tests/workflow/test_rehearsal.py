"""Every study of the project runs from its first job to the report, with its learning and its amounts cut.

One study: pytest -m slow tests/workflow/test_rehearsal.py -k "[na2021_refocus]". Its numbers say nothing.
"""

from pathlib import Path

import pandas as pd
import pytest
from matlens import columns
from matlens.plan import outputs, study
from matlens.store import catalog, io

from . import rehearsal
from .test_conservation import conserved, items, stored

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "config/studies"
STUDIES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))


@pytest.mark.parametrize("name", STUDIES)
def test_a_cut_study_is_valid_and_names_what_the_study_names(tmp_path, name):
    whole = study.load(SHIPPED / f"{name}.yaml")
    rehearsal.write(SHIPPED / f"{name}.yaml", tmp_path)
    settings = study.load(tmp_path / f"{name}.yaml")
    assert all(part.get("epochs", 1) == 1 for part in parts(settings))
    assert [*outputs.made(settings)] == [*outputs.made(whole)] and settings["figures"] == whole["figures"]


def parts(settings) -> list[dict]:
    """List all sections of nested settings."""
    inner = settings.values() if isinstance(settings, dict) else settings if isinstance(settings, list) else ()
    return [part for value in inner for part in parts(value)] + [settings] * isinstance(settings, dict)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_runs_from_end_to_end(house, data, name):
    settings = rehearsal.cut(SHIPPED / f"{name}.yaml")
    for public in sorted(catalog.named_in(settings)):  # skipped where they are not on this machine
        data(catalog.entry(public)["folder"])
    names = sorted({name, *rehearsal.lenders(settings, SHIPPED)})
    for one in names:
        rehearsal.write(SHIPPED / f"{one}.yaml", house.folder / "config/studies")
    done = house.run("-c1", studies=",".join(names), timeout=1500)
    logs = "".join(path.read_text(errors="replace") for path in sorted((house.folder / "logs").rglob("*.log")))
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert "Traceback" not in logs + done.stdout + done.stderr
    assert name in (house.folder / "results/report.html").read_text()
    complete(house.folder / "results" / name, settings)
    kept(house.folder / "results" / name, settings)


def complete(results: Path, settings: dict) -> None:
    """Every figure and table that a study declares is there, and its main table has rows."""
    figures = {path.stem for path in (results / "figures").glob("*.svg")}
    tables = {path.stem for path in (results / "tables").glob("*.csv")}
    assert set(settings["figures"]) <= figures and set(outputs.tables(settings)) <= tables
    assert len(pd.read_csv(results / "tables" / study.main_table(settings)))


def kept(results: Path, settings: dict) -> None:
    """Every item is in the index or rejected by ingest, then kept or rejected by every method."""
    source = results / "ingest" / study.ingest_method(settings)
    read, lost = items(source / "index"), items(source / "rejected")
    conserved({str(item) for item in io.read_table(source / "plan/all.parquet")[columns.ITEM]} | lost, read, lost)
    assert read
    for stage, output, found in (("segment", "labels", stored), ("connect", "connections", items)):
        for method in outputs.methods(settings, stage):
            there, gone = found(results / stage / method / output), items(results / stage / method / "rejected")
            assert there and there | gone == read and not there & gone, (stage, method)
