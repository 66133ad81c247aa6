"""Distribute the parts of one large array over dask workers; the results come in order.

Workers have one thread each: processes of this machine, or jobs of its scheduler (dask-jobqueue). They run code of
this job only: every connection is encrypted with keys that only this job has.
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

CLUSTERS = {  # job queues of dask-jobqueue, by the name in the profile
    "slurm": "dask_jobqueue:SLURMCluster",
    "lsf": "dask_jobqueue:LSFCluster",
    "sge": "dask_jobqueue:SGECluster",
    "htcondor": "dask_jobqueue:HTCondorCluster",
}
AHEAD = 2  # parts submitted per worker, so that none waits for its next one
PATIENCE_S = 10.0  # between two counts of the workers; lost ones are requested again
QUIET = {  # no dashboard, which could show or stop the work
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.http.routes": [],
}
PAGE = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
LOGS = "logs/dask"


@contextmanager
def workers(resources: Mapping | None = None) -> Iterator[Callable]:
    """Yield a function like `map` that runs on workers, or `map` itself; the workers end with the block.

    resources: of the job. `dask_workers`: number of workers, 0 for none. `dask_cluster`: scheduler of the worker jobs,
    see CLUSTERS; "" for processes of this machine. Workers start with the first part, so that a job without large
    images has none. Worker jobs request the `mem_mb` and `runtime` of this job, in its queue. Raises MachineFault if
    workers are lost or do not start.
    """
    resources = dict(resources or {})
    number, kind = int(resources.get("dask_workers") or 0), str(resources.get("dask_cluster") or "")
    if kind and kind not in CLUSTERS:
        raise ValueError(f"dask_cluster '{kind}' of the profile is unknown; {registry.suggest(kind, CLUSTERS)}")
    with ExitStack() as stack:

        @cache
        def ask() -> tuple:
            try:
                return stack.enter_context(_cluster(number, kind, resources))
            except Exception as error:  # no item is the cause
                raise MachineFault(f"workers cannot be started: {error}; set dask_workers: 0 to run without") from error

        def mapped(work: Callable, parts: Iterable) -> Iterator:
            yield from _in_order(work, parts, *ask(), number, resources)

        yield mapped if number > 0 else map


def _in_order(work: Callable, parts: Iterable, cluster, client, number: int, resources: Mapping) -> Iterator:
    """Yield the results of all parts in order, with at most AHEAD parts per worker submitted."""
    waiting = deque()
    for part in parts:
        waiting.append(client.submit(work, part, pure=False))
        if len(waiting) == AHEAD * number:
            yield _result(waiting.popleft(), cluster, number, resources)
    while waiting:
        yield _result(waiting.popleft(), cluster, number, resources)


def _result(future, cluster, number: int, resources: Mapping):
    """Wait for the result of one part. Raises MachineFault if workers are lost or absent for long."""
    from distributed import KilledWorker

    most = 30.0 * float(resources.get("runtime") or 10)  # half of the minutes that the job has
    seen = time.monotonic()
    while True:
        try:
            return future.result(timeout=PATIENCE_S)
        except KilledWorker as error:
            raise MachineFault(
                f"workers were lost repeatedly on the same part, probably out of memory ({error}); "
                f"raise mem_mb of this rule, or set dask_workers: 0. Their logs: {LOGS}"
            ) from None
        except TimeoutError:
            if cluster.scheduler.workers:
                seen = time.monotonic()
        if time.monotonic() - seen > most:
            raise MachineFault(
                f"none of {number} workers started within {most / 60:.0f} minutes: they wait in the queue, or cannot "
                f"reach this node. See the queue and {LOGS}; set dask_workers: 0, or a higher runtime"
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
        print(f"large arrays are distributed over {number} workers: {f'jobs of {kind}' if kind else 'processes'}")
        yield cluster, client


def _processes(security, number: int, kind: str, resources: Mapping):
    """Start workers on this machine."""
    from distributed import LocalCluster

    about = {"threads_per_worker": 1, "memory_limit": None, "scheduler_kwargs": PAGE, "silence_logs": logging.ERROR}
    return LocalCluster(n_workers=number, security=security, dashboard_address=None, **about)


def _jobs(security, number: int, kind: str, resources: Mapping):
    """Submit workers to the queue of this job."""
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
    """Return the resources of worker jobs in the terms of each scheduler: queue and run time of this job.

    Further settings of a site belong to dask's own configuration, such as `jobqueue.slurm.interface`.
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
