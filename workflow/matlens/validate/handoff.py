"""Hand-offs: self-contained folders of inputs for a physics code, with checksums that tie results to inputs.

`SHA256SUMS` lists every file that was handed over. The physics among them (all but how to run, and why) has one
checksum of its own, `inputs`, which `run.sh` echoes in `status.json` with the checksums of all results: so it is known
what was computed, from what, and that neither has changed since.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import matlens
from matlens import registry

SUMS, STATUS, MANIFEST, RESULTS = "SHA256SUMS", "status.json", "manifest.json", "results"
NO_PHYSICS = (MANIFEST, "run.sh", "job.slurm", "ladder.txt")  # they change no number of a result
TEMPLATES = Path(__file__).parent / "templates"
FORMAT = 1
RESERVED = frozenset({"handoffs", "rejected"})  # folders of tables beside those of the candidates
WRITERS = ("pymatgen", "spglib")  # packages that inputs depend on


class Shared(NamedTuple):
    """A file that many folders hold: its bytes and their checksums, computed once."""

    data: bytes
    sha256: str
    md5: str


class Handoff(NamedTuple):
    """Files of a folder by name (text, bytes or Shared), its manifest, and the identity of its settings.

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
    """Write the run scripts of a folder: by hand, and by Slurm. `slug` is safe in every shell."""
    words = {"@SLUG@": slug, "@ENGINE@": engine, "@MINUTES@": str(minutes), "@CORES@": str(cores)}
    made = {"run.sh": template("head.sh") + template(f"{engine}.sh"), "job.slurm": template("job.slurm")}
    for mark, word in words.items():
        made = {name: text.replace(mark, word) for name, text in made.items()}
    return made


def described(candidate: Mapping, engine: str) -> dict:
    """Return the entries of a manifest on the candidate: its name, its rank and reason, its predictions."""
    about = {"why": candidate.get("reason", ""), "predicted": candidate.get("predicted", {})}
    about |= {"ranked": candidate.get("ranked", [])}
    return {"item": candidate["item"], "formula": candidate["formula"], "engine": engine, **about}


def promised(made: Handoff, judge, options: Mapping, limits: Mapping) -> Handoff:
    """Return the entries of a manifest on the judgement of its results, and on the versions that wrote it.

    `judge`: the function, whose options are thresholds; `limits`: those of the study on computed values.
    """
    thresholds = {name: options.get(name, default) for name, default in registry.options_of(judge).items()}
    versions = {"python": platform.python_version(), "matlens": matlens.__version__}
    versions |= {name: metadata.version(name) for name in WRITERS}
    about = {"accept": {"thresholds": thresholds, "values": dict(limits)}, "versions": versions}
    return made._replace(manifest={**made.manifest, **about})


def plain(value):
    """Return a setting as a JSON value; what is none becomes text."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def fingerprint(value) -> str:
    """Return the SHA-256 of a JSON value, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def sums(hashes: Mapping[str, str]) -> str:
    """Write checksums as `sha256sum` does."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))


def inputs_sum(text: str) -> str:
    """Return the checksum of the physics among the lines of SHA256SUMS, as `run.sh` computes it."""
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
    old = text_of(folder / SUMS)
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


def text_of(path: Path) -> str | None:
    """Read a text; None if it is absent or unreadable."""
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
    old = hashlib.sha256((text_of(folder / SUMS) or "").encode()).hexdigest()[:8]
    aside = folder.parent / ".superseded" / f"{folder.name}-{old}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(exist_ok=True)
    os.replace(folder, aside)
