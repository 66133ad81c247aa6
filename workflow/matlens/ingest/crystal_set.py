"""Crystals of a public data set: the catalogue says which file holds them, and finds or fetches it."""

import hashlib
import json

from matlens.ingest import structures
from matlens.ingest.structures import read
from matlens.registry import suggest
from matlens.store import catalog

__all__ = ["listing", "plan", "read"]


def _file(name: str) -> str:
    """Name the file of a set that holds its crystals; ValueError for a set without any."""
    known = [set for set, about in catalog.entries().items() if "crystals" in about]
    if name not in known:
        kind = "has no crystals" if name in catalog.entries() else "is unknown (data/catalog.yaml)"
        raise ValueError(f"name: the set '{name}' {kind}; {suggest(name, known)}")
    return catalog.entry(name)["crystals"]


def listing(*, name: str) -> str:
    """Digest what the catalogue says of a set; a ValueError where the set or its file cannot be had.

    The files of the catalogue never change, so that fetching one does not count as a change.
    """
    file = _file(name)
    if not catalog.available(name):
        raise ValueError(f"no file of the set is here: {catalog.advice(name, file)}")
    return hashlib.sha256(json.dumps(catalog.entry(name), sort_keys=True, default=str).encode()).hexdigest()


def plan(*, name: str, targets: list[str] | None = None):
    """List the crystals of a set as `structures.plan` does, after fetching its file where it is not here.

    `name`: the set in the catalogue. `targets`: columns beside the crystals that must be there and hold numbers.
    OSError or FileNotFoundError says why the file cannot be had, and where it comes from.
    """
    return structures.plan(path=str(catalog.find(name, _file(name))), targets=targets)
