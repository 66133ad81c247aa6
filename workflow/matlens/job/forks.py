"""Jobs on this machine as forks of one process that has done the imports.

Most jobs of a small study take less time than the import of numpy, pandas and zarr, let alone torch. One process for
each run imports the libraries that a job needs, and forks: the next job that needs the same has it. A job has its own
process, log, environment and exit status as before. Where it cannot run (not on Linux, or it was lost), a job starts a
Python of its own.

Messages are lines of JSON over a socket. To the process: number, script, environment, modules. Back: number and pid,
then number and [exit status, largest memory in MB, CPU seconds].
"""

import atexit
import gc
import importlib
import json
import os
import queue
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

COMMON = ("snakemake.script", "threadpoolctl", "pandas", "pyarrow.dataset", "zarr", "matlens.store.io")
WORKFLOW = Path(__file__).resolve().parents[2]
OWN_THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"


class Lost(Exception):
    """The process that forks has ended."""


class Forks:
    """The process that forks, seen from the run; `job` may be called from many threads."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "matlens.job.forks", str(theirs.fileno())]
        paths = os.pathsep.join(filter(None, (str(WORKFLOW), os.environ.get("PYTHONPATH"))))
        env = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "0", **dict.fromkeys(OWN_THREADS, "1")}
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=env, stdin=subprocess.DEVNULL)
        theirs.close()
        self.socket, self.lock, self.numbers, self.lost = ours, threading.Lock(), count(), False
        self.answers: dict[int, queue.SimpleQueue] = {}
        threading.Thread(target=self._read, daemon=True).start()

    @contextmanager
    def job(self, script: str, env: Mapping[str, str], modules: Iterable[str] = ()):
        """Run a script in a fork that has some modules; gives its pid and a function that waits for its end.

        The function returns exit status, largest memory (MB) and CPU seconds. Raises Lost.
        """
        answers = queue.SimpleQueue()
        with self.lock:
            number = next(self.numbers)
            self.answers[number] = answers
            if self.lost:
                raise Lost
            with suppress(OSError):  # the reader sees that it has ended
                self.socket.sendall(_line([number, script, dict(env), list(modules)]))
        yield _given(answers), lambda: _given(answers)
        del self.answers[number]

    def _read(self) -> None:
        with self.socket.makefile("r", encoding="utf-8") as lines, suppress(OSError):
            for line in lines:
                number, value = json.loads(line)
                self.answers[number].put(value)
        with self.lock:
            self.lost = True
        for answers in list(self.answers.values()):
            answers.put(None)


def _given(answers: queue.SimpleQueue):
    value = answers.get()
    if value is None:
        raise Lost
    return value


def _line(value) -> bytes:
    return json.dumps(value).encode() + b"\n"


def install(main_process: bool, libraries: Callable[[str], Iterable[str]] = lambda code: ()) -> None:
    """Let the scripts of this run's jobs be run by forks, where this is the run itself and the system is Linux.

    libraries: the modules of other packages that a job is sure to import, by the digest of its code.
    """
    from snakemake import script

    if not main_process or sys.platform != "linux" or hasattr(script.PythonScript, "forks"):
        return
    plain, made, lock = script.PythonScript.execute_script, [], threading.Lock()

    def execute_script(job, fname, edit=False):
        if job.container_img or job.conda_env or job.env_modules:
            return plain(job, fname, edit)
        with lock:
            if not made:
                made.append(Forks())
        try:
            return _run(made[0], job, fname, libraries(getattr(job.params, "code", "")))
        except Lost:
            return plain(job, fname, edit)

    script.PythonScript.execute_script, script.PythonScript.forks = execute_script, made


def _run(forks: Forks, job, script: str, modules: Iterable[str] = ()) -> None:
    """Run the script of a job in a fork; CalledProcessError where it fails, as the shell would."""
    env = dict.fromkeys(OWN_THREADS, str(job.threads))
    if folder := job.resources.get("tmpdir"):
        env |= dict.fromkeys(("TMPDIR", "TMP", "TEMP", "TEMPDIR"), str(folder))
    record = job.bench_record
    with forks.job(os.path.abspath(script), env, modules) as (pid, end), _watched(pid, record):
        code, megabytes, seconds = end()
    if record is not None:  # what the kernel counted; the looks at the process may have missed it
        record.max_rss, record.cpu_time = max(record.max_rss or 0, megabytes), seconds
        record.cpu_usage, record.data_collected = 100.0 * seconds, True
    if code:
        raise subprocess.CalledProcessError(code, [sys.executable, script])


@contextmanager
def _watched(pid: int, record):
    """Look at a process for the benchmark file of its job: after 0.5 s, and then ever more seldom.

    Snakemake looks twice a second, and each look reads the state of every process of the machine, in 15 ms.
    """
    if record is None:
        yield
        return
    from snakemake.benchmark import BENCHMARK_INTERVAL, BENCHMARK_INTERVAL_SHORT, BenchmarkTimer, DaemonTimer

    class Timer(BenchmarkTimer):
        def _schedule(self):
            pause = min(BENCHMARK_INTERVAL, BENCHMARK_INTERVAL_SHORT * 2.0**self._times_called)
            self._timer = DaemonTimer(pause, self._action)
            self._timer.start()

        def start(self):
            self._stopped = False
            self._schedule()

    began, timer = time.time(), None
    with suppress(Exception):  # of psutil, where it has ended already
        timer = Timer(pid, record)
        timer.start()
    try:
        yield
    finally:
        if timer:
            timer.cancel()
        record.running_time = time.time() - began


def _child(script: str, env: Mapping[str, str]) -> int:
    """Run a script as Python itself would; returns its exit status."""
    for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.environ.update(env)
    sys.argv, sys.path[0] = [script], os.path.dirname(script)
    try:
        runpy.run_path(script, run_name="__main__")
        return 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


def _fork(ours: socket.socket, script: str, env: Mapping[str, str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        ours.close()
        status = _child(script, env)
        threading._shutdown()  # what an interpreter does at its end: threads, then exit functions, then the streams
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status)


def serve(handle: int) -> None:
    """Fork for every script that is asked for, and report how it ended.

    When the run is gone the jobs go on to their end, as processes of their own would; SIGTERM is passed on to them.
    """
    ours = socket.socket(fileno=handle)
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the jobs get it, too
    running, text, gone = {}, b"", False
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(pid, signal.SIGTERM) for pid in running])
    _import(COMMON)
    while running or not gone:
        select.select([woken] if gone else [ours, woken], [], [])
        with suppress(BlockingIOError):
            woken.recv(4096)
        for pid, *end in _ended(running):
            with suppress(OSError):
                ours.sendall(_line([running.pop(pid), end]))
        if gone or not select.select([ours], [], [], 0)[0]:
            continue
        try:
            read = ours.recv(1 << 16)
        except ConnectionResetError:  # the run ended while an answer to it was under way
            read = b""
        gone = not read
        *lines, text = (text + read).split(b"\n")
        for number, script, env, modules in map(json.loads, lines):
            _import(modules)
            pid = _fork(ours, script, env)
            running[pid] = number
            ours.sendall(_line([number, pid]))


def _import(modules: Iterable[str]) -> None:
    """Import modules; one that fails to is left to the job, which names the reason in its log."""
    for name in modules:
        if name not in sys.modules:
            with suppress(Exception):
                importlib.import_module(name)
    if "numba" in sys.modules:
        _start_numba()
    if "matplotlib.figure" in sys.modules:
        import matplotlib.backends.backend_pdf
        import matplotlib.backends.backend_svg  # noqa: F401
    gc.freeze()  # what is here is not looked at again, so that jobs share its memory


@cache
def _start_numba() -> None:
    """Do what the first call of a kernel of Numba would, in a third of a second."""
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def _ended(running: Mapping[int, int]) -> list[tuple[int, int, float, float]]:
    """List the jobs that ended: pid, exit status (of one killed by a signal 128 and its number), MB, CPU seconds."""
    found = []
    for pid in running:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            seconds = used.ru_utime + used.ru_stime
            found.append((pid, code if code >= 0 else 128 - code, used.ru_maxrss / 1024, seconds))
    return found


if __name__ == "__main__":
    serve(int(sys.argv[1]))
    os._exit(0)  # nothing is left to do, and taking down what was imported would take half a second
