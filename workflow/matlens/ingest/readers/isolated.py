"""Readers whose C libraries may hang or crash on a broken file (HDF5, video), in a process of their own.

One process serves all files of a shard. It takes one line of JSON per file and answers with one, followed by the bytes
of the arrays; if it dies or takes too long, BadItem is raised and the next file gets a new process.
"""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from matlens.ingest import Micrograph
from matlens.job.batch import BadItem

PATIENCE_S = 12.0  # for a file of no size,
BYTES_PER_S = 5e6  # and so much longer for large ones: slow disks are no reason to give up
START_S = 300.0
_LIVING: list[subprocess.Popen] = []


class _Late(Exception):
    """The process did not answer in time."""


def _worker() -> subprocess.Popen:
    """Return the process, started when there is none."""
    if _LIVING and _LIVING[0].poll() is None:
        return _LIVING[0]
    _LIVING.clear()
    home = str(Path(__file__).resolve().parents[3])
    paths = [home, os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        [sys.executable, "-m", "matlens.ingest.readers.isolated"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)},
    )
    _LIVING.append(process)
    if _line(process, time.monotonic() + START_S) != b"ready\n":
        raise OSError("the process that reads HDF5 and video files did not start")
    return process


def _some(process, length: int, deadline: float) -> bytes:
    """Read up to `length` bytes; b"" when the process died."""
    ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        raise _Late
    return os.read(process.stdout.fileno(), length)


def _line(process, deadline: float) -> bytes:
    """Read the line of an answer; its bytes come one by one, because arrays follow it."""
    line = b""
    while not line.endswith(b"\n"):
        piece = _some(process, 1, deadline)
        if not piece:
            return b""
        line += piece
    return line


def _array(process, dtype: str, shape: list[int], deadline: float) -> np.ndarray:
    array = np.empty(shape, dtype)
    view, filled = memoryview(array.reshape(-1).view(np.uint8)), 0
    while filled < len(view):
        piece = _some(process, min(1 << 20, len(view) - filled), deadline)
        if not piece:
            raise EOFError
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    return array


def read(name: str, path: str, *, max_pixels: int) -> Micrograph:
    """Read a file of the format `name` in the other process, within a time that its size allows."""
    seconds = PATIENCE_S + os.path.getsize(path) / BYTES_PER_S
    process = _worker()
    try:
        deadline = time.monotonic() + seconds
        asked = {"name": name, "path": os.fsencode(os.path.abspath(path)).hex(), "max_pixels": max_pixels}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        answer = json.loads(_line(process, deadline) or "null")
        if answer is None:
            raise EOFError
        if "pixels" in answer:
            names = ["pixels", *answer["layers"]]
            arrays = {key: _array(process, *answer[key], deadline) for key in names}
    except _Late:
        _end(process)
        raise BadItem(f"its {name} content kept the reader busy for {seconds:.0f} s: broken; copy it again") from None
    except (EOFError, BrokenPipeError, ValueError):
        _end(process)
        raise BadItem(f"its {name} content crashed the library that reads it: broken; copy it again") from None
    return _found(answer, arrays) if "pixels" in answer else _refuse(answer)


def _found(answer: dict, arrays: dict) -> Micrograph:
    return Micrograph(
        arrays.pop("pixels"),
        answer["axes"],
        layers={key.removeprefix("layer "): array for key, array in arrays.items()},
        meta=answer["meta"],
        spacing_um=answer["spacing_um"],
        intensity_low=answer["range"][0],
        intensity_high=answer["range"][1],
    )


def _refuse(answer: dict):
    """Raise the exception of the child process here."""
    kind, number, text = answer["error"]
    if kind == "BadItem":
        raise BadItem(text)
    if kind == "MemoryError":
        raise MemoryError(text)
    raise OSError(number, text) if number else RuntimeError(f"{kind}: {text}")


def _end(process) -> None:
    process.kill()
    process.wait()
    _LIVING.clear()


def _answer(asked: dict) -> tuple[dict, list[np.ndarray]]:
    """Read a file here, in the process of its own."""
    from matlens.ingest.readers import load_reader

    path = os.fsdecode(bytes.fromhex(asked["path"]))
    try:
        found = load_reader(asked["name"])(path, max_pixels=asked["max_pixels"])
    except Exception as error:
        return {"error": [type(error).__name__, getattr(error, "errno", None), str(error)]}, []
    arrays = {"pixels": found.pixels, **{f"layer {key}": layer for key, layer in found.layers.items()}}
    arrays = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
    answer = {
        "axes": found.axes,
        "spacing_um": found.spacing_um,
        "range": [float(found.intensity_low), float(found.intensity_high)],
        "meta": found.meta,
        "layers": [key for key in arrays if key != "pixels"],
        **{key: [array.dtype.str, list(array.shape)] for key, array in arrays.items()},
    }
    return answer, list(arrays.values())


def main() -> None:
    """Serve requests until the pipe closes; discard what libraries print."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    out.write(b"ready\n")
    out.flush()
    for line in sys.stdin:
        answer, arrays = _answer(json.loads(line))
        out.write(json.dumps(answer, default=lambda value: value.item()).encode() + b"\n")
        for array in arrays:
            out.write(memoryview(array.reshape(-1).view(np.uint8)))
        out.flush()


if __name__ == "__main__":
    main()
