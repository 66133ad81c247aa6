"""The frame of every door: call `main` from a Snakemake job, or from the command line without Snakemake."""

import argparse
import errno
import inspect
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from matlens.job import logs, manifest


def limit_threads(threads: int) -> None:
    """Keep every library of this process to as many threads as the rule asked for."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "BLOSC_NTHREADS"):
        os.environ[name] = str(threads)
    if "numpy" in sys.modules:
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)


def _arguments(main: Callable, job) -> dict:
    """Collect the arguments of `main` by name from the inputs, outputs, params, wildcards and resources of a job.

    `outputs`: all outputs by name, for a script that writes other files for every kind of items.
    """
    asked = inspect.signature(main).parameters
    offered = {**dict(job.wildcards.items()), "threads": job.threads}
    if "resources" in asked:
        offered["resources"] = dict(job.resources.items())
    if "outputs" in asked:
        offered["outputs"] = dict(job.output.items())
    for part in (job.input, job.output, job.params):
        for name, value in part.items():
            offered[name] = value if isinstance(value, (str, int, float, bool, dict, type(None))) else list(value)
    return {name: offered[name] for name in asked if name in offered}


def _command_line(main: Callable) -> dict:
    """Read the arguments of `main` from the command line: words, or JSON for options and lists."""
    parser = argparse.ArgumentParser(description=inspect.getmodule(main).__doc__ or main.__doc__)
    for name, parameter in inspect.signature(main).parameters.items():
        required = parameter.default is parameter.empty
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, required=required, default=parameter.default)

    def value(text):
        return json.loads(text) if isinstance(text, str) and text.startswith(("[", "{")) else text

    return {name: value(text) for name, text in vars(parser.parse_args()).items()}


class Stopped(BaseException):
    """The polite end of a job; no Exception, so that no item is blamed for it."""


def _stop(signum, frame):
    """Turn SIGTERM into an exception, so that the log says so and nothing half written stays."""
    raise Stopped(f"stopped by {signal.Signals(signum).name}: a time limit, a cancelled job or a node going down")


def _remedy(error: BaseException, inputs: Iterable[str]) -> str:
    """Say what helps against faults of the machine."""
    if broken := logs.damaged(inputs):
        return f"; {broken[0]} is cut off (copied in part, or a disk was full): delete it, then run again"
    if isinstance(error, MemoryError):
        return "; a retry asks for more memory, and more shards (ingest.shards) need less of it each"
    if isinstance(error, Stopped):
        return "; a retry asks for more time, and more shards (ingest.shards) need less of it each"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "; free some space, then run again: what is finished is kept"
    return ""


def pin_hashes() -> None:
    """Begin this process again with PYTHONHASHSEED=0: what pycalphad finds may depend on the order of sets."""
    if sys.flags.hash_randomization:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})


def run(main: Callable, job=None) -> None:
    """Run a door: as a job when Snakemake gives one, otherwise as a command.

    A job writes what it prints into its log, which begins with what it works on and ends with "done" or why it failed;
    without an end it is at work, or was killed. The console gets one line that names the shard and the log.
    """
    if job is None:
        main(**_command_line(main))
        return
    from matlens.store import io  # numpy is not worth waiting for where a command only prints its usage

    limit_threads(job.threads)
    log = Path(job.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    where = f"{job.rule} [{' '.join(f'{name}={value}' for name, value in job.wildcards.items())}]"
    with open(log, "w", encoding="utf-8", buffering=1) as handle:
        sys.stdout = sys.stderr = handle
        signal.signal(signal.SIGTERM, _stop)
        print(where)
        try:
            io.sweep(job.output)
            main(**_arguments(main, job))
            manifest.write(job)
            print(logs.DONE)
        except BaseException as error:
            traceback.print_exc()
            notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
            reason = " ".join(f"{where}: {type(error).__name__}{notes}: {error}{_remedy(error, job.input)}".split())
            print(f"{logs.FAILED}{reason}")
            print(f"failed: {reason}\n  log: {log}", file=sys.__stderr__)
            raise SystemExit(1) from None
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
