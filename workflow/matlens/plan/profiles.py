"""Profiles: where jobs run, and whether they can from here."""

import importlib.util
import shutil
from pathlib import Path

from matlens.registry import suggest
from matlens.store import yaml_files

PROGRAMS = {"slurm": "sbatch", "lsf": "bsub", "cluster-generic": "qsub", "htcondor": "condor_submit"}  # by executor


def _lacks(kind: str, name: str | None) -> bool:
    """Check whether a required plugin of Snakemake is missing."""
    plugin = f"snakemake_{kind}_plugin_{name}".replace("-", "_")
    return name not in (None, "local") and importlib.util.find_spec(plugin) is None


def fault(name: str, folder: Path, submits: bool = True) -> str:
    """Return the reason why a profile cannot be used, and the fix; "" if it can.

    A plan `submits` nothing, and needs no scheduler.
    """
    known = [path.parent.name for path in sorted(folder.glob("*/config.yaml"))]
    if name not in known:
        return f"there is no profile '{name}' in {folder}; {suggest(name, known)}"
    settings = yaml_files.read_yaml(folder / name / "config.yaml")[0]
    wanted = {"executor": settings.get("executor"), "storage": settings.get("default-storage-provider")}
    missing = [f"snakemake-{kind}-plugin-{plugin}" for kind, plugin in wanted.items() if _lacks(kind, plugin)]
    if missing:
        return f"profile '{name}' needs plugins that are not installed: .venv/bin/pip install {' '.join(missing)}"
    program = PROGRAMS.get(wanted["executor"])
    if submits and program and shutil.which(program) is None:
        return (
            f"profile '{name}' submits by '{program}', which is not on this machine; type this where jobs are submitted"
        )
    return ""
