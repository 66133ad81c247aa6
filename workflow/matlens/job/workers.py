"""Share the parts of one large array out over workers, where the job was granted some; the results come in order.

The workers are dask's, of one thread each: processes of this machine, or jobs of its scheduler (dask-jobqueue). They
run what this job sends them, and nobody else's: every connection is encrypted with keys that only this job has.
"""

import logging
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from shlex import quote

from matlens import registry
from matlens.job.batch import MachineFault

CLUSTERS = {  # besides processes of this machine
    "slurm": "dask_jobqueue:SLURMCluster",
    "lsf": "dask_jobqueue:LSFCluster",
    "sge": "dask_jobqueue:SGECluster",
    "htcondor": "dask_jobqueue:HTCondorCluster",
}
AHEAD = 2  # parts under way for each worker: its next one is there before the last is asked for
PATIENCE_S = 10.0  # until workers are counted anew, and those that were lost are asked for again
QUIET = {  # no web page tells of the work, or lets anybody stop it
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.http.routes": [],
}
PAGE = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
LOGS = "logs/dask"


@contextmanager
def workers(resources: Mapping | None = None) -> Iterator[Callable]:
    """Give what maps work over parts in order: `map`, or its like over workers that end with the block.

    `resources` are those of the job. `dask_workers`: how many there are to be, 0 for a loop within this process.
    `dask_cluster`: the scheduler whose jobs they are, see `CLUSTERS`; "" for processes of this machine. They are asked
    for when the first part is: a job without large images has none. Worker jobs ask for the `mem_mb` and `runtime` of
    this job, in its queue. Lost workers or none at all are a MachineFault.
    """
    resources = dict(resources or {})
    number, kind = int(resources.get("dask_workers") or 0), str(resources.get("dask_cluster") or "")
    if kind and kind not in CLUSTERS:
        raise ValueError(f"dask_cluster '{kind}' of the profile is no scheduler; {registry.suggest(kind, CLUSTERS)}")
    with ExitStack() as stack:

        @cache
        def ask() -> tuple:
            try:
                return stack.enter_context(_cluster(number, kind, resources))
            except Exception as error:  # whatever it is, no item is to blame
                raise MachineFault(f"workers cannot be started: {error}; set dask_workers: 0 to do without") from error

        def mapped(work: Callable, parts: Iterable) -> Iterator:
            yield from _in_order(work, parts, *ask(), number, resources)

        yield mapped if number > 0 else map


def _in_order(work: Callable, parts: Iterable, cluster, client, number: int, resources: Mapping) -> Iterator:
    """Yield what workers make of each part, in order, with few parts under way."""
    waiting = deque()
    for part in parts:
        waiting.append(client.submit(work, part, pure=False))
        if len(waiting) == AHEAD * number:
            yield _result(waiting.popleft(), cluster, number, resources)
    while waiting:
        yield _result(waiting.popleft(), cluster, number, resources)


def _result(future, cluster, number: int, resources: Mapping):
    """Wait for the result of one part, and give up when no worker is there for long."""
    from distributed import KilledWorker

    most = 30.0 * float(resources.get("runtime") or 10)  # half of the minutes that the job has
    seen = time.monotonic()
    while True:
        try:
            return future.result(timeout=PATIENCE_S)
        except KilledWorker as error:
            raise MachineFault(
                f"workers were lost again and again on the same part, which is what too little memory does ({error}); "
                f"raise mem_mb of this rule, or set dask_workers: 0. Their logs: {LOGS}"
            ) from None
        except TimeoutError:
            if cluster.scheduler.workers:
                seen = time.monotonic()
        if time.monotonic() - seen > most:
            raise MachineFault(
                f"none of {number} workers came within {most / 60:.0f} minutes: they wait in the queue, or cannot "
                f"reach this node. See the queue and {LOGS}; set dask_workers: 0 to do without, or a higher runtime"
            )


@contextmanager
def _cluster(number: int, kind: str, resources: Mapping) -> Iterator[tuple]:
    """Start workers, and end them with the block."""
    import dask
    from distributed import Client, Security
    from tornado.ioloop import PeriodicCallback

    with dask.config.set(QUIET), ExitStack() as stack:
        cluster = stack.enter_context((_jobs if kind else _processes)(Security.temporary(), number, kind, resources))
        client = stack.enter_context(Client(cluster, set_as_default=False))
        again = PeriodicCallback(lambda: cluster.scale(number), PATIENCE_S * 1000)
        cluster.periodic_callbacks["again"] = again  # which end with the cluster
        cluster.loop.add_callback(again.start)
        print(f"large arrays are shared out over {number} workers: {f'jobs of {kind}' if kind else 'processes'}")
        yield cluster, client


def _processes(security, number: int, kind: str, resources: Mapping):
    """Start workers on this machine."""
    from distributed import LocalCluster

    about = {"threads_per_worker": 1, "memory_limit": None, "scheduler_kwargs": PAGE, "silence_logs": logging.ERROR}
    return LocalCluster(n_workers=number, security=security, dashboard_address=None, **about)


def _jobs(security, number: int, kind: str, resources: Mapping):
    """Put workers into the queue that this job came from."""
    cluster = registry.load(CLUSTERS, kind)
    command = cluster.job_cls.submit_command
    if shutil.which(command) is None:
        raise FileNotFoundError(f"there is no '{command}' where this job runs")
    Path(LOGS).mkdir(parents=True, exist_ok=True)
    library = Path(__file__).resolve().parents[2]
    return cluster(
        n_workers=number,
        cores=1,
        processes=1,
        memory=f"{int(resources.get('mem_mb') or 2000)}MiB",
        python=quote(sys.executable),
        job_script_prologue=[f"cd {quote(os.getcwd())}", f"export PYTHONPATH={quote(str(library))}"],
        log_directory=LOGS,
        security=security,
        shared_temp_directory=LOGS,  # of keys that this user alone can read, until this process ends
        scheduler_options=PAGE,
        worker_extra_args=["--no-dashboard", "--dashboard-address", PAGE["dashboard_address"]],
        **_asked(kind, resources),
    )


def _asked(kind: str, resources: Mapping) -> dict:
    """Say what worker jobs ask for in the words of each scheduler: the queue and the minutes of this job.

    What a site wants besides is written into dask's own settings, such as `jobqueue.slurm.interface`.
    """
    minutes, memory = int(resources.get("runtime") or 60), int(resources.get("mem_mb") or 2000)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    given = os.environ.get
    return {
        "slurm": {
            "queue": given("SLURM_JOB_PARTITION"),
            "account": given("SLURM_JOB_ACCOUNT"),
            "job_name": f"dask_{given('SLURM_JOB_ID')}",
            "walltime": f"{clock}:00",
        },
        "lsf": {"queue": given("LSB_QUEUE"), "walltime": clock},
        "sge": {"queue": given("QUEUE"), "resource_spec": f"h_vmem={memory}M", "walltime": f"{clock}:00"},
        "htcondor": {"disk": "1GiB"},
    }[kind]
