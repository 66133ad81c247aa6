import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def make(*words):
    return subprocess.run(["make", "-n", "-o", ".venv/installed", *words], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "STUDY=demo_alloys"], "no setting 'STUDY'"),
        (["run", "studies=demo_alloys"], "no setting 'studies'"),
        (["run", "demo_alloys"], "no command 'demo_alloys'; a study is chosen by STUDIES=demo_alloys"),
    ],
)
def test_a_misspelt_word_builds_nothing(words, said):
    """Make ignores a variable that nobody reads, and would build the demo studies instead."""
    done = make(*words)
    assert done.returncode == 2 and said in done.stderr and "snakemake" not in done.stdout


@pytest.mark.parametrize(
    "words", [["run"], ["plan", "STUDIES=a", "ARGS=-q all", "PROFILE=slurm"], ["run", "SHELL=/bin/bash"]]
)
def test_settings_and_commands_are_taken(words):
    assert make(*words).returncode == 0


def test_help_lists_every_command():
    listed = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    words = {word for line in listed.splitlines() for word in line[:24].split()}
    assert {"run", "plan", "resume", "figures", "report", "export", "verify", "status", "test", "help"} <= words


def test_a_home_that_cannot_be_written_is_replaced_by_a_folder_of_the_run(tmp_path):
    """The shell of a recipe gets the variables; with a home that can be written they stay as they are."""
    show = tmp_path / "show.mk"
    show.write_text("include Makefile\n_ := $(info $(XDG_CACHE_HOME) $(MPLCONFIGDIR))\n")
    for home, caches in (("/dev/null", 2), (str(tmp_path), 0)):
        env = {key: value for key, value in os.environ.items() if key not in ("XDG_CACHE_HOME", "MPLCONFIGDIR")}
        command = ["make", "--no-print-directory", "-n", "-f", show, "help"]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**env, "HOME": home})
        assert made.stdout.splitlines()[0].count(f"{ROOT}/.snakemake/") == caches, made.stdout + made.stderr
