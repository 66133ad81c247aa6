"""Profiles that cannot work are refused: unknown names, missing plugins, missing schedulers."""

import shutil
from pathlib import Path

import pytest
from matlens.plan import profiles

FOLDER = Path(__file__).resolve().parents[2] / "profiles"


@pytest.fixture
def folder(tmp_path):
    for name, text in (("here", "cores: 2\n"), ("far", "executor: nowhere-grid\ndefault-storage-provider: s33\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(text)
    return tmp_path


def test_a_profile_of_this_machine_is_fine(folder):
    assert profiles.fault("here", folder) == ""
    assert profiles.fault("default", FOLDER) == ""


def test_a_misspelt_profile_is_answered_with_the_right_ones():
    assert "did you mean 'slurm'?" in profiles.fault("slrum", FOLDER)


def test_plugins_that_are_missing_are_named_as_pip_takes_them(folder):
    wanted = "pip install snakemake-executor-plugin-nowhere-grid snakemake-storage-plugin-s33"
    assert profiles.fault("far", folder).endswith(wanted)


def test_a_scheduler_that_is_not_here_is_told_before_anything_is_submitted(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "'sbatch', which is not on this machine" in profiles.fault("slurm", FOLDER)
    assert profiles.fault("slurm", FOLDER, submits=False) == ""
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert profiles.fault("slurm", FOLDER) == ""
