"""Parts distributed over workers give the results of a loop, in its order; lost workers are replaced or reported."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest
from matlens import quantify, registry, segment
from matlens.job import workers as spread
from matlens.job.batch import BadItem, MachineFault
from matlens.quantify import bands as measured
from matlens.segment import bands as labelled
from matlens.store import io

ROOT = Path(__file__).resolve().parents[2]
PHASES = ["ground", "a", "b"]
ABOUT = {"item": "a", "pixel_size_um": 0.5, "intensity_low": 0.0, "intensity_high": 255.0}


@pytest.fixture(scope="module")
def mapped():
    with spread.workers({"dask_workers": 2}) as found:
        yield found


def scene(shape: tuple[int, ...]) -> np.ndarray:
    """Draw blobs of three grey levels, some of which wind through many bands."""
    from scipy import ndimage

    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=shape), 2.5)
    return (60 * np.digitize(field, np.quantile(field, [0.5, 0.8])) + rng.normal(60, 8, shape)).astype(np.uint8)


@pytest.fixture(params=[(301, 203), (41, 50, 37)], ids=["image", "volume"])
def arrays(request, tmp_path, monkeypatch):
    """Store an image or a volume, and labels of it, to be read in small bands."""
    monkeypatch.setattr(labelled, "BAND", {2: 64, 3: 16})
    monkeypatch.setattr(labelled, "PART_PX", 4000)
    monkeypatch.setattr(labelled, "TILE_PX", 20)
    monkeypatch.setattr(measured, "BAND_ROWS", 13)
    image = scene(request.param)
    with io.write_arrays(tmp_path / "images.zip") as out:
        out.add(0, image, "zyx"[-image.ndim :], ABOUT)
    with io.write_arrays(tmp_path / "labels.zip") as out:
        out.add(0, np.digitize(image, [90, 150]).astype(np.uint8), "zyx"[-image.ndim :], ABOUT)
    with io.read_arrays(tmp_path / "images.zip") as images, io.read_arrays(tmp_path / "labels.zip") as labels:
        yield images, labels


@pytest.mark.parametrize(("method", "options"), [("otsu", {"foreground": "dark"}), ("multi_otsu", {})])
def test_workers_label_as_a_loop_does(mapped, arrays, method, options):
    images, _ = arrays
    offered = {"read": partial(images.unit_part, 0), "shape": images.shape(0), "phases": PHASES}
    call = partial(registry.call, registry.load(segment.BANDS, method), options=options)
    alone, shared = (np.concatenate(list(call({**offered, "mapped": each}))) for each in (map, mapped))
    assert len(np.unique(alone)) > 1
    np.testing.assert_array_equal(shared, alone)


@pytest.mark.parametrize("options", [{}, {"background": True, "connectivity": "faces", "min_area_px2": 9.0}])
@pytest.mark.parametrize("measure", sorted(quantify.BANDS))
def test_workers_measure_as_a_loop_does(mapped, arrays, measure, options):
    _, labels = arrays
    offered = {"read": partial(labels.rows, 0), "shape": labels.shape(0), "phases": PHASES}
    call = partial(registry.call, registry.load(quantify.BANDS, measure), options=options)
    alone, shared = (call({**offered, "mapped": each}) for each in (map, mapped))
    assert len(alone)
    pd.testing.assert_frame_equal(shared, alone, check_exact=True)


def refuse(part):
    raise BadItem(f"part {part} is not finite")


def test_a_bad_item_is_one_among_workers_too_and_few_parts_are_under_way(mapped):
    with pytest.raises(BadItem, match="part 0 is not finite"):
        list(mapped(refuse, range(3)))
    taken = []
    found = mapped(abs, (taken.append(n) or -n for n in range(100)))
    assert next(found) == 0
    assert len(taken) == spread.AHEAD * 2
    assert list(found) == list(range(1, 100))


def note(folder: Path, fatal: int, part: int) -> int:
    """Leave a file with the process that did the work; a part may kill its worker, once or always."""
    (folder / f"{part}_{os.getpid()}").touch()
    if part == -fatal or (part == fatal and len(list(folder.glob(f"{part}_*"))) == 1):
        os.kill(os.getpid(), 9)
    time.sleep(0.02)
    return part**2


def test_work_of_a_killed_worker_is_done_again(mapped, tmp_path):
    assert list(mapped(partial(note, tmp_path, 5), range(20))) == [n**2 for n in range(20)]
    assert len(list(tmp_path.glob("5_*"))) == 2


def test_a_part_that_kills_every_worker_is_a_fault_of_the_machine(mapped, tmp_path):
    with pytest.raises(MachineFault, match="raise mem_mb"):
        list(mapped(partial(note, tmp_path, -3), range(6)))
    assert list(mapped(abs, [-1, -2])) == [1, 2]


def test_that_no_worker_comes_is_said_in_time(monkeypatch):
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr(spread, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    there = iter([{}, {}, {"tls://one": 1}])

    class Scheduler:
        workers = property(lambda self: next(there, {}))

    def never(timeout):
        raise TimeoutError

    with pytest.raises(MachineFault, match="none of 3 workers started within 5 minutes"):
        spread._result(SimpleNamespace(result=never), SimpleNamespace(scheduler=Scheduler()), 3, {"runtime": 10})
    assert next(there, None) is None, "given up while there was a worker"


def test_without_workers_nothing_is_imported_and_unused_workers_are_never_started(tmp_path):
    code = "import sys; from matlens.job import workers\n"
    code += "with workers.workers({'dask_workers': NUMBER}) as mapped: pass\n"
    code += "print({'dask', 'distributed'} & set(sys.modules))"
    for number in ("0", "4"):
        env = {"PYTHONPATH": str(ROOT / "workflow")}
        told = subprocess.run([sys.executable, "-c", code.replace("NUMBER", number)], env=env, capture_output=True)
        assert told.stdout == b"set()\n", told.stderr


def test_a_scheduler_that_is_not_there_or_not_known_is_answered_with_the_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    for kind, error, words in (
        ("slurm", MachineFault, "no 'sbatch'.*dask_workers: 0"),
        ("slurn", ValueError, "did you mean 'slurm'"),
    ):
        with pytest.raises(error, match=words), spread.workers({"dask_workers": 2, "dask_cluster": kind}) as mapped:
            next(mapped(abs, [1]))


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (
            "slurm",
            {"SLURM_JOB_PARTITION": "cpu", "SLURM_JOB_ACCOUNT": "lab"},
            ["-p cpu", "-A lab", "-t 01:30:00", "4G"],
        ),
        ("lsf", {"LSB_QUEUE": "normal"}, ["-q normal", "-W 01:30"]),
        ("sge", {"QUEUE": "all.q"}, ["-q all.q", "h_vmem=4000M", "h_rt=01:30:00"]),
        ("htcondor", {}, ["MY.DaskWorkerCores = 1", "RequestMemory"]),
    ],
)
def test_worker_jobs_ask_for_what_the_job_has(monkeypatch, tmp_path, kind, given, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(spread.shutil, "which", lambda name: name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with spread._cluster(0, kind, {"mem_mb": 4000, "runtime": 90}) as (cluster, _):
        script = cluster.job_script()
        keys = list(Path(spread.LOGS).glob(".dask-jobqueue.worker.*"))
        assert keys
        assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert not [word for word in [*words, "--tls-key", "--no-dashboard", str(tmp_path)] if word not in script], script


def test_workers_end_with_a_job_that_is_killed(tmp_path):
    code = "import os, sys, time; from matlens.job import workers as spread\ndef work(part): return os.getpid()\n"
    code += "def main():\n with spread.workers({'dask_workers': 2}) as mapped:\n"
    code += "  print(*set(mapped(work, range(9))), flush=True); time.sleep(60)\nif __name__ == '__main__': main()"
    (tmp_path / "job.py").write_text(code)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    job = subprocess.Popen([sys.executable, "job.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert "2 workers" in job.stdout.readline()
        workers = [int(word) for word in job.stdout.readline().split()]
    finally:
        job.kill()
    end = time.monotonic() + 60
    while any(map(psutil.pid_exists, workers)):
        assert time.monotonic() < end, "workers outlived their job"
        time.sleep(0.2)


def test_the_doors_write_the_same_files_with_workers(monkeypatch, tmp_path):
    doors = []
    for name in ("segment", "quantify"):
        monkeypatch.syspath_prepend(str(ROOT / "workflow/scripts"))
        doors.append(__import__(name))
    monkeypatch.setattr(labelled, "LARGE_PX", 1000)
    monkeypatch.setattr(measured, "LARGE_PX", 1000)
    monkeypatch.setattr(measured, "BAND_ROWS", 50)
    with io.write_arrays(tmp_path / "images.zip") as out:
        out.add(0, scene((4500, 60)), "yx", ABOUT)
        out.add(1, np.full((300, 60), 7, np.uint8), "yx", {**ABOUT, "item": "flat"})
    with io.write_arrays(tmp_path / "truth.zip"):
        pass
    found = []
    for number in (0, 2):
        folder = tmp_path / str(number)
        give = {"resources": {"dask_workers": number}, "phases": PHASES, "truth": tmp_path / "truth.zip"}
        give |= {"images": tmp_path / "images.zip", "labels": folder / "labels.zip"}
        doors[0].main(method="otsu", options={}, rejected=folder / "lost.parquet", **give)
        tables = {"table": folder / "regions.parquet", "rejected": folder / "lost_regions.parquet"}
        doors[1].main(measure="regions", options={}, **tables, **give)
        found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert len(found[0]) == 4
    assert found[0] == found[1]
