"""A door is a job and a command."""

import json
import subprocess
import sys
from pathlib import Path

from matlens import io

ROOT = Path(__file__).resolve().parents[1]


def command(script, *words, cwd):
    return subprocess.run(
        [sys.executable, str(ROOT / "workflow/scripts" / script), *words],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )


def test_every_door_says_how_to_call_it_without_snakemake(tmp_path):
    for script in sorted((ROOT / "workflow/scripts").glob("*.py")):
        done = command(script.name, "--help", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "usage:" in done.stdout


def test_a_stage_runs_from_the_command_line(tmp_path):
    plan = ["--method", "gamma_prime", "--options", json.dumps({"ages_h": [1], "images": 2, "size_px": [64, 64]})]
    made = command("ingest_plan.py", *plan, "--plan", "p.parquet", "--rejected", "r.parquet", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert len(io.read_table(tmp_path / "p.parquet")) == 2


def test_status_tells_what_is_not_finished_and_where_tables_are(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/studies").symlink_to(ROOT / "config/studies")
    done = command("status.py", "--studies", "demo_superalloy", "--check", "yes", cwd=tmp_path)
    assert done.returncode == 0
    assert "demo_superalloy: not finished" in done.stdout
    tables = tmp_path / "results/demo_superalloy/tables"
    tables.mkdir(parents=True)
    (tables / "items.csv").write_text("method,item\nfiles,a\n")
    (tables / "rejected.csv").write_text("item,stage,reason\nb,ingest,truncated\n")
    done = command("status.py", "--studies", "demo_superalloy", "--check", "yes", cwd=tmp_path)
    assert done.returncode == 3
    assert "main table: results/demo_superalloy/tables/coarsening.csv" in done.stdout
    assert "1 items rejected" in done.stdout
