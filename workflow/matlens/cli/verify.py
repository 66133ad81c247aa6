"""Verify that results are as the workflow wrote them: no file edited, none older than its inputs."""

import sys
from pathlib import Path

from matlens.job import entry, manifest
from matlens.plan.study import names_in

CHANGED_STATUS = 6  # exit status when a file was changed; 2 when there is nothing to verify


def main(studies: str = "") -> None:
    """Compare every file of some studies (all by default) with its record; name each that differs, with the reason."""
    wanted = names_in(studies) or ["*"]
    found = [job for study in wanted for job in manifest.records("results", study)]
    if not found:
        print("results/ holds no records to verify; run the study first: make run", file=sys.stderr)
        sys.exit(2)
    faults = manifest.faults(found)
    for fault in faults:
        print(f"{fault.path}: {fault.reason}")
    files = {path for job in found for path in job["outputs"] if Path(path).is_file()}
    print(f"{len(files)} files of {len(found)} jobs verified, {len(faults)} changed")
    if faults:
        sys.exit(CHANGED_STATUS)


if __name__ == "__main__":
    entry.run(main)
