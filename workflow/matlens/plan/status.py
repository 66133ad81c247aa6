"""Summarise a run from its files: jobs that are done, under way, failed and left, and rejected items."""

from pathlib import Path
from typing import NamedTuple

from matlens import columns
from matlens.job import logs as runs
from matlens.plan import study
from matlens.store import io

SHOWN = 20  # failed jobs told one by one


class Told(NamedTuple):
    """Lines about a study, and the number of its rejected items."""

    lines: list[str]
    rejected: int


def describe(name: str, settings: dict, folder: Path) -> Told:
    """Tell of one study, whose tables are in `folder`, what came of it."""
    if not (folder / "rejected.csv").exists():
        return Told([f"{name}: not finished; run it with: make run STUDIES={name}"], 0)
    at = folder / "items.csv"
    try:
        items, at = io.read_csv(at), folder / "rejected.csv"
        rejected = io.read_csv(at)
        lines = [f"{name}: {len(items)} items; main table: {folder / study.main_table(settings)}"]
        if len(rejected):
            lines.append(
                f"  {rejected['item'].nunique()} items rejected, with the reasons in {folder / 'rejected.csv'}"
            )
        lines += repeated(items, folder / "items.csv")
        for at, tell in ((folder / "shortlist.csv", screened), (folder / "verdicts.csv", waiting)):
            lines += tell(name, at) if at.exists() else []
    except (OSError, ValueError, KeyError) as error:
        why = str(error).splitlines()[0][:100]
        return Told([f"{name}: {at} cannot be read ({why}); delete it, then: make run STUDIES={name}"], 0)
    return Told(lines, len(rejected))


def repeated(items, table: Path) -> list[str]:
    """Tell which items of a table are the same file under two names, and so count twice."""
    if columns.SAME_AS not in items:
        return []
    some = items[items[columns.SAME_AS].notna()]
    names = ", ".join(f"{a} and {b}" for a, b in zip(some[columns.SAME_AS].head(3), some[columns.ITEM], strict=False))
    more = f" and {len(some) - 3} more" if len(some) > 3 else ""
    return [
        f"  the same file under two names, which counts twice: {names}{more}; see {table}, column {columns.SAME_AS}"
    ]


def screened(name: str, table: Path) -> list[str]:
    """Report for every method how many candidates met the criteria and how many are listed; if none, why."""
    listed, excluded = io.read_csv(table), io.read_csv(table.with_name("excluded.csv"))
    methods = sorted({*listed["method"], *excluded["method"]})
    if not methods:
        return ["  the shortlist is empty: nothing was predicted of any item"]
    lines = []
    for method in methods:
        out = excluded[excluded["method"] == method]
        failed = out[out["rank"].isna()] if "rank" in out else out
        count = int((listed["method"] == method).sum())
        lines.append(
            f"  {method}: {count + len(out) - len(failed)} of {count + len(out)} candidates meet the criteria, "
            f"{count} are listed"
        )
        if not count and len(failed):
            most = ", ".join(f"{why} ({number})" for why, number in failed["criterion"].value_counts().head(3).items())
            lines.append(
                f"    the shortlist is empty: {most}; see {table.with_name('excluded.csv')}, or relax 'screen'"
            )
    return lines


def waiting(name: str, table: Path) -> list[str]:
    """Tell which engines have hand-offs of a study that wait to be run, and how to run them."""
    verdicts = io.read_csv(table)
    pending = verdicts[verdicts["status"] == "pending"].drop_duplicates(["item", "engine"])
    return [
        f"  {count} hand-offs wait for {engine}: `sh run.sh` or `sbatch job.slurm` in each folder of "
        f"results/{name}/handoff/{engine}, here or elsewhere; then make run again"
        for engine, count in pending["engine"].value_counts().sort_index().items()
    ]


def jobs(names: list[str], state: Path, logs: Path) -> list[str]:
    """Tell of the last run how many jobs are done, under way, failed and left, and of some studies what failed why.

    `state`: the folder `.snakemake`; `logs`: that of the logs.
    """
    text, start = runs.last(state / "log")
    done, total = runs.progress(text)
    jobs, started = runs.begun(state)
    if started > start:
        done, total, start = runs.finished(logs, started), jobs, started
    if not total:
        return []
    begun = runs.jobs_of(runs.under_way(state / "incomplete"))
    failed = [one for name in names for one in runs.failed(logs / name, start)]
    locked = any((state / "locks").glob("*"))
    word = "under way, or cut off when the run was killed" if locked else "cut off"
    left = max(0, total - done - len(begun) - len(failed))
    lines = [f"last run: {done} of {total} jobs done, {len(begun)} {word}, {len(failed)} failed, {left} left"]
    lines += [f"  {'  '.join(begun[:SHOWN])}"] if begun else []
    lines += [line for log, why in failed[:SHOWN] for line in (f"  failed: {why}", f"    log: {log}")]
    lines += [f"  and {len(failed) - SHOWN} more failed jobs"] if len(failed) > SHOWN else []
    if locked:
        lines.append("  the folder is locked: where no run is at work, go on with: make resume")
    return lines
