"""Start of a run: record the number of its jobs, and keep the scheduler from idle work.

Each look sets a timer that leads to the next look, and each job that ends makes a look of its own: after a thousand
jobs there are a thousand looks a second (Snakemake 9.27.1). Here one timer is under way at a time.
"""

import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from matlens.job.logs import RUN, STUDIES


def write_down(workflow, studies: Iterable[str], folder: str | Path = ".snakemake") -> None:
    """Write the studies of a run, how many jobs it has and when it began: with --quiet Snakemake logs none of these."""
    jobs = sum(bool(job.log) for job in workflow.dag.needrun_jobs())
    Path(folder).mkdir(exist_ok=True)
    Path(folder, RUN).write_text(json.dumps({"jobs": jobs, "started": time.time()}), encoding="utf-8")
    Path(folder, STUDIES).write_text(",".join(studies) + "\n", encoding="utf-8")


def one_timer(scheduler) -> None:
    """Limit a scheduler to one timer at a time; another kind of scheduler is left unchanged."""
    if not hasattr(scheduler, "_schedule_reevalutation") or not hasattr(scheduler, "_open_jobs"):
        return
    waiting = threading.Event()

    def look() -> None:
        waiting.clear()
        scheduler._open_jobs.release()

    def later(delay: float) -> None:
        if not waiting.is_set():
            waiting.set()
            threading.Timer(delay, look).start()

    scheduler._schedule_reevalutation = later
