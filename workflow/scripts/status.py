"""Say what a run has made, from files alone: where the report and the tables are, and what was rejected."""

import sys
from pathlib import Path

from matlens import door, io, study

REJECTED_STATUS = 3  # exit status of `--check` when items were rejected; 1 is a failed job, 2 a wrong command


def _chosen(studies: str) -> list[str]:
    """Split the names of the studies, or take those of the configuration."""
    return studies.split(",") if studies else study.read_yaml(Path("config/config.yaml"))[0]["studies"]


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
    return lines, len(rejected)


def main(studies: str = "", check: str = "") -> None:
    """Print where the report and the tables are; with `check`, end with status 3 when items were rejected."""
    told = [describe(name) for name in _chosen(studies)]
    print("\n".join(line for lines, _ in told for line in lines))
    print("report: results/report.html" if Path("results/report.html").exists() else "no report yet: make report")
    if check and any(count for _, count in told):
        print(f"items were rejected: exit status {REJECTED_STATUS}", file=sys.stderr)
        sys.exit(REJECTED_STATUS)


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
