"""What the files of a run say about it: its progress, its jobs on a cluster, what is under way, what failed."""

import base64
import json
import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

RUN = "matlens_run.json"  # what a run says of itself when it starts, whatever its options for printing are
DONE = "done"
FAILED = "failed: "
TAIL_BYTES = 4000
SIGNED = {  # how a whole file of a kind begins, and what is within its last bytes: those of a part of it are others
    ".parquet": (b"PAR1", b"PAR1"),
    ".zip": (b"PK", b"PK\x05\x06"),
}
END_BYTES = {".parquet": 4, ".zip": 22}  # a zip of ours has no comment


def run_ids(texts: Iterable[str]) -> list[str]:
    """List the names under which runs put their jobs into the queue of Slurm, from the logs of Snakemake."""
    found = [name for text in texts for name in re.findall(r"SLURM run ID: (\S+)", text)]
    return list(dict.fromkeys(found))


def progress(text: str) -> tuple[int, int]:
    """Return how many jobs a run has finished, and how many it has or had in all; (0, 0) where it had none."""
    steps = re.findall(r"^(\d+) of (\d+) steps", text, re.M)
    if steps:
        return int(steps[-1][0]), int(steps[-1][1])
    total = re.findall(r"^total\s+(\d+)$", text, re.M)
    return 0, int(total[-1]) if total else 0


def last(folder: Path) -> tuple[str, float]:
    """Read the newest log of Snakemake that tells of jobs, and when that run began; ("", 0) where there is none."""
    for log in sorted(folder.glob("*.log"), reverse=True):
        text = log.read_text(encoding="utf-8", errors="replace")
        if progress(text) != (0, 0):
            return text, datetime.strptime(log.name[:17], "%Y-%m-%dT%H%M%S").timestamp()
    return "", 0.0


def begun(folder: Path) -> tuple[int, float]:
    """Read how many jobs the newest run has, and when it began; (0, 0) if no run left its record (RUN) in a folder."""
    try:
        found = json.loads((folder / RUN).read_text(encoding="utf-8"))
        return int(found["jobs"]), float(found["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0.0


def finished(folder: Path, since: float) -> int:
    """Count the jobs whose logs, below a folder, ended with "done" since some time."""
    logs = (log for log in folder.rglob("*.log") if log.stat().st_mtime >= since)
    return sum(outcome(log)[0] == "done" for log in logs)


def under_way(folder: Path) -> list[str]:
    """List the outputs that jobs had begun and not finished: those of a run at work, or of one that was killed.

    `folder` is `.snakemake/incomplete`, where a file stands for each: its path in base64, cut at "@" when it is long.
    """
    names = []
    for path in folder.rglob("*"):
        if path.is_file():
            name = "".join(part.removeprefix("@") for part in path.relative_to(folder).parts)
            names.append(base64.urlsafe_b64decode(name).decode())
    return sorted(names)


def outcome(log: Path) -> tuple[str, str]:
    """Read the end of the log of one job: ("done", ""), ("failed", why), or ("begun", "") where it has no end."""
    with open(log, "rb") as handle:
        handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = handle.read().decode("utf-8", "replace").rstrip().splitlines()
    last = lines[-1] if lines else ""
    if last == DONE:
        return "done", ""
    return ("failed", last.removeprefix(FAILED)) if last.startswith(FAILED) else ("begun", "")


def is_whole(path: Path) -> bool:
    """Tell whether a table or an array file ends as it should; other files count as whole."""
    begin, end = SIGNED.get(path.suffix, (b"", b""))
    if not begin:
        return True
    with open(path, "rb") as handle:
        first = handle.read(len(begin))
        handle.seek(max(0, path.stat().st_size - END_BYTES[path.suffix]))
        return first == begin and handle.read().startswith(end)


def damaged(paths: Iterable[str]) -> list[str]:
    """List the files that were cut off, as by copying a folder of results in part."""
    return [str(path) for path in paths if Path(path).is_file() and not is_whole(Path(path))]


def failed(folder: Path, since: float = 0.0) -> list[tuple[Path, str]]:
    """List the logs under a folder, changed since some time, of jobs that failed, each with why."""
    logs = [log for log in sorted(folder.rglob("*.log")) if log.stat().st_mtime >= since]
    return [(log, why) for log, (state, why) in zip(logs, map(outcome, logs), strict=True) if state == "failed"]


def processes(folder: Path) -> tuple[list[int], list[int]]:
    """Find what of this machine works in a folder: Snakemakes that drive a run, and jobs whose driver is gone.

    Returns two lists of process ids, both empty where the system has no /proc. A job of a living driver is in neither.
    """
    drivers, jobs, parents = [], [], {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if not any("snakemake" in word for word in words) or (entry / "cwd").resolve() != folder.resolve():
                continue
        except (OSError, ValueError, IndexError):
            continue  # it ended meanwhile, or belongs to somebody else
        if any(f"{os.sep}.snakemake{os.sep}scripts{os.sep}" in word for word in words) or "--mode" in words:
            jobs.append(int(entry.name))
        elif any(word.endswith(("/snakemake", "/snakemake/__main__.py")) or word == "snakemake" for word in words):
            drivers.append(int(entry.name))

    def ancestors(process: int):
        while process in parents:
            yield (process := parents[process])

    alone = [job for job in jobs if not set(ancestors(job)) & {*drivers, *(set(jobs) - {job})}]
    return sorted(drivers), sorted(alone)


def jobs_of(outputs: Iterable[str]) -> list[str]:
    """Name the jobs behind some outputs: `study/stage/method/shard`, one for all that a job writes.

    Follows the paths of the results, `results/{study}/{stage}/{method}/{artefact}/{shard}.{ext}`; tables and figures,
    which have a shorter path, are named as they are.
    """
    found = set()
    for output in outputs:
        parts = Path(output).parts[1:]
        short = len(parts) < 5
        measure = [parts[3].removeprefix("rejected_")] if not short and parts[1] == "quantify" else []
        found.add("/".join(parts if short else (*parts[:3], *measure, Path(parts[4]).name.split(".")[0])))
    return sorted(found)
