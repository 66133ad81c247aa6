"""Say what a run has made, from files alone: what is done, under way, failed and left, and what was rejected."""

import sys
from pathlib import Path

from matlens.job import entry
from matlens.plan import status, study
from matlens.store import yaml_files

REJECTED_STATUS = 3  # exit status of `--check` when items were rejected; 1 is a failed job, 2 a wrong command


def _chosen(studies: str) -> dict[str, dict]:
    """Load the studies of some names, or those of the configuration."""
    try:
        names = studies or yaml_files.read_yaml(Path("config/config.yaml"))[0]["studies"]
        return study.load_all(names, "config/studies")
    except study.StudyError as error:
        sys.exit(str(error))


def main(studies: str = "", check: str = "") -> None:
    """Print what there is; with `check`, end with status 3 when items were rejected."""
    chosen = _chosen(studies)
    told = [status.describe(name, settings, Path("results", name, "tables")) for name, settings in chosen.items()]
    print("\n".join(line for one in told for line in one.lines))
    print("report: results/report.html" if Path("results/report.html").exists() else "no report yet: make report")
    if not check:
        print("\n".join(status.jobs(list(chosen), Path(".snakemake"), Path("logs"))))
    elif any(one.rejected for one in told):
        print(f"items were rejected: exit status {REJECTED_STATUS}", file=sys.stderr)
        sys.exit(REJECTED_STATUS)


if __name__ == "__main__":
    entry.run(main)
