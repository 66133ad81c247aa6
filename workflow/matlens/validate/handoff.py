"""Hand-offs: folders that hold all that a physics code needs, run anywhere, and are trusted only as far as they prove.

`SHA256SUMS` lists every file that was handed over. The physics among them (all but how to run, and why) has one
checksum of its own, `inputs`, which `run.sh` echoes in `status.json` with the checksums of all results: so it is known
what was computed, from what, and that neither has changed since.
"""

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import matlens
from matlens import registry
from matlens.batch import BadItem
from matlens.validate import ACCEPTED, FAILED, PENDING, REJECTED

SUMS, STATUS, MANIFEST, RESULTS = "SHA256SUMS", "status.json", "manifest.json", "results"
NO_PHYSICS = (MANIFEST, "run.sh", "job.slurm", "ladder.txt")  # they change no number of a result
TEMPLATES = Path(__file__).parent / "templates"
FORMAT = 1
RESERVED = frozenset({"handoffs", "rejected"})  # folders of tables beside those of the candidates
STOP_SECONDS = 90.0
WRITERS = ("pymatgen", "spglib")  # packages that inputs depend on


class Shared(NamedTuple):
    """A file that many folders hold: its bytes and their checksums, computed once."""

    data: bytes
    sha256: str
    md5: str


class Handoff(NamedTuple):
    """The files of a folder by name (text, bytes or Shared), what its manifest says, and what identifies its settings.

    Two candidates with equal `settings` have energies that can be subtracted from one another.
    """

    files: dict[str, str | bytes | Shared]
    manifest: dict
    settings: dict


@cache
def shared(path: Path) -> Shared:
    """Read a file that many folders hold."""
    data = path.read_bytes()
    return Shared(data, hashlib.sha256(data).hexdigest(), hashlib.md5(data, usedforsecurity=False).hexdigest())


