"""Stop a run before its first job with one block of text: file, line, key, cause and fix."""

import sys
from typing import NoReturn

from matlens.store import yaml_files

HEAD = "Configuration error (no job was started):"


def line(name: str, keys: list, reason: str) -> str:
    """Write one refusal of a study: file, line, key and reason."""
    path = f"config/studies/{name}.yaml"
    place = yaml_files.place(path, keys)
    strange = yaml_files.lookalikes(path, int(place.rpartition(":")[2]))
    return f"{place}: {'.'.join(map(str, keys))}: {reason}{strange}"


def stop(text: str) -> NoReturn:
    """Print a configuration error and end the process; an exception would get the frames of Snakemake around it."""
    print(f"{HEAD}\n{text}", file=sys.stderr)
    raise SystemExit(2)


def refuse(name: str, keys: list, reason: str) -> NoReturn:
    """Stop the run because of one setting of a study."""
    stop(line(name, keys, str(reason)))
