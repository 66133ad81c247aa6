"""STAGES is the one place where a stage is described: files, tables and hints follow from it."""

import re
import sys
from pathlib import Path

import matlens
import pytest
from matlens import acquire, predict, quantify, registry, screen
from matlens.plan import outputs, paths, stages
from matlens.plan.entries import Output, Stage
from matlens.plan.stages import STAGES

from .studies import IMAGES, made

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_that_of_the_map_of_the_library():
    assert tuple(STAGES) == matlens.STAGES
    for name, stage in STAGES.items():
        for entry in [*stage.families.values(), *([stage.controls] if stage.controls else [])]:
            assert entry.startswith(f"matlens.{name}:") and registry.table(entry)
        for output in stage.gives:
            assert set(output.by) <= {*stage.families, *(family for at, family in stages.WITHIN if at == name)}
        assert set(stage.of) <= set(list(STAGES)[: list(STAGES).index(name) + 1])  # or another method of itself
        assert (ROOT / f"workflow/rules/{name}.smk").is_file()


def test_no_method_is_named_like_a_stage():
    methods = {method for stage in STAGES for method in outputs.family(stage)}
    assert not methods & set(STAGES)


def test_no_two_stages_give_a_table_of_the_same_name():
    given = []
    for name, stage in STAGES.items():
        tables = {output.table for output in stage.gives if output.table}
        given += [*(tables - {stages.MEASURE}), *(outputs.family(name) if stage.measures else [])]
    assert len(given) == len(set(given)), sorted(given)


def test_one_study_restores_and_solves_for_fields():
    settings = made(
        phases=["matrix", "particle"], ingest=IMAGES, restore={"gaussian": {}}, segment={"otsu": {}},
        fields={
            "quantity": "conduction", "loading": {"x": 1.0}, "fft": {},
            "properties": {name: {"conductivity_w_per_m_k": 1.0} for name in ("matrix", "particle")},
        },
    )  # fmt: skip
    assert list(paths.stacked("mine", settings, "quality")) == ["gaussian", "identity"]
    assert list(paths.stacked("mine", settings, "field_quality")) == ["fft"]


def test_tables_of_the_packages_are_those_of_the_stages():
    stacked = outputs.stacked()
    assert set(stacked) >= {*predict.OUTPUTS, *acquire.OUTPUTS, *screen.OUTPUTS}
    assert set(stacked) >= {*quantify.METHODS, *quantify.SERIES, "connections", "properties", "sites"}


def test_every_output_is_written_by_a_rule_or_collected():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    for name, stage in STAGES.items():
        for output in stage.gives:
            part = output.path or f"/{name}/.*/{output.name}/".replace("{measure}", r"\{measure\}")
            found = re.search(part.replace("{study}", r"\{study\}"), rules)
            trained = output.by == ("learners",) and f"/{{stage}}/{{method}}/{output.name}/" in rules
            assert found or trained or name == "ingest", (name, output.name)


def test_no_collected_table_is_written_whole_by_another_rule():
    names, methods = outputs.collected()
    for stage, about in STAGES.items():
        for output in about.gives:
            if output.file == stages.STUDY and not output.collected and output.name in names:
                assert not set(outputs.family(stage, *output.by)) & set(methods), (stage, output.name)


def test_the_tables_of_a_study_come_in_the_order_of_its_settings():
    settings = made(
        ingest=IMAGES, segment={"otsu": {}, "unet": {}}, propose={"method": "unet"},
        quantify={"growth": {}, "regions": {}, "fractions": {}},
        predict={"target": "age_h", "features": ["fractions.area_fraction"], "mean": {}},
    )  # fmt: skip
    assert outputs.tables(settings) == [
        "items", "rejected", "proposals", "growth", "regions", "fractions", *predict.OUTPUTS,
    ]  # fmt: skip
    drawn = paths.drawable("mine", settings)
    assert drawn["index"] == "results/mine/ingest/gamma_prime/index/all.parquet"
    assert drawn["history"] == {"unet": "results/mine/segment/unet/history/all.parquet"}
    assert list(drawn["growth"]) == ["otsu", "unet"]
    lost = paths.rejected("mine", settings)
    assert lost[:3] == [f"results/mine/ingest/gamma_prime/rejected/{file}.parquet" for file in ("plan", "0000", "0001")]
    assert "results/mine/quantify/unet/rejected_growth/all.parquet" in lost
    assert len(lost) == len(set(lost))


DUMMY = Stage(
    "labels to wishes",
    families={"methods": "matlens.wish:METHODS"},
    gives=(
        Output("wishes", collected=True, table="wishes", drawn="wishes", hint="add a section 'wish'"),
        Output("rejected"),
    ),
    kinds=("images",),
)  # fmt: skip


@pytest.fixture
def dummy(monkeypatch):
    """Add a stage to the table, and its package."""
    package = type(sys)("matlens.wish")
    package.METHODS = {"star": "matlens.wish.star:wish"}
    monkeypatch.setitem(sys.modules, "matlens.wish", package)
    monkeypatch.setitem(STAGES, "wish", DUMMY)
    registry.table.cache_clear()
    yield
    registry.table.cache_clear()


def test_a_new_stage_is_one_entry(dummy):
    settings = {**made(ingest=IMAGES), "wish": {"star": {}}}
    assert outputs.tables(settings) == ["items", "rejected", "wishes"]
    assert "results/mine/wish/star/rejected/0001.parquet" in paths.rejected("mine", settings)
    assert paths.drawable("mine", settings)["wishes"] == {"star": "results/mine/wish/star/wishes/all.parquet"}
    assert list(paths.stacked("mine", settings, "wishes")) == ["star"]
    assert "wishes" in outputs.stacked() and "wishes" in outputs.collected()[0] and "star" in outputs.collected()[1]
    assert outputs.hint("wishes") == "add a section 'wish'"


def test_the_readme_has_the_table_of_stages_as_it_is():
    text = (ROOT / "docs/stages.md").read_text(encoding="utf-8")
    assert "\n".join(outputs.stage_table()) in text, "run: make docs"
