"""The end of a run reports missing tables, empty shortlists and waiting hand-offs."""

import pytest
from matlens.job import logs as runs
from matlens.plan import status
from matlens.store import io

SETTINGS = {"main_table": "shortlist", "quantify": {}}
EMPTY = "method,rank,item\n"


@pytest.fixture
def tables(tmp_path):
    for name, text in (("items", "item\na\nb\n"), ("rejected", "item,stage,reason\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def told(tables) -> str:
    return "\n".join(status.describe("alloy", SETTINGS, tables).lines)


def test_a_shortlist_that_nothing_came_onto_is_told_with_what_most_failed(tables):
    (tables / "shortlist.csv").write_text(f"{EMPTY}pareto,1,a\n")
    (tables / "excluded.csv").write_text(
        "method,item,criterion\nweighted,a,k above 2\nweighted,b,k above 2\npareto,b,x\n"
    )
    assert "weighted: 0 of 2 candidates meet the criteria, 0 are listed" in told(tables)
    assert "the shortlist is empty: k above 2 (2); see" in told(tables)
    (tables / "shortlist.csv").write_text(f"{EMPTY}pareto,1,a\nweighted,1,a\n")
    assert "empty" not in told(tables)


def test_listed_candidates_unlike_the_training_set_are_counted(tables):
    rows = "method,rank,item,outside_training_range\nweighted,1,a,True\nweighted,2,b,False\npareto,1,b,False\n"
    (tables / "shortlist.csv").write_text(rows)
    (tables / "excluded.csv").write_text("method,item,criterion\npareto,a,x\n")
    found = told(tables)
    assert found.count("unlike all that was learned from") == 1
    assert "2 are listed\n    1 of these is unlike all" in found


def test_the_commonest_reason_is_told_where_most_items_are_rejected(tables):
    rows = ["x,ingest,unknown element 'Xx'; give one", "y,ingest,\"unknown element 'Qq'; give one\"", "z,ingest,empty"]
    (tables / "rejected.csv").write_text("\n".join(["item,stage,reason", *rows, ""]))
    assert "commonest reason (2 of 3), as an example: unknown element 'Xx'; give one" in told(tables)
    (tables / "items.csv").write_text("item\na\nb\nc\n")
    assert "more were rejected" not in told(tables)


def test_items_rejected_before_a_job_failed_are_told(tmp_path):
    """The failed job may lack what was rejected; the table of rejected items is made at the end."""
    tables = tmp_path / "tables"
    assert told(tables) == "alloy: not finished; run it with: make run STUDIES=alloy"
    for shard, items in (("0000", ["x", "y"]), ("0001", []), ("0002", ["z"])):
        rows = [{"item": item, "stage": "ingest", "reason": f"unknown element '{item}'; give one"} for item in items]
        io.write_rejected(tmp_path / "ingest/structures/rejected" / f"{shard}.parquet", rows)
    lines = told(tables).splitlines()
    assert lines[1].startswith("  3 items rejected so far; the commonest reason (3 of 3)") and len(lines) == 2


def test_files_that_are_the_same_are_told_where_there_are_any(tables):
    (tables / "items.csv").write_text("item,same_as\na,\nb,a\n")
    assert "counts twice: a and b; see" in told(tables)
    for text in ("item,same_as\n", "item,same_as\na,\n"):
        (tables / "items.csv").write_text(text)
        assert "counts twice" not in told(tables)


def test_a_shortlist_of_nothing_at_all_is_told(tables):
    (tables / "shortlist.csv").write_text(EMPTY)
    (tables / "excluded.csv").write_text("method,item,criterion\n")
    assert "nothing was predicted of any item" in told(tables)


@pytest.mark.parametrize("name", ["items", "rejected"])
@pytest.mark.parametrize("text", ["", 'a,b\n"c'])
def test_a_table_that_is_damaged_or_gone_is_named_with_the_remedy(tables, name, text):
    (tables / f"{name}.csv").write_text(text)
    if name == "rejected" or not text:
        assert f"{name}.csv cannot be read" in told(tables)
        assert "delete it, then: make run STUDIES=alloy" in told(tables)
    (tables / "items.csv").unlink()
    assert "items.csv cannot be read" in told(tables)


def test_the_same_file_under_two_names_is_told(tables):
    (tables / "items.csv").write_text("item,same_as\na,\nb,a\nc,a\n")
    assert "the same file under two names, which counts twice: a and b, a and c; see" in told(tables)
    (tables / "items.csv").write_text("item\na\n")
    assert "same file" not in told(tables)


def test_one_is_counted_in_the_singular(tables):
    (tables / "items.csv").write_text("item\na\n")
    (tables / "rejected.csv").write_text("item,stage,reason\nb,ingest,damaged\n")
    (tables / "verdicts.csv").write_text("item,engine,status\na,qe,pending\na,gpaw,pending\nb,gpaw,pending\n")
    found = told(tables)
    assert "alloy: 1 item;" in found and "1 item rejected" in found
    assert "1 hand-off waits for qe" in found and "2 hand-offs wait for gpaw" in found


def test_rejected_items_of_one_name_count_each_and_stages_once(tables):
    """Three structures of one id were read, two of them rejected; one item was lost in two methods of a stage."""
    rows = ["id,ingest,same id", "id,ingest,same id", "b,segment/otsu,flat", "b,segment/unet,flat"]
    (tables / "rejected.csv").write_text("\n".join(["item,stage,reason", *rows, ""]))
    assert "3 items rejected" in told(tables)


def test_what_is_not_there_is_not_finished(tmp_path):
    assert "not finished; run it with: make run STUDIES=alloy" in told(tmp_path)


def test_the_current_run_is_known_even_if_snakemake_prints_nothing(tmp_path, monkeypatch):
    """With --quiet the log of Snakemake has no steps; the run itself writes down how many jobs it has."""
    from types import SimpleNamespace

    from matlens.plan import scheduler

    state, logs = tmp_path / ".snakemake", tmp_path / "logs"
    (state / "log").mkdir(parents=True)
    old = state / "log/2026-01-02T100000.1.snakemake.log"
    old.write_text("5 of 9 steps (55%) done\n")
    assert "5 of 9 jobs done" in status.jobs(["mine"], state, logs)[0]
    made = [SimpleNamespace(log=["a"]), SimpleNamespace(log=["b"]), SimpleNamespace(log=[])]
    scheduler.write_down(SimpleNamespace(dag=SimpleNamespace(needrun_jobs=lambda: made)), ["a", "b"], state)
    assert runs.last_studies(state) == "a,b" and runs.last_studies(tmp_path) == ""
    (logs / "mine").mkdir(parents=True)
    (logs / "mine/a.log").write_text("rule\ndone\n")
    assert status.jobs(["mine"], state, logs)[0] == "last run: 1 of 2 jobs done, 0 cut off, 0 failed, 1 left"
    (logs / "mine/b.log").write_text("rule\nfailed: no memory\n")
    assert "1 of 2 jobs done, 0 cut off, 1 failed, 0 left" in status.jobs(["mine"], state, logs)[0]
