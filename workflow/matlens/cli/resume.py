"""Recover from a lost run: cancel or await its jobs, remove partial files, unlock."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from matlens.job import entry
from matlens.job import logs as runs
from matlens.registry import suggest

STATE = Path(".snakemake")
LOGS = 50  # of that many runs, the newest, jobs are looked for
POLL_SECONDS = 2.0


def _queued(names: list[str]) -> list[str]:
    """List the queued Slurm jobs of some names; none without Slurm."""
    if not names or not shutil.which("squeue"):
        return []
    command = ["squeue", "--noheader", "--format=%i", f"--name={','.join(names)}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _alive(processes: list[int]) -> list[int]:
    """List the running processes; a zombie has ended."""
    states = {process: Path(f"/proc/{process}/stat") for process in processes}
    return [process for process, stat in states.items() if stat.exists() and ") Z " not in stat.read_text()]


def _await(left, what: str) -> None:
    """Wait until `left()` is empty; print a line if it takes long."""
    printed = time.monotonic()
    while found := left():
        if time.monotonic() - printed > 30:
            printed = time.monotonic()
            print(f"waiting for {len(found)} {what}", flush=True)
        time.sleep(POLL_SECONDS)


def main(jobs: str = "cancel") -> None:
    """Cancel the jobs that a lost run left behind (or, with `jobs` "wait", await them), clean up, then unlock.

    A run that is still at work in this folder is left alone: status 1.
    """
    if jobs not in ("cancel", "wait"):
        sys.exit(f"JOBS={jobs}: {suggest(jobs, ('cancel', 'wait'))}")
    drivers, orphans = runs.processes(Path.cwd())
    if drivers:
        print(f"a run is at work here (process {drivers[0]}): let it finish, or stop it first", file=sys.stderr)
        sys.exit(1)
    logs = sorted((STATE / "log").glob("*.log"))[-LOGS:]
    names = runs.run_ids(log.read_text(encoding="utf-8", errors="replace") for log in logs)
    queued = _queued(names)
    if queued and jobs == "cancel":
        subprocess.run(["scancel", *queued], check=True)
    for process in orphans if jobs == "cancel" else []:
        os.kill(process, signal.SIGTERM)
    _await(lambda: _queued(names), "jobs in the queue")
    _await(lambda: _alive(orphans), "processes")
    for left in Path("results").rglob(".*.partial"):
        if left.is_file():
            left.unlink()
    for lock in (STATE / "locks").glob("*"):
        lock.unlink()
    word = "cancelled" if jobs == "cancel" else "awaited"
    print(f"{len(queued)} jobs in the queue and {len(orphans)} processes {word}; the folder is unlocked")


if __name__ == "__main__":
    entry.run(main)
