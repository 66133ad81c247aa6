"""Run a hand-off, check that its results belong to its inputs, and read them."""

import hashlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from matlens.job.batch import BadItem
from matlens.store import files
from matlens.validate import ACCEPTED, FAILED, PENDING, REJECTED
from matlens.validate.handoff import MANIFEST, RESULTS, STATUS, SUMS, inputs_sum, text_of

STOP_SECONDS = 90.0


def digest(folder: Path) -> str:
    """Digest the results in the folders of an engine by name, size and time; "" if there are none."""
    found = []
    if folder.is_dir():
        for one in sorted(folder.iterdir()):
            for path in (one / STATUS, *sorted((one / RESULTS).glob("*"))) if not one.name.startswith(".") else ():
                if path.is_file():
                    about = path.stat()
                    found.append(f"{one.name}/{path.name} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def state(folder: Path) -> dict:
    """Read the status that `run.sh` wrote for a folder; {} if it is absent or unreadable."""
    try:
        found = json.loads((folder / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def run(folder: Path, *, run: bool | None = None, minutes: int = 60) -> str:
    """Run a folder unless it is finished; returns its state.

    `run`: false never runs it here. What `run.sh` prints goes to `run.log` in the folder. A stop of this process stops
    it, with time to save its state; so does the end of its `minutes`.
    """
    about = state(folder)
    finished = about.get("state") == "FINISHED" and about.get("inputs") == inputs_sum(text_of(folder / SUMS) or "")
    if run is False or finished:
        return about.get("state", "NOT_RUN")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment.setdefault("WALL_SECONDS", str(60 * minutes))
    with open(folder / "run.log", "ab") as log:
        job = subprocess.Popen(
            ["sh", "run.sh"], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        clock = threading.Timer(60 * minutes + STOP_SECONDS, job.send_signal, [signal.SIGTERM])
        clock.daemon = True
        clock.start()
        try:
            job.wait()
        except BaseException:
            job.send_signal(signal.SIGTERM)
            try:
                job.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                job.kill()
            raise
        finally:
            clock.cancel()
    return state(folder).get("state", "NOT_RUN")


def verify(folder: Path, handed: Mapping) -> tuple[str, str] | None:
    """Check a folder before its results are read: return status and reason if they must not be, else None.

    `handed`: its row in the registry of hand-offs, with sha256 of SHA256SUMS, engine, slug and, for a candidate that
    could not be handed over, reason.
    """
    if handed.get("reason"):
        return FAILED, handed["reason"]
    again = f"delete {folder.parent / 'handoffs'} and run again"
    if not folder.is_dir():
        return FAILED, f"its folder {folder} is gone; {again}"
    text = text_of(folder / SUMS)
    if text is None:
        return FAILED, f"half-written hand-off: {SUMS} is missing; {again}"
    if hashlib.sha256(text.encode()).hexdigest() != handed["sha256"]:
        return REJECTED, f"{SUMS} is not the one that was handed over; {again}"
    for line in text.splitlines():
        expected, name = line.split("  ", 1)
        try:
            found = files.sha256(folder / name)
        except OSError:
            return FAILED, f"half-written hand-off: {name} is missing; {again}"
        if found != expected:
            return REJECTED, f"{name} was changed after the hand-off; {again}"
    return _verify_status(folder, inputs_sum(text))


def _verify_status(folder: Path, inputs: str) -> tuple[str, str] | None:
    how = f"not run yet: `sh {folder}/run.sh`, or `sbatch job.slurm` in that folder, here or elsewhere; then run again"
    results = [path for path in (folder / RESULTS).glob("*") if path.is_file()] if (folder / RESULTS).is_dir() else []
    if not (folder / STATUS).exists():
        return (
            (REJECTED, f"results without {STATUS}, which says what they are of: copy it too")
            if results
            else (PENDING, how)
        )
    about = state(folder)
    name, said = about.get("state"), about.get("message", "")
    if not about:
        return REJECTED, f"{STATUS} cannot be read: copy it again, or run again"
    if about.get("inputs") != inputs:
        return REJECTED, "stale: these results are of other inputs than those in the folder; run it again"
    if name == "RUNNING":
        return PENDING, "it is running, or was killed; if nothing runs there any more, run it again"
    if name != "FINISHED":
        return (PENDING, how) if name == "NOT_RUN" else (FAILED, f"{str(name).lower()}: {said}"[:400])
    listed = about.get("results")
    if not isinstance(listed, dict) or not listed:
        return REJECTED, f"{STATUS} says finished and lists no results"
    for name, expected in listed.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            return REJECTED, f"{STATUS} lists a result outside the folder"
        try:
            found = files.sha256(path)
        except OSError:
            return REJECTED, f"the result {name} is missing: copy it too"
        if found != expected:
            return REJECTED, f"the result {name} was changed after the run"
    return None


def spent(folder: Path) -> dict[str, float]:
    """Return `wall_s` and `cpu_s` of a run, in s; NaN if its status has no such numbers."""
    about = state(folder)
    times = {key: about.get(key) for key in ("wall_s", "cpu_s")}
    return {key: float(one) if type(one) in (int, float) else float("nan") for key, one in times.items()}


def results(folder: Path) -> dict[str, bytes]:
    """Read the results that `status.json` lists, by name without their folder."""
    return {Path(name).name: (folder / name).read_bytes() for name in state(folder)["results"]}


def outcome(folder: Path, handed: Mapping, judge) -> dict:
    """Judge one folder: a dict with status, reason and values.

    `judge(manifest, results)` is that of the engine; what it cannot read is rejected.
    """
    try:
        fault = verify(folder, handed)
        if fault and fault[0] != PENDING:
            return {"status": fault[0], "reason": fault[1], "values": {}}
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if fault:
            reason = "; ".join(filter(None, [fault[1], manifest.get("note")]))
            return {"status": fault[0], "reason": reason, "values": {}}
        return {"status": ACCEPTED, "reason": "", **judge(manifest, results(folder))}
    except BadItem as error:
        return {"status": REJECTED, "reason": str(error), "values": {}}
    except (OSError, MemoryError):
        raise
    except Exception as error:  # what was brought back may be anything, and the other candidates go on
        reason = (
            f"its results cannot be judged ({type(error).__name__}: {str(error)[:200]}): they are damaged or foreign"
        )
        return {"status": REJECTED, "reason": reason, "values": {}}
