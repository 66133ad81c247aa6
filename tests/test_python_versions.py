"""The supported versions of Python are the same in all files, and make refuses others before it installs anything."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = re.search(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
FIRST, LAST = VERSIONS[0], VERSIONS[-1]
OTHER = '#!/bin/sh\nexec "{python}" -c "import sys; sys.version_info = ({version}, 0); exec(sys.argv[1])" "$2"\n'


def test_all_files_state_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    after = f"3.{int(LAST.split('.')[1]) + 1}"
    assert project["project"]["requires-python"] == f">={FIRST},<{after}"
    assert project["tool"]["ruff"]["target-version"] == f"py{FIRST.replace('.', '')}"
    assert f"Python {FIRST} to {LAST}" in (ROOT / "README.md").read_text()
    heads = re.search(r"^\| platform \|(.*)\|$", (ROOT / "docs/platforms.md").read_text(), re.M)[1]
    assert [head.strip() for head in heads.split("|")] == VERSIONS
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in VERSIONS


@pytest.mark.parametrize("version", ["3, 10", f"3, {int(LAST.split('.')[1]) + 1}"])
def test_make_refuses_another_python_before_it_installs(tmp_path, version):
    other = tmp_path / "python-other"
    other.write_text(OTHER.format(python=sys.executable, version=version))
    other.chmod(0o755)
    done = make(tmp_path, str(other))
    assert done.returncode and f"is {version.replace(', ', '.')}; choose another one: make run PYTHON=" in done.stderr
    assert " ".join(VERSIONS) in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_names_a_python_that_is_not_there(tmp_path):
    done = make(tmp_path, "python-absent")
    assert done.returncode and "there is no 'python-absent' here" in done.stderr
    assert not (tmp_path / ".venv").exists()


def make(folder: Path, python: str) -> subprocess.CompletedProcess:
    """Install in an empty folder with a chosen Python."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    words = ["make", "--no-print-directory", ".venv/installed", f"PYTHON={python}"]
    return subprocess.run(words, cwd=folder, env=os.environ, capture_output=True, text=True)
