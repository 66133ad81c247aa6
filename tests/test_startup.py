"""Start-up is short: a door imports nothing heavy before its method is chosen, the Snakefile next to nothing."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOORS = sorted(path.stem for path in (ROOT / "workflow/scripts").glob("*.py"))
HEAVY = {
    "torch",
    "sklearn",
    "skimage",
    "cv2",
    "pymatgen",
    "matminer",
    "matplotlib",
    "numba",
    "dask",
    "h5py",
    "snakemake",
}
LOAD = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("door", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
from matlens import registry
for entry in sys.argv[2:]:
    module, name = entry.split(":")
    registry.load({name: entry}, name)
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""
LOAD_ALL = """
import importlib.util, json, sys
heavy, found = set(json.loads(sys.argv[1])), {}
for door in sys.argv[2:]:
    before = set(sys.modules)
    spec = importlib.util.spec_from_file_location("door", door + ".py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    found[door] = sorted(heavy & (set(sys.modules) - before))
print(json.dumps(found))
"""


def imported(door: str, *methods: str) -> set[str]:
    """List what a door and some methods import when they are loaded."""
    command = [sys.executable, "-c", LOAD, str(ROOT / f"workflow/scripts/{door}.py"), *methods]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def heavy() -> dict[str, list[str]]:
    """Load all doors, one after the other, in one process: the heavy modules that each is the first to import."""
    doors = sorted(DOORS, key=lambda name: name == "figure")  # last: it alone may import matplotlib
    command = [sys.executable, "-c", LOAD_ALL, json.dumps(sorted(HEAVY)), *doors]
    done = subprocess.run(
        command,
        cwd=ROOT / "workflow/scripts",
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("door", DOORS)
def test_a_door_imports_nothing_heavy_before_its_method_is_chosen(heavy, door):
    assert set(heavy[door]) <= ({"matplotlib"} if door == "figure" else set())


@pytest.mark.parametrize(
    ("door", "table", "method"),
    [("segment", "segment", "otsu"), ("quantify", "quantify", "fractions"), ("connect", "connect", "knn")],
)
def test_no_torch_where_no_network_is_used(door, table, method):
    import importlib

    entry = importlib.import_module(f"matlens.{table}").METHODS[method]
    assert "torch" not in imported(door, entry, *(["matlens.segment.trained:model"] if door == "segment" else []))


IMPORT_ALL = """
import importlib, os, pathlib, pkgutil, sys
import matlens
from matlens.job import forks
forks._import(forks.COMMON)
tables = [vars(importlib.import_module(f"matlens.{one.name}")) for one in pkgutil.iter_modules(matlens.__path__)]
entries = [e for t in tables for table in list(t.values()) if isinstance(table, dict) for e in table.values()]
modules = {e.split(":")[0] for e in entries if isinstance(e, str) and e.startswith("matlens.") and ":" in e}
forks._import(sorted(modules))
print(len(modules & set(sys.modules)), len(modules))
print(*{(one / "comm").read_text().strip() for one in pathlib.Path("/proc/self/task").iterdir()})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="jobs are forks on Linux alone")
def test_no_import_of_a_method_starts_a_thread_that_a_fork_would_lose():
    """Import the modules of all methods in the process that forks: it has one thread and that of jemalloc."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counts, threads = done.stdout.splitlines()[-2:]
    imported, known = map(int, counts.split())
    assert known > 100 and imported > 0.9 * known, "optional packages are missing, not more"
    assert set(threads.split()) <= {"python", "python3", "jemalloc_bg_thd"}


SPY = """
import atexit, sys
heavy = ("torch", "pandas", "scipy", "zarr", "matplotlib", "skimage")
atexit.register(lambda: print("heavy:", *[name for name in heavy if name in sys.modules]))
"""


def test_the_snakefile_parses_in_two_seconds_and_without_heavy_imports(tmp_path):
    """Parse it with Snakemake: CPU time beyond that of Snakemake itself, and the modules of its process."""
    (tmp_path / "Snakefile").write_text('rule all:\n    output:\n        "x",\n    shell:\n        "touch x"\n')
    (tmp_path / "sitecustomize.py").write_text(SPY)

    def parsed(cwd: Path, *words: str) -> tuple[float, set[str]]:
        """Return the CPU time (s) of `snakemake --list` in a folder, and the heavy modules that it imports."""
        command = [sys.executable, "-m", "snakemake", "--list", *words]
        before, env = resource.getrusage(resource.RUSAGE_CHILDREN), {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, set(done.stdout.splitlines()[-1].removeprefix("heavy:").split())

    (alone, plugins), (ours, modules) = parsed(tmp_path), parsed(ROOT, "--config", "studies=demo_superalloy")
    assert ours - alone < 2.0
    assert not modules - plugins  # plugins of Snakemake load pandas
