"""Run the `main` of a script as a Snakemake job, or from the command line without Snakemake."""

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
    """Limit every library of this process to the threads of the rule."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "BLOSC_NTHREADS"):
        os.environ[name] = str(threads)
    if "numpy" in sys.modules:
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)
    if "torch" in sys.modules:  # imported before the fork, with another number
        sys.modules["torch"].set_num_threads(threads)


def _arguments(main: Callable, job) -> dict:
    """Collect the arguments of `main` by name from inputs, outputs, params, wildcards and resources of a job.

    An argument `outputs` gets all outputs by name, for a script whose files depend on the kind of the items.
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
    """Read the arguments of `main` from the command line: text, or JSON for options and lists."""
    parser = argparse.ArgumentParser(description=inspect.getmodule(main).__doc__ or main.__doc__)
    for name, parameter in inspect.signature(main).parameters.items():
        required = parameter.default is parameter.empty
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, required=required, default=parameter.default)

    def value(text):
        return json.loads(text) if isinstance(text, str) and text.startswith(("[", "{")) else text

    return {name: value(text) for name, text in vars(parser.parse_args()).items()}


class Stopped(BaseException):
    """SIGTERM ended the job; no Exception, so that no item is rejected for it."""


def _stop(signum, frame):
    """Raise Stopped on SIGTERM, so that the log records it and partial files are removed."""
    raise Stopped(f"stopped by {signal.Signals(signum).name}: a time limit, a cancelled job or a node going down")


def _remedy(error: BaseException, inputs: Iterable[str]) -> str:
    """Return the fix for a fault of the machine; "" if unknown."""
    if broken := logs.damaged(inputs):
        return f"; {broken[0]} is cut off (copied in part, or a disk was full): delete it, then run again"
    if isinstance(error, MemoryError):
        return "; a retry requests more memory; a larger ingest.shards needs less per job"
    if isinstance(error, KeyboardInterrupt):
        return "stopped by Ctrl-C; the same command goes on: finished files are kept"
    if isinstance(error, Stopped):
        return "; a retry requests more time; a larger ingest.shards needs less per job"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "; free disk space, then run again: finished files are kept"
    return ""


def pin_hashes() -> None:
    """Restart this process with PYTHONHASHSEED=0: results of pycalphad may depend on the order of sets."""
    if sys.flags.hash_randomization:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})


def run(main: Callable, job=None) -> None:
    """Run the `main` of a script: as a Snakemake job, or as a command if `job` is None.

    The log of a job begins with rule and wildcards, holds all printed lines and ends with "done" or the failure;
    without this end the job is running or was killed. A failure prints one line with shard and log to the console.
    """
    if job is None:
        main(**_command_line(main))
        return
    from matlens.store import io  # importing numpy is slow, and a command may only print its usage

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
