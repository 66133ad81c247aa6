"""Say what a run has made, from files alone: what is done, under way, failed and left, and what was rejected."""

import sys
from pathlib import Path

from matlens import door, io, runs, study

REJECTED_STATUS = 3  # exit status of `--check` when items were rejected; 1 is a failed job, 2 a wrong command
SHOWN = 20  # failed jobs told one by one


def _chosen(studies: str) -> list[str]:
    """Split the names of the studies, or take those of the configuration."""
    return study.names_in(studies) if studies else study.read_yaml(Path("config/config.yaml"))[0]["studies"]


def describe(name: str) -> tuple[list[str], int]:
    """Tell of one study its main table and how many items were rejected."""
    settings = study.load_all(name, "config/studies")[name]
    folder = Path("results") / name / "tables"
    if not (folder / "rejected.csv").exists():
        return [f"{name}: not finished; run it with: make run STUDIES={name}"], 0
    items, rejected = io.read_csv(folder / "items.csv"), io.read_csv(folder / "rejected.csv")
    lines = [f"{name}: {len(items)} items; main table: {folder / study.main_table(settings)}"]
    if len(rejected):
        lines.append(f"  {rejected['item'].nunique()} items rejected, with the reasons in {folder / 'rejected.csv'}")
    return lines + waiting(name), len(rejected)


def waiting(name: str) -> list[str]:
    """Tell which engines have hand-offs of a study that wait to be run, and how to run them."""
    table = Path("results") / name / "tables" / "verdicts.csv"
    if not table.exists():
        return []
    verdicts = io.read_csv(table)
    pending = verdicts[verdicts["status"] == "pending"].drop_duplicates(["item", "engine"])
    return [
        f"  {count} hand-offs wait for {engine}: `sh run.sh` or `sbatch job.slurm` in each folder of "
        f"results/{name}/handoff/{engine}, here or elsewhere; then make run again"
        for engine, count in pending["engine"].value_counts().sort_index().items()
    ]


def jobs(names: list[str]) -> list[str]:
    """Tell of the last run how many jobs are done, under way, failed and left, and of some studies what failed why."""
    text, start = runs.last(Path(".snakemake/log"))
    if not text:
        return []
    done, total = runs.progress(text)
    begun = runs.jobs_of(runs.under_way(Path(".snakemake/incomplete")))
    failed = [one for name in names for one in runs.failed(Path("logs", name), start)]
    locked = any(Path(".snakemake/locks").glob("*"))
    word = "under way, or cut off when the run was killed" if locked else "cut off"
    left = max(0, total - done - len(begun) - len(failed))
    lines = [f"last run: {done} of {total} jobs done, {len(begun)} {word}, {len(failed)} failed, {left} left"]
    lines += [f"  {'  '.join(begun[:SHOWN])}"] if begun else []
    lines += [line for log, why in failed[:SHOWN] for line in (f"  failed: {why}", f"    log: {log}")]
    lines += [f"  and {len(failed) - SHOWN} more failed jobs"] if len(failed) > SHOWN else []
    if locked:
        lines.append("  the folder is locked: where no run is at work, go on with: make resume")
    return lines


def main(studies: str = "", check: str = "") -> None:
    """Print what there is; with `check`, end with status 3 when items were rejected."""
    names = _chosen(studies)
    told = [describe(name) for name in names]
    print("\n".join(line for lines, _ in told for line in lines))
    print("report: results/report.html" if Path("results/report.html").exists() else "no report yet: make report")
    if check:
        if any(count for _, count in told):
            print(f"items were rejected: exit status {REJECTED_STATUS}", file=sys.stderr)
            sys.exit(REJECTED_STATUS)
    else:
        print("\n".join(jobs(names)))


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
