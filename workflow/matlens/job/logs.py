"""Read the state of a run from its files: progress, cluster jobs, running jobs, failures."""

import base64
import json
import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

RUN = "matlens_run.json"  # written when a run starts, whatever its options for printing
STUDIES = "matlens_studies"  # names of the studies of that run, with commas; `make resume` reads it
DONE = "done"
FAILED = "failed: "
TAIL_BYTES = 4000
SIGNED = {  # first bytes of a complete file, and bytes near its end; a truncated file lacks the latter
    ".parquet": (b"PAR1", b"PAR1"),
    ".zip": (b"PK", b"PK\x05\x06"),
}
END_BYTES = {".parquet": 4, ".zip": 22}  # a zip of ours has no comment


def run_ids(texts: Iterable[str]) -> list[str]:
    """List the names of runs in the queue of Slurm, from the logs of Snakemake."""
    found = [name for text in texts for name in re.findall(r"SLURM run ID: (\S+)", text)]
    return list(dict.fromkeys(found))


def progress(text: str) -> tuple[int, int]:
    """Return the numbers of finished jobs and of all jobs of a run; (0, 0) if it had none."""
    steps = re.findall(r"^(\d+) of (\d+) steps", text, re.M)
    if steps:
        return int(steps[-1][0]), int(steps[-1][1])
    total = re.findall(r"^total\s+(\d+)$", text, re.M)
    return 0, int(total[-1]) if total else 0


def last(folder: Path) -> tuple[str, float]:
    """Return the newest log of Snakemake that lists jobs, and the start of that run; ("", 0) if absent."""
    for log in sorted(folder.glob("*.log"), reverse=True):
        text = log.read_text(encoding="utf-8", errors="replace")
        if progress(text) != (0, 0):
            return text, datetime.strptime(log.name[:17], "%Y-%m-%dT%H%M%S").timestamp()
    return "", 0.0


def begun(folder: Path) -> tuple[int, float]:
    """Return the number of jobs of the newest run and its start; (0, 0) if the folder holds no record (RUN)."""
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        return int(run["jobs"]), float(run["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0.0


def last_studies(folder: Path) -> str:
    """Return the names of the studies of the newest run, with commas; "" if none is recorded."""
    try:
        return (folder / STUDIES).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def finished(folder: Path, since: float) -> int:
    """Count the logs below a folder that ended with "done" after the time `since`."""
    logs = (log for log in folder.rglob("*.log") if log.stat().st_mtime >= since)
    return sum(outcome(log)[0] == "done" for log in logs)


def under_way(folder: Path) -> list[str]:
    """List the unfinished outputs of a running or killed run.

    folder: `.snakemake/incomplete`, with one file per output named by its path in base64, split at "@" if long.
    """
    names = []
    for path in folder.rglob("*"):
        if path.is_file():
            name = "".join(part.removeprefix("@") for part in path.relative_to(folder).parts)
            names.append(base64.urlsafe_b64decode(name).decode())
    return sorted(names)


def outcome(log: Path) -> tuple[str, str]:
    """Return the state of a job by the end of its log: ("done", ""), ("failed", reason) or ("begun", "")."""
    with open(log, "rb") as handle:
        handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = handle.read().decode("utf-8", "replace").rstrip().splitlines()
    last = lines[-1] if lines else ""
    if last == DONE:
        return "done", ""
    return ("failed", last.removeprefix(FAILED)) if last.startswith(FAILED) else ("begun", "")


def is_whole(path: Path) -> bool:
    """Check whether a table or array file is complete; other types count as complete."""
    begin, end = SIGNED.get(path.suffix, (b"", b""))
    if not begin:
        return True
    with open(path, "rb") as handle:
        first = handle.read(len(begin))
        handle.seek(max(0, path.stat().st_size - END_BYTES[path.suffix]))
        return first == begin and handle.read().startswith(end)


def damaged(paths: Iterable[str]) -> list[str]:
    """List truncated files, such as those of an interrupted copy."""
    return [str(path) for path in paths if Path(path).is_file() and not is_whole(Path(path))]


def failed(folder: Path, since: float = 0.0) -> list[tuple[Path, str]]:
    """List the logs of failed jobs below a folder, changed after `since`, with their reasons."""
    logs = [log for log in sorted(folder.rglob("*.log")) if log.stat().st_mtime >= since]
    return [(log, why) for log, (state, why) in zip(logs, map(outcome, logs), strict=True) if state == "failed"]


FORKS = "matlens.job.forks"  # the process whose forks are jobs


def processes(folder: Path) -> tuple[list[int], list[int]]:
    """Find processes that work in a folder: Snakemake drivers, and jobs whose driver has ended.

    Returns two lists of process ids, both empty on a system without /proc. Jobs of a running driver are not listed.
    """
    drivers, jobs, parents = [], [], {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if (
                not any("snakemake" in word or word == FORKS for word in words)
                or (entry / "cwd").resolve() != folder.resolve()
            ):
                continue
        except (OSError, ValueError, IndexError):
            continue  # it ended meanwhile, or belongs to somebody else
        scripts = f"{os.sep}.snakemake{os.sep}scripts{os.sep}"
        if any(scripts in word for word in words) or "--mode" in words or FORKS in words:
            jobs.append(int(entry.name))
        elif any(word.endswith(("/snakemake", "/snakemake/__main__.py")) or word == "snakemake" for word in words):
            drivers.append(int(entry.name))

    def ancestors(process: int):
        while process in parents:
            yield (process := parents[process])

    alone = [job for job in jobs if not set(ancestors(job)) & {*drivers, *(set(jobs) - {job})}]
    return sorted(drivers), sorted(alone)


def jobs_of(outputs: Iterable[str]) -> list[str]:
    """Return the names of the jobs of some outputs, `study/stage/method/shard`, each once.

    Reads paths `results/{study}/{stage}/{method}/{output}/{shard}.{ext}`; shorter paths (tables, figures) stay whole.
    """
    names = set()
    for output in outputs:
        parts = Path(output).parts[1:]
        short = len(parts) < 5
        measure = [parts[3].removeprefix("rejected_")] if not short and parts[1] == "quantify" else []
        names.add("/".join(parts if short else (*parts[:3], *measure, Path(parts[4]).name.split(".")[0])))
    return sorted(names)