@cache
def template(name: str) -> str:
    """Read a part of a run script."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def scripts(engine: str, slug: str, minutes: int, cores: int = 1) -> dict[str, str]:
    """Write how a folder is run: by hand, and by Slurm. `slug` is safe in every shell."""
    words = {"@SLUG@": slug, "@ENGINE@": engine, "@MINUTES@": str(minutes), "@CORES@": str(cores)}
    made = {"run.sh": template("head.sh") + template(f"{engine}.sh"), "job.slurm": template("job.slurm")}
    for mark, word in words.items():
        made = {name: text.replace(mark, word) for name, text in made.items()}
    return made


def described(candidate: Mapping, engine: str) -> dict:
    """Say in a manifest of what candidate a folder is, why, and what was predicted of it."""
    about = {"why": candidate.get("reason", ""), "predicted": candidate.get("predicted", {})}
    about |= {"ranked": candidate.get("ranked", [])}
    return {"item": candidate["item"], "formula": candidate["formula"], "engine": engine, **about}


def promised(made: Handoff, judge, options: Mapping, limits: Mapping) -> Handoff:
    """Say in a manifest by what its results will be judged, and which versions wrote it.

    `judge`: the function, whose options are thresholds; `limits`: those of the study on computed values.
    """
    thresholds = {name: options.get(name, default) for name, default in registry.options_of(judge).items()}
    versions = {"python": platform.python_version(), "matlens": matlens.__version__}
    versions |= {name: metadata.version(name) for name in WRITERS}
    about = {"accept": {"thresholds": thresholds, "values": dict(limits)}, "versions": versions}
    return made._replace(manifest={**made.manifest, **about})


def fingerprint(value) -> str:
    """Give the SHA-256 of a JSON value, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def sums(hashes: Mapping[str, str]) -> str:
    """Write checksums as `sha256sum` does."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))


def inputs_sum(text: str) -> str:
    """Give the checksum of the physics among the lines of SHA256SUMS, as `run.sh` computes it."""
    lines = [line for line in text.splitlines() if line.split("  ", 1)[-1] not in NO_PHYSICS]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _manifest(manifest: dict) -> str:
    return json.dumps({"format": FORMAT, **manifest}, indent=1, sort_keys=True, allow_nan=False) + "\n"


def write(folder: Path, handoff: Handoff, seen: dict[str, Path]) -> tuple[str, str]:
    """Write a folder, whole or not at all; returns the checksums of its SHA256SUMS and of its physics.

    A folder that holds the same physics keeps its results. One with other physics makes way: if anything has run in it,
    it is kept under `.superseded`. `seen` remembers where large files were written: further ones are links to the
    first.
    """
    files = {**handoff.files, MANIFEST: _manifest(handoff.manifest)}
    files = {name: data.encode() if isinstance(data, str) else data for name, data in files.items()}
    hashes = {n: d.sha256 if isinstance(d, Shared) else hashlib.sha256(d).hexdigest() for n, d in files.items()}
    text = sums(hashes)
    made = hashlib.sha256(text.encode()).hexdigest(), inputs_sum(text)
    old = _text(folder / SUMS)
    if old is not None and inputs_sum(old) == made[1]:
        if old != text or not all(_is(folder / name, data) for name, data in files.items()):
            (folder / SUMS).unlink()  # until all is there, it is half-written and says so
            _fill(folder, files, seen)
            _place(folder / SUMS, text.encode())
        return made
    if folder.is_dir():
        _make_way(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    _fill(partial, files, seen)
    (partial / SUMS).write_text(text)
    os.replace(partial, folder)
    for data in files.values():
        if isinstance(data, Shared) and seen.get(data.sha256, partial).is_relative_to(partial):
            seen[data.sha256] = folder / seen[data.sha256].relative_to(partial)
    return made


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _is(path: Path, data) -> bool:
    try:
        return path.read_bytes() == (data.data if isinstance(data, Shared) else data)
    except OSError:
        return False


def _place(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def _fill(folder: Path, files: Mapping, seen: dict[str, Path]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(data, Shared):
            _place(path, data)
            continue
        first = seen.get(data.sha256)
        path.unlink(missing_ok=True)
        try:
            os.link(first, path) if first else path.write_bytes(data.data)
        except OSError:  # a file system without links, or with no more of them for one file
            path.write_bytes(data.data)
        seen.setdefault(data.sha256, path)
    for name in ("run.sh",):
        if (folder / name).exists():
            (folder / name).chmod(0o755)


def _make_way(folder: Path) -> None:
    """Put a folder aside whose physics is no longer asked for; one in which nothing ran is removed."""
    if not (folder / STATUS).exists() and not (folder / RESULTS).exists():
        shutil.rmtree(folder)
        return
    old = hashlib.sha256((_text(folder / SUMS) or "").encode()).hexdigest()[:8]
    aside = folder.parent / ".superseded" / f"{folder.name}-{old}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(exist_ok=True)
    os.replace(folder, aside)


def digest(folder: Path) -> str:
    """Digest the results in the folders of an engine by name, size and time; "" where there are none."""
    found = []
    if folder.is_dir():
        for one in sorted(folder.iterdir()):
            for path in (one / STATUS, *sorted((one / RESULTS).glob("*"))) if not one.name.startswith(".") else ():
                if path.is_file():
                    about = path.stat()
                    found.append(f"{one.name}/{path.name} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def state(folder: Path) -> dict:
    """Read what `run.sh` says of a folder; {} where it says nothing that can be read."""
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
    finished = about.get("state") == "FINISHED" and about.get("inputs") == inputs_sum(_text(folder / SUMS) or "")
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
    """Check a folder before its results are read: status and reason where they must not be, else None.

    `handed`: its row in the registry of hand-offs, with sha256 of SHA256SUMS, engine, slug and, for a candidate that
    could not be handed over, reason.
    """
    if handed.get("reason"):
        return FAILED, handed["reason"]
    again = f"delete {folder.parent / 'handoffs'} and run again"
    if not folder.is_dir():
        return FAILED, f"its folder {folder} is gone; {again}"
    text = _text(folder / SUMS)
    if text is None:
        return FAILED, f"half-written hand-off: {SUMS} is missing; {again}"
    if hashlib.sha256(text.encode()).hexdigest() != handed["sha256"]:
        return REJECTED, f"{SUMS} is not the one that was handed over; {again}"
    for line in text.splitlines():
        expected, name = line.split("  ", 1)
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
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
        return PENDING, "it is running, or was killed without a word; if nothing runs there any more, run it again"
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
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return REJECTED, f"the result {name} is missing: copy it too"
        if found != expected:
            return REJECTED, f"the result {name} was changed after the run"
    return None


def spent(folder: Path) -> dict[str, float]:
    """Give the times of a run, `wall_s` and `cpu_s`, in s; nan where its status does not tell them as numbers."""
    about = state(folder)
    told = {key: about.get(key) for key in ("wall_s", "cpu_s")}
    return {key: float(one) if type(one) in (int, float) else float("nan") for key, one in told.items()}


def results(folder: Path) -> dict[str, bytes]:
    """Read the results that `status.json` lists, by name without their folder."""
    return {Path(name).name: (folder / name).read_bytes() for name in state(folder)["results"]}


def outcome(folder: Path, handed: Mapping, judge) -> dict:
    """Judge one folder: a dict with status, reason and values, see the room.

    `judge(manifest, results)` is that of the engine; what it cannot read is rejected.
    """
    try:
        told = verify(folder, handed)
        if told:
            return {"status": told[0], "reason": told[1], "values": {}}
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
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
