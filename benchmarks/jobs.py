"""The cost of a job besides its work: as a fork of a process with the imports done, and as a Python of its own.

    python benchmarks/jobs.py [--jobs 20]

Every job reads a table of 100 rows and writes it again, what the joining steps of a study do.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
JOB = """
import sys
sys.path.insert(0, {workflow!r})
import snakemake.script
from matlens.store import io
io.write_table({folder!r} + "/out.parquet", io.read_table({folder!r} + "/in.parquet"))
"""


def spent() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in both)


def as_forks(script: str, jobs: int) -> None:
    """Run the jobs one after another as forks."""
    import socket

    from matlens.job.forks import Forks

    made = Forks()
    for _ in range(jobs):
        with made.job(script, {}) as (_, status):
            assert status()[0] == 0
    made.socket.shutdown(socket.SHUT_RDWR)
    made.process.wait()


def alone(script: str, jobs: int) -> None:
    """Run the jobs one after another, each by a Python of its own."""
    for _ in range(jobs):
        subprocess.run([sys.executable, script], check=True)


def main() -> None:
    """Print the CPU and wall seconds of a job both ways, and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=20)
    jobs = parser.parse_args().jobs
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONHASHSEED="0")
    import pandas as pd
    from matlens.store import io

    with tempfile.TemporaryDirectory() as folder:
        io.write_table(f"{folder}/in.parquet", pd.DataFrame({"value": range(100)}))
        script = Path(folder, "job.py")
        script.write_text(JOB.format(workflow=str(ROOT / "workflow"), folder=folder))
        cost = {}
        for name, work in (("a Python of its own", alone), ("a fork, the imports of all counted", as_forks)):
            cpu, wall = spent(), time.perf_counter()
            work(str(script), jobs)
            cost[name] = (spent() - cpu) / jobs
            print(f"{name:<40} {cost[name]:6.3f} CPU s a job, {(time.perf_counter() - wall) / jobs:6.3f} s")
        first, second = cost.values()
        print(f"{'ratio':<40} {first / second:6.1f}")


if __name__ == "__main__":
    main()
