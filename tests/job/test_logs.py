"""The state of a run, read from its files."""

import base64
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from matlens.job import logs
from matlens.store import io

LOG = """Building DAG of jobs...
SLURM run ID: 0b1c-22
Job stats:
job      count
-----  -------
all          1
total       26

Finished jobid: 3 (Rule: ingest)
3 of 26 steps (12%) done
"""


def test_a_file_that_was_cut_off_is_told_from_a_whole_one(tmp_path):
    table, arrays, other = (tmp_path / name for name in ("a.parquet", "b.zarr.zip", "c.json"))
    io.write_table(table, pd.DataFrame({"item": list("abc")}))
    io.write_ragged(arrays, {"species": np.arange(1000)})
    other.write_text("{")
    assert logs.damaged(map(str, (table, arrays, other, tmp_path / "none.parquet"))) == []
    for path in (table, arrays):
        whole = path.read_bytes()
        for left in (0, 1, 3, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:left])
            assert logs.damaged([str(path)]) == [str(path)], left


def test_a_log_tells_the_name_of_its_jobs_and_how_far_it_came():
    assert logs.run_ids([LOG, "nothing", LOG.replace("0b1c-22", "prefix_77")]) == ["0b1c-22", "prefix_77"]
    assert logs.progress(LOG) == (3, 26)
    assert logs.progress(LOG.split("Finished")[0]) == (0, 26)
    assert logs.progress("LockException") == (0, 0)


def test_the_last_run_is_the_newest_that_had_jobs(tmp_path):
    (tmp_path / "2026-01-01T100000.1.snakemake.log").write_text(LOG.replace("3 of", "1 of"))
    (tmp_path / "2026-01-02T100000.1.snakemake.log").write_text(LOG)
    (tmp_path / "2026-01-03T100000.1.snakemake.log").write_text("Error: Directory cannot be locked.")
    text, began = logs.last(tmp_path)
    assert logs.progress(text) == (3, 26)
    assert time.localtime(began)[:3] == (2026, 1, 2)
    assert logs.last(tmp_path / "none") == ("", 0.0)


def test_outputs_under_way_become_jobs_even_where_their_names_are_cut(tmp_path):
    outputs = [
        "results/a/segment/otsu/labels/0003.zarr.zip",
        "results/a/segment/otsu/rejected/0003.parquet",
        "results/a/quantify/otsu/sizes/0001.parquet",
        "results/a/quantify/otsu/rejected_sizes/0001.parquet",
        "results/a/tables/sizes.csv",
        "results/" + "x" * 300,
    ]
    for output in outputs:
        name = base64.urlsafe_b64encode(output.encode()).decode()
        parts = [name[i : i + 254] for i in range(0, len(name), 254)]
        path = tmp_path.joinpath(*("@" + part for part in parts[:-1]), parts[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert logs.under_way(tmp_path) == sorted(outputs)
    assert logs.jobs_of(outputs[:5]) == ["a/quantify/otsu/sizes/0001", "a/segment/otsu/0003", "a/tables/sizes.csv"]


def test_the_log_of_a_job_has_an_end_or_the_job_has_none(tmp_path):
    for text, outcome in {
        "segment [shard=0001]\ndone\n": ("done", ""),
        "segment\nTraceback\nfailed: segment [shard=0001]: MemoryError: x\n": (
            "failed",
            "segment [shard=0001]: MemoryError: x",
        ),
        "segment [shard=0001]\nhalf way": ("begun", ""),
        "": ("begun", ""),
    }.items():
        (tmp_path / "job.log").write_text(text)
        assert logs.outcome(tmp_path / "job.log") == outcome


def test_jobs_without_their_driver_are_found_and_those_with_one_are_not(tmp_path):
    script = tmp_path / ".snakemake/scripts/tmp1.py"
    script.parent.mkdir(parents=True)
    script.write_text("import time; time.sleep(60)")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    alone = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path)
    other = subprocess.Popen([sys.executable, str(script)], cwd=elsewhere)
    child = f"import subprocess, sys; subprocess.run([sys.executable, {str(script)!r}])"
    driver = tmp_path / "bin/snakemake"
    driver.parent.mkdir()
    driver.write_text(child)
    led = subprocess.Popen([sys.executable, str(driver)], cwd=tmp_path, start_new_session=True)
    try:
        time.sleep(1.0)
        assert logs.processes(tmp_path) == ([led.pid], [alone.pid])
    finally:
        os.killpg(led.pid, 9)
        for process in (alone, other):
            process.kill()
