"""Report the state of a run, from files alone: jobs done, running, failed and left, and items rejected."""

import sys
from pathlib import Path

from matlens.job import entry
from matlens.job.logs import last_studies
from matlens.plan import status, study
from matlens.store import yaml_files

REJECTED_STATUS = 3  # exit status of `--strict` when items were rejected; 1 is a failed job, 2 a wrong setting


def _chosen(studies: str) -> dict[str, dict]:
    """Load the studies of some names, or those of the last run, or those of the configuration."""
    try:
        names = studies or last_studies(Path(".snakemake"))
        names = names or yaml_files.read_yaml(Path("config/config.yaml"))[0]["studies"]
        return study.load_all(names, "config/studies")
    except study.StudyError as error:
        sys.exit(str(error))


def main(studies: str = "", check: str = "", strict: str = "") -> None:
    """Print the state of each study and, without `check`, of the last run; rejected items are status 3 if `strict`."""
    chosen = _chosen(studies)
    found = [status.describe(name, settings, Path("results", name, "tables")) for name, settings in chosen.items()]
    print("\n".join(line for one in found for line in one.lines))
    print("report: results/report.html" if Path("results/report.html").exists() else "no report yet: make report")
    if not check:
        print("\n".join(status.jobs(list(chosen), Path(".snakemake"), Path("logs"))))
    if strict and any(one.rejected for one in found):
        print(f"items were rejected: exit status {REJECTED_STATUS}", file=sys.stderr)
        sys.exit(REJECTED_STATUS)


if __name__ == "__main__":
    entry.run(main)
