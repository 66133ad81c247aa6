"""Summarise a run from its files: jobs that are done, under way, failed and left, and rejected items."""

from pathlib import Path
from typing import NamedTuple

from matlens import columns
from matlens.job import batch
from matlens.job import logs as runs
from matlens.plan import study
from matlens.store import io

LONGEST = 300  # characters of a reason
VARYING = r"'[^']*'|\"[^\"]*\"|[-+]?\d+(?:\.\d+)?"  # parts by which reasons of one kind differ
SHOWN = 20  # failed jobs listed one by one


class State(NamedTuple):
    """Lines about a study, and the number of its rejected items."""

    lines: list[str]
    rejected: int


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: "1 item", "2 items"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe(name: str, settings: dict, folder: Path) -> State:
    """Summarise a study whose tables are in `folder`."""
    if not (folder / "rejected.csv").exists():
        lines = [f"{name}: not finished; run it with: make run STUDIES={name}"]
        return State(lines + [f"  {line}" for line in rejected_so_far(folder.parent)], 0)
    at = folder / "items.csv"
    try:
        items, at = io.read_csv(at), folder / "rejected.csv"
        rejected = io.read_csv(at)
        lines = [f"{name}: {counted(len(items), 'item')}; main table: {folder / study.main_table(settings)}"]
        if len(rejected):
            read = rejected["stage"].astype(str).str.startswith("ingest")  # a row each, also where two have one name
            number = counted(int(read.sum()) + rejected.loc[~read, "item"].nunique(), "item")
            lines.append(f"  {number} rejected, with the reasons in {folder / 'rejected.csv'}")
            if len(rejected) > len(items):
                lines.append("    more were rejected than are left" + commonest(rejected["reason"].astype(str)))
        lines += repeated(items, folder / "items.csv")
        for at, tell in ((folder / "shortlist.csv", screened), (folder / "verdicts.csv", waiting)):
            lines += tell(name, at) if at.exists() else []
    except (OSError, ValueError, KeyError) as error:
        why = str(error).splitlines()[0][:100]
        return State([f"{name}: {at} cannot be read ({why}); delete it, then: make run STUDIES={name}"], 0)
    return State(lines, len(rejected))


def rejected_so_far(results: Path) -> list[str]:
    """Report the items that the jobs of an unfinished study rejected: a later job may lack them."""
    found = [io.read_table(path) for path in batch.rejections(results)]
    reasons = io.concatenate(found)["reason"].astype(str) if found else []
    if not len(reasons):
        return []
    return [f"{counted(len(reasons), 'item')} rejected so far{commonest(reasons)}"]


def commonest(reasons) -> str:
    """Give an example of the commonest kind of some reasons; quoted words and numbers do not count."""
    kinds = reasons.str.replace(VARYING, "", regex=True)
    kind, number = kinds.mode()[0], kinds.value_counts().max()
    return (
        f"; the commonest reason ({number} of {len(reasons)}), as an example: "
        f"{' '.join(reasons[kinds == kind].iloc[0].split())[:LONGEST]}"
    )


def repeated(items, table: Path) -> list[str]:
    """List the items of a table that are the same file under two names, and so count twice."""
    some = items[items[columns.SAME_AS].notna()] if columns.SAME_AS in items else []
    if not len(some):
        return []
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
        every = counted(count + len(out), "candidate")
        lines.append(
            f"  {method}: {count + len(out) - len(failed)} of {every} meet the criteria, "
            f"{count} {'is' if count == 1 else 'are'} listed"
        )
        lines += unlike(listed[listed["method"] == method])
        if not count and len(failed):
            most = ", ".join(f"{why} ({number})" for why, number in failed["criterion"].value_counts().head(3).items())
            lines.append(
                f"    the shortlist is empty: {most}; see {table.with_name('excluded.csv')}, or relax 'screen'"
            )
    return lines


def unlike(listed) -> list[str]:
    """Report how many listed candidates are outside what a network learned from."""
    flags = listed.get("outside_training_range", [])
    count = sum(str(flag).lower() == "true" for flag in flags)
    if not count:
        return []
    return [
        f"    {count} of these {'is' if count == 1 else 'are'} unlike all that was learned from, column "
        "outside_training_range; to exclude such: screen.outside_training_range: false"
    ]


def waiting(name: str, table: Path) -> list[str]:
    """List the engines with hand-offs of a study that wait to be run, and how to run them."""
    verdicts = io.read_csv(table)
    pending = verdicts[verdicts["status"] == "pending"].drop_duplicates(["item", "engine"])
    return [
        f"  {counted(count, 'hand-off')} wait{'s' if count == 1 else ''} for {engine}: "
        f"`sh run.sh` or `sbatch job.slurm` in each folder of results/{name}/handoff/{engine}, here or elsewhere; "
        "then make run again"
        for engine, count in pending["engine"].value_counts().sort_index().items()
    ]


def jobs(names: list[str], state: Path, logs: Path) -> list[str]:
    """Count the jobs of the last run: done, under way, failed and left; list failed jobs of some studies with reasons.

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
    every = counted(total, "job")
    lines = [f"last run: {done} of {every} done, {len(begun)} {word}, {len(failed)} failed, {left} left"]
    lines += [f"  {'  '.join(begun[:SHOWN])}"] if begun else []
    lines += [line for log, why in failed[:SHOWN] for line in (f"  failed: {why}", f"    log: {log}")]
    lines += [f"  and {counted(len(failed) - SHOWN, 'more failed job')}"] if len(failed) > SHOWN else []
    if locked:
        lines.append("  the folder is locked: where no run is at work, go on with: make resume")
    return lines
