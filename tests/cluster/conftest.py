"""A local Slurm for every test of this folder; without the means for one they are skipped."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from matlens.job import logs

from ..workflow.conftest import House, calm  # noqa: F401  (a fixture)

HERE = Path(__file__).parent
SLURM = HERE / "slurm_local.sh"
CONF = Path(os.environ.get("MATLENS_SLURM", "/tmp/matlens-slurm")) / "slurm.conf"


def slurm(*words: str) -> None:
    """Run a command of the local Slurm."""
    subprocess.run([str(SLURM), *words], check=True, timeout=900)


@pytest.fixture(scope="session")
def cluster():
    """Bring up Slurm: two nodes for CPU work, one with two invented GPUs; it is taken down at the end."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("a local Slurm needs root and Debian's or Ubuntu's packages")
    try:
        slurm("install")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the packages of Slurm cannot be installed here: {error}")
    try:
        slurm("start")
        os.environ["SLURM_CONF"] = str(CONF)
        yield slurm
    finally:
        slurm("stop")


class Clustered(House):
    """A house whose runs go through Slurm."""

    def command(self, *words: str) -> list[str]:
        return super().command("--workflow-profile", "profiles/slurm-test", *words)

    def jobs(self, *states: str) -> list[list[str]]:
        """List the jobs of this house that Slurm knows: id, state, partition, comment."""
        names = logs.run_ids(log.read_text() for log in self.folder.glob(".snakemake/log/*.log"))
        return queue(f"--states={','.join(states or ['all'])}", f"--name={','.join(names)}") if names else []


def queue(*words: str) -> list[list[str]]:
    """List the jobs that Slurm knows: id, state, partition, comment."""
    command = ["squeue", "-h", "-o", "%i|%T|%P|%k", *words]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split("|") for line in listed.splitlines()]


def until(ready, seconds: float = 120):
    """Wait until `ready()` is true, and return what it returned."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.2)
    return found
