"""A door is a job and a command."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matlens.store import io

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = "matlens/cli"  # what users call


def command(script, *words, cwd, folder="scripts"):
    return subprocess.run(
        [sys.executable, str(ROOT / "workflow" / folder / script), *words],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )


SCRIPTS = [*(ROOT / "workflow/scripts").glob("*.py"), *(ROOT / "workflow" / COMMANDS).glob("[!_]*.py")]


@pytest.mark.parametrize("script", sorted(SCRIPTS), ids=lambda path: path.stem)
def test_every_script_prints_its_usage_without_snakemake(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [str(script), "--help"])
    monkeypatch.setattr("matlens.job.entry.pin_hashes", lambda: None)  # it would replace this process
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0 and "usage:" in capsys.readouterr().out


def test_a_stage_runs_from_the_command_line(tmp_path):
    plan = ["--method", "gamma_prime", "--options", json.dumps({"ages_h": [1], "images": 2, "size_px": [64, 64]})]
    made = command("ingest_plan.py", *plan, "--plan", "p.parquet", "--rejected", "r.parquet", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert len(io.read_table(tmp_path / "p.parquet")) == 2


def test_status_tells_what_is_not_finished_and_where_tables_are(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/studies").symlink_to(ROOT / "config/studies")
    done = command("status.py", "--studies", "demo_superalloy", "--check", "yes", cwd=tmp_path, folder=COMMANDS)
    assert done.returncode == 0
    assert "demo_superalloy: not finished" in done.stdout
    tables = tmp_path / "results/demo_superalloy/tables"
    tables.mkdir(parents=True)
    (tables / "items.csv").write_text("method,item\nfiles,a\n")
    (tables / "rejected.csv").write_text("item,stage,reason\nb,ingest,truncated\n")
    done = command("status.py", "--studies", "demo_superalloy", "--check", "yes", cwd=tmp_path, folder=COMMANDS)
    assert done.returncode == 0
    assert "1 item rejected" in done.stdout
    words = ("--studies", "demo_superalloy", "--check", "yes", "--strict", "yes")
    assert command("status.py", *words, cwd=tmp_path, folder=COMMANDS).returncode == 3
    wrong = command("status.py", "--studies", "demo_superaloy", cwd=tmp_path, folder=COMMANDS)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("config key 'studies': unknown study 'demo_superaloy'")
    assert "main table: results/demo_superalloy/tables/coarsening.csv" in done.stdout
    assert "1 item rejected" in done.stdout


FAULTS = {
    "memory": ("raise MemoryError('too much')", "a retry requests more memory"),
    "disk": ("raise OSError(errno.ENOSPC, 'No space left on device')", "free disk space"),
    "interrupt": (
        "signal.signal(signal.SIGINT, signal.default_int_handler); os.kill(os.getpid(), signal.SIGINT); time.sleep(5)",
        "stopped by Ctrl-C; the same command goes on",
    ),  # tests in the background of a shell inherit that it is ignored
    "time": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", "a retry requests more time"),
}
JOB = """
import errno, os, signal, time
from types import SimpleNamespace
from matlens.job import batch
from matlens.job import entry as door
from matlens.store import io

def work(item):
    if item["item"] == "sample <7>":
        {fault}

def main():
    list(batch.survive([{{"item": "sample 1"}}, {{"item": "sample <7>"}}], work, [], "segment/otsu"))

named = lambda **values: SimpleNamespace(items=values.items)
class Files(list):
    items = dict().items
parts = dict(input=Files(["index.parquet", "graphs.zarr.zip"]), output=Files(["tables/0003.parquet"]), params=named())
wildcards = named(study="mine", shard="0003")
door.run(main, SimpleNamespace(rule="segment", threads=1, log=["job.log"], wildcards=wildcards, **parts))
"""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_log_of_a_failed_job_ends_with_shard_item_reason_and_remedy(tmp_path, fault):
    code, remedy = FAULTS[fault]
    (tmp_path / "tables").mkdir()
    for name in (".0003.parquet.1234.partial", ".0004.parquet.1234.partial"):
        (tmp_path / "tables" / name).touch()
    env = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    command = [sys.executable, "-c", JOB.format(fault=code)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    last = (tmp_path / "job.log").read_text().splitlines()[-1]
    assert last.startswith("failed: segment [study=mine shard=0003]: ")
    assert "at item 'sample <7>'" in last
    assert remedy in last
    assert last in done.stderr
    assert "log: job.log" in done.stderr
    left = [path.name for path in (tmp_path / "tables").iterdir()]
    assert left == [".0004.parquet.1234.partial"], "half of its own output is removed, that of another job is not"


def test_an_input_that_was_cut_off_is_named_with_the_remedy(tmp_path):
    (tmp_path / "tables").mkdir()
    io.write_table(tmp_path / "index.parquet", pd.DataFrame({"item": ["a"]}))
    io.write_ragged(tmp_path / "graphs.zarr.zip", {"species": np.arange(9)})
    os.truncate(tmp_path / "graphs.zarr.zip", 300)
    code = JOB.format(fault="pass").replace("    list(", "    io.read_ragged('graphs.zarr.zip')\n    list(")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "graphs.zarr.zip is cut off (copied in part, or a disk was full): delete it, then run again" in done.stderr
