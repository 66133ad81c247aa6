"""A fork of the process with the imports is a job like any other: its own process, environment, streams and status."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import types

import pytest

if sys.platform != "linux":
    pytest.skip("jobs are forks on Linux alone", allow_module_level=True)

from matlens.job import forks


@pytest.fixture(scope="module")
def made():
    found = forks.Forks()
    yield found
    found.socket.shutdown(socket.SHUT_RDWR)
    found.process.wait(10)


def status(made, folder, text: str, name: str = "job.py", modules=(), **env) -> int:
    script = folder / name
    script.write_text(text)
    with made.job(str(script), env, modules) as (_, wait):
        return wait()[0]


def test_a_job_is_a_process_with_the_imports_done_and_an_environment_of_its_own(made, tmp_path):
    text = (
        "import os, sys\nready = 'pandas' in sys.modules and 'zarr' in sys.modules\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(f\"{{os.getppid()}} {{ready}} {{os.environ['MINE']}} "
        "{__name__} {os.environ.get('THEIRS')} {sys.path[0]} {sys.argv[0]}\")\n"
    )
    assert status(made, tmp_path, text, MINE="7") == 0
    told = (tmp_path / "told").read_text().split()
    assert told[:5] == [str(made.process.pid), "True", "7", "__main__", "None"]
    assert told[5:] == [str(tmp_path), str(tmp_path / "job.py")]
    assert status(made, tmp_path, "import os, sys\nsys.exit('MINE' in os.environ)") == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import sys\nsys.exit(3)", 3),
        ("import sys\nsys.exit()", 0),
        ("import sys\nsys.exit('no')", 1),
        ("raise ValueError", 1),
        ("x =", 1),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 137),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", 143),
        ("import os\nos._exit(5)", 5),
        ("import threading\nthreading.Thread(target=print).start()", 0),
        ("import os\nos.execv('/bin/sh', ['sh', '-c', 'exit 6'])", 6),
    ],
)
def test_the_status_is_that_of_a_python_of_its_own(made, tmp_path, text, code):
    assert status(made, tmp_path, text) == code


def test_what_a_job_leaves_at_its_end_is_done(made, tmp_path):
    mark = tmp_path / "mark"
    text = f"import atexit, pathlib\natexit.register(pathlib.Path({str(mark)!r}).touch)"
    assert status(made, tmp_path, text) == 0 and mark.exists()


def test_modules_are_imported_once_for_all_jobs_and_one_that_cannot_be_is_left_to_the_job(made, tmp_path):
    """Numba has done what its first kernel asks for, and a job still chooses its own number of threads."""
    ready = "import sys\nsys.exit(not {'numba', 'numba.np.linalg'} <= set(sys.modules))"
    assert status(made, tmp_path, ready, modules=["nowhere", "numba"]) == 0
    assert status(made, tmp_path, ready) == 0
    threads = "import sys\nfrom matlens.job import entry\nentry.limit_threads(2)\nimport torch\n"
    threads += "import numba\nsys.exit(torch.get_num_threads() != 2)"
    assert status(made, tmp_path, threads, modules=["torch"]) == 0


def test_the_benchmark_file_has_what_the_kernel_counted(made, tmp_path):
    """Also of a job that ends before anybody looked at it: 200 MB and half a second of work are found."""
    from snakemake.benchmark import BenchmarkRecord

    script = tmp_path / "job.py"
    script.write_text("import time\nx = bytearray(200_000_000)\nx[::4096] = b'1' * len(x[::4096])\n"
                      "while time.process_time() < 0.5: pass")  # fmt: skip
    long, short = BenchmarkRecord(), BenchmarkRecord()
    job = types.SimpleNamespace(threads=1, resources={}, bench_record=long)
    forks._run(made, job, str(script))
    assert 200 < long.max_rss < 2000 and 0.5 <= long.cpu_time < 2.0 and long.running_time >= 0.5
    script.write_text("pass")
    job.bench_record = short
    forks._run(made, job, str(script))
    cells = dict(zip(BenchmarkRecord.get_header(), short.to_tsv(False).split("\t"), strict=True))
    assert float(cells["max_rss"]) > 20 and 0 < float(cells["cpu_time"]) < 1.0
    assert "NA" not in cells.values()


def test_a_job_that_has_ended_before_it_is_looked_at_is_no_error():
    from snakemake.benchmark import BenchmarkRecord

    ended, record = subprocess.Popen(["true"]), BenchmarkRecord()
    ended.wait()
    with forks._watched(ended.pid, record):
        pass
    assert record.running_time >= 0


def test_jobs_run_at_the_same_time(made, tmp_path):
    meet = f"""
