"""Crystals of a public data set; the catalogue names their file, and finds or downloads it."""

import hashlib
import json

from matlens.ingest.crystals import structures
from matlens.ingest.crystals.structures import read
from matlens.registry import suggest
from matlens.store import catalog

__all__ = ["listing", "plan", "read"]


def _file(name: str) -> str:
    """Return the file that holds the crystals of a set. Raises ValueError if the set has none."""
    known = [set for set, about in catalog.entries().items() if "crystals" in about]
    if name not in known:
        kind = "has no crystals" if name in catalog.entries() else "is unknown (data/catalog.yaml)"
        raise ValueError(f"name: the set '{name}' {kind}; {suggest(name, known)}")
    return catalog.entry(name)["crystals"]


def listing(*, name: str) -> str:
    """Digest the catalogue entry of a set. Raises ValueError if the set or its file is not available.

    Files of the catalogue never change, so a download does not count as a change.
    """
    file = _file(name)
    if not catalog.available(name):
        raise ValueError(f"no file of the set is on this machine: {catalog.advice(name, file)}")
    return hashlib.sha256(json.dumps(catalog.entry(name), sort_keys=True, default=str).encode()).hexdigest()


def plan(*, name: str, targets: list[str] | None = None, every: int = 1):
    """List the crystals of a set as `structures.plan` does; download its file if missing.

    `name`: the set in the catalogue. `targets`: numeric columns of the file that are required. `every`: take the first
    of each so many crystals, in their order; 1: all. Raises OSError or FileNotFoundError, with the source, if the file
    is not available.
    """
    rows = structures.plan(path=str(catalog.find(name, _file(name))), targets=targets)
    return rows.iloc[::every].reset_index(drop=True)
