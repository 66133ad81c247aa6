"""Record inputs, settings, code and outputs of each job; find files that changed afterwards.

A record is a JSON file `results/<study>/manifest/<job>.json` with the SHA-256 of every input and output. Files in a
folder `timings` differ between runs and are left out, so that records are byte-identical.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from matlens.store.files import sha256

FOLDER = "manifest"
CLOCK = "timings"


class Fault(NamedTuple):
    """One file that differs from the record of its job."""

    path: str
    reason: str


def _files(paths: Iterable[str]) -> list[str]:
    """List the files among some paths that a record covers, sorted."""
    return sorted({str(path) for path in paths if CLOCK not in Path(path).parts and Path(path).is_file()})


def place(log: str) -> Path:
    """Return the record path of a job: `results/demo/manifest/tables/items.json` of `logs/demo/tables/items.log`."""
    *study, name = Path(log).with_suffix(".json").parts[1:] or [Path(log).with_suffix(".json").name]
    return Path("results", *study[:1], FOLDER, *study[1:], name)


def record(job) -> dict:
    """Describe a finished job: rule, settings, code, and the SHA-256 of its inputs and outputs."""
    settings = dict(job.params.items())
    code = settings.pop("code", "")
    settings = json.dumps(settings, sort_keys=True, default=str)
    return {
        "rule": job.rule,
        "settings": hashlib.sha256(settings.encode()).hexdigest(),
        "code": code,
        "inputs": {path: sha256(path) for path in _files(job.input)},
        "outputs": {path: sha256(path) for path in _files(job.output)},
    }


def write(job) -> None:
    """Write the record of a finished job, atomically."""
    path = place(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(record(job), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.rename(path)


def records(results: str | Path, study: str = "*") -> Iterator[dict]:
    """Yield the records below a folder of results, in the order of their paths."""
    for path in sorted(Path(results).glob(f"{study}/{FOLDER}/**/*.json")):
        yield _read(path)
    if study == "*":
        for path in sorted(Path(results, FOLDER).glob("*.json")):
            yield _read(path)


def _read(path: Path) -> dict:
    """Read a record; one that is damaged counts as an output that was edited."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and {"rule", "inputs", "outputs"} <= found.keys():
            return found
    except (OSError, ValueError):
        pass
    return {"rule": path.stem, "inputs": {}, "outputs": {str(path): ""}}


def faults(found: Iterable[dict], largest: float = math.inf) -> list[Fault]:
    """List files that were edited after their job, and files made from inputs that have changed since.

    A file that was deleted is no fault: the next run makes it again. Files above `largest` bytes are not read.
    """
    found, now = list(found), {}

    def current(path: str) -> str | None:
        if path not in now:
            known = Path(path).is_file() and Path(path).stat().st_size <= largest
            now[path] = sha256(path) if known else None
        return now[path]

    wrong = {}
    for job in found:
        for path, made in job["outputs"].items():
            if current(path) not in (None, made):
                wrong[path] = Fault(path, f"edited after the job '{job['rule']}' wrote it; delete it and run again")
    for job in found:
        stale = [path for path, read in job["inputs"].items() if current(path) not in (None, read)]
        for path in job["outputs"] if stale else ():
            if current(path) is not None and path not in wrong:
                wrong[path] = Fault(path, f"older than its input {stale[0]}, which has changed since; run again")
    return [wrong[path] for path in sorted(wrong)]