import os, time
open({str(tmp_path)!r} + '/' + os.environ['ME'], 'w').close()
end = time.monotonic() + 20
while not os.path.exists({str(tmp_path)!r} + '/' + os.environ['OTHER']):
    assert time.monotonic() < end
    time.sleep(0.01)
"""
    codes = {}

    def work(me, other):
        codes[me] = status(made, tmp_path, meet, f"{me}.py", ME=me, OTHER=other)

    threads = [threading.Thread(target=work, args=pair) for pair in (("a", "b"), ("b", "a"))]
    [one.start() for one in threads], [one.join() for one in threads]
    assert codes == {"a": 0, "b": 0}


def test_jobs_outlive_the_run_until_they_are_stopped_and_a_lost_process_is_noticed(tmp_path):
    mine, script, begun = forks.Forks(), tmp_path / "job.py", tmp_path / "begun"
    script.write_text(f"import time\nopen({str(begun)!r}, 'w').close()\ntime.sleep(60)")
    with pytest.raises(forks.Lost), mine.job(str(script), {}) as (pid, wait):
        while not begun.exists():
            pass
        mine.socket.shutdown(socket.SHUT_RDWR)
        wait()
    os.kill(pid, 0)
    mine.process.terminate()
    mine.process.wait(10)
    with pytest.raises(OSError):  # stopped by its parent
        for _ in range(1000):
            os.kill(pid, 0)
            threading.Event().wait(0.01)
    with pytest.raises(forks.Lost), mine.job(str(script), {}):
        pass


def test_a_job_that_has_lost_its_process_starts_a_python_of_its_own(monkeypatch, tmp_path):
    from snakemake import script

    plain = []
    monkeypatch.setattr(script.PythonScript, "execute_script", lambda job, fname, edit=False: plain.append(fname))
    forks.install(False)
    assert not hasattr(script.PythonScript, "forks")
    forks.install(True)
    try:
        (tmp_path / "job.py").touch()
        none = dict.fromkeys(("container_img", "conda_env", "env_modules", "bench_record"))
        job = types.SimpleNamespace(**none, threads=1, resources={"tmpdir": str(tmp_path)}, params=None)
        script.PythonScript.execute_script(job, str(tmp_path / "job.py"))
        assert not plain
        made = script.PythonScript.forks[0]
        os.kill(made.process.pid, signal.SIGKILL)
        made.process.wait(10)
        script.PythonScript.execute_script(job, "second")
        script.PythonScript.execute_script(types.SimpleNamespace(**{**none, "conda_env": "x"}), "third")
        assert plain == ["second", "third"]
    finally:
        del script.PythonScript.forks


def test_a_run_that_ends_with_an_answer_under_way_is_no_error(tmp_path):
    ours, theirs = socket.socketpair()
    script = tmp_path / "job.py"
    script.write_text("pass")
    env = {**os.environ, "PYTHONPATH": str(forks.WORKFLOW), "PYTHONHASHSEED": "0"}
    code = f"from matlens.job import forks; forks.COMMON = (); forks.serve({theirs.fileno()})"
    words = [sys.executable, "-c", code]
    child = subprocess.Popen(words, pass_fds=[theirs.fileno()], env=env, stderr=subprocess.PIPE, text=True)
    theirs.close()
    ours.sendall(forks._line([0, str(script), {}, []]))
    select.select([ours], [], [], 20)  # its number and pid have come, and are not read
    ours.close()
    assert child.communicate(timeout=20)[1] == "" and child.returncode == 0
