"""Record the versions and the commit behind a file that outlives its run, for its model card."""

import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path


def provenance(packages: Iterable[str] = ("matlens", "numpy", "torch")) -> dict:
    """Return versions of packages, and the commit of this project; None outside a repository."""
    versions = {"python": platform.python_version()}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = None
    return {"versions": versions, "commit": commit}


def commit_here() -> str:
    """Return the commit of the repository in this folder; "" if there is none."""
    command = ["git", "rev-parse", "--show-prefix", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    prefix, _, commit = done.stdout.partition("\n")
    return commit.strip()[:12] if done.returncode == 0 and not prefix else ""
