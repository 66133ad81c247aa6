"""Broken files: each is read or refused with a reason; none crashes, hangs or swells."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MUTATIONS = 12  # of every file
PROBE = """
import json, resource, sys, time, warnings
sys.path.insert(0, "workflow")
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
warnings.simplefilter("ignore")
from matlens.job.batch import BadItem
from matlens.ingest import files
for name in sys.stdin:
    name, start = name.rstrip("\\n"), time.monotonic()
    print("open", name, flush=True)
    try:
        found = files.read({"file": name}, ["one", "two"], min_side_px=1)
        said = f"read {found.pixels.shape}"
        assert found.pixels.size < 1 << 24, said
    except BadItem as error:
        said = f"bad {error}"
        assert len(str(error)) > 20 and ";" in str(error), said
    except MemoryError:
        said = "memory"
    except BaseException as error:
        said = f"escaped {type(error).__name__}: {error}"
    print("done", json.dumps([name, said, time.monotonic() - start]), flush=True)
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""


def mutate(raw: bytes, rng) -> bytes:
    """Break a file in one of the ways in which copies, disks and programs do."""
    data, size = bytearray(raw), len(raw)
    way = rng.integers(6)
    if way == 0:  # cut off
        return bytes(data[: rng.integers(1, size)])
    if way == 1:  # single bytes anywhere
        for at in rng.integers(0, size, rng.integers(1, 20)):
            data[at] = rng.integers(256)
    elif way == 2:  # single bytes of the header, where sizes are
        for at in rng.integers(4, min(size, 300), rng.integers(1, 6)):
            data[at] = rng.integers(256)
    elif way == 3:  # a run of zeros
        start, length = rng.integers(0, size), rng.integers(1, 2000)
        data[start : start + length] = bytes(len(data[start : start + length]))
    elif way == 4:  # large numbers in the header
        at = rng.integers(4, max(5, min(size, 300) - 8))
        data[at : at + 4] = rng.choice([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x80"])
    else:  # a piece twice
        start, length = rng.integers(0, size), rng.integers(1, 500)
        data[start:start] = data[start : start + length]
    return bytes(data)


def _sources(folder: Path, real: Path | None) -> list[Path]:
    from .specimens import one_of_each

    made = one_of_each(folder)
    found = sorted(real.rglob("*")) if real else []
    return made + [p for p in found if p.is_file() and p.suffix not in (".txt", ".csv") and p.stat().st_size < 3e5]


def test_no_mutation_escapes(tmp_path, data):
    try:
        real = data("micrographs/raw_instrument")
    except pytest.skip.Exception:
        real = None
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    rng, names = np.random.default_rng(7), []
    for source in _sources(tmp_path / "good", real):
        for number in range(MUTATIONS):
            path = tmp_path / "bad" / f"{source.stem}_{number}{source.suffix}"
            path.write_bytes(mutate(source.read_bytes(), rng))
            names.append(str(path))
    assert len(names) >= 200
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROBE], input="\n".join(names), text=True, capture_output=True, cwd=root, timeout=240
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"the reader crashed: {lines[-1:]} {done.stderr[-2000:]}"
    results = [json.loads(line[5:]) for line in lines if line.startswith("done")]
    assert len(results) == len(names)
    assert not [r for r in results if not r[1].startswith(("read", "bad"))]
    assert max(seconds for *_, seconds in results) < 20
    assert int(lines[-1].split()[1]) < 2 << 20, "kilobytes"
    kinds = {said.split()[0] for _, said, _ in results}
    assert kinds == {"read", "bad"}
