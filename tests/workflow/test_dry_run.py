"""Every study that the project ships can be planned."""

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_can_be_planned(house, data, study):
    settings = yaml.safe_load((ROOT / f"config/studies/{study}.yaml").read_text())
    if "catalog" in settings["ingest"]:
        data("micrographs")
    if "crystal_set" in settings["ingest"] or settings["ingest"].get("compositions", {}).get("set"):
        data("crystals")
    if "tdb_" in str(settings.get("validate", "")):
        data("tdb")
    plan = house.run("-n", studies=study)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "Job stats" in plan.stdout + plan.stderr


def test_the_snakefile_parses_in_two_seconds_and_without_heavy_imports(house):
    import subprocess
    import sys

    script = (
        "import sys; sys.path.insert(0, 'workflow');"
        "from matlens import ingest, predict, quantify, registry, segment; from matlens.plan import closure, study;"
        "study.load_all(['demo_superalloy'], 'config/studies');"
        "print([name for name in ('torch', 'pandas', 'scipy', 'zarr', 'matplotlib', 'skimage') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=house.folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("target", ["figures", "report", "export"])
def test_make_hands_studies_and_target_to_snakemake_as_they_are_meant(target):
    from snakemake.cli import get_argument_parser

    words = [
        "make",
        "--no-print-directory",
        "-n",
        "-o",
        ".venv/installed",
        target,
        "STUDIES=a, b",
        "PROFILE=slurm",
        "ARGS=--cores 1 -n",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    asked, _ = get_argument_parser().parse_known_args(shlex.split(done.stdout.splitlines()[-1])[1:])
    assert list(asked.targets) == [target]
    assert asked.config == ["studies=a, b"]
