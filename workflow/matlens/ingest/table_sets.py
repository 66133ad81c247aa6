"""Tables of items: a file of the user, or one that the catalogue lists for a kind of items."""

import hashlib
import json
from pathlib import Path

from matlens.ingest import file_search, spreadsheet
from matlens.registry import suggest
from matlens.store import catalog


def find(kind: str, path: str | None, set: str | None) -> Path:
    """Find the table. `kind`: key of the catalogue entries, such as "compositions".

    Raises ValueError unless exactly one of path and set is given and exists.
    """
    if (path is None) == (set is None):
        raise ValueError("give one of 'path' (a table of your own) and 'set' (a table of data/catalog.yaml)")
    if path is None:
        return catalog.find(*_listed(kind, set))
    file = Path(file_search.expanded(path))
    if file.is_dir():
        raise ValueError(f"path '{path}' is a folder; name one table in it")
    if not file.is_file():
        raise ValueError(f"path '{path}' is no file; {file_search.nearest(str(file))}")
    return file


def named(kind: str, name: str) -> tuple[str | None, str | None]:
    """Return (path, set) of a file: a table of the catalogue if it has the name, else a path."""
    return (None, name) if name in _tables(kind) else (name, None)


def _tables(kind: str) -> dict[str, tuple[str, str]]:
    """Return the catalogue entry and the file of every table of a kind of items, by its name."""
    entries = catalog.entries().items()
    return {table: (name, file) for name, about in entries for table, file in about.get(kind, {}).items()}


def _listed(kind: str, set: str) -> tuple[str, str]:
    known = _tables(kind)
    if set not in known:
        raise ValueError(f"set: the catalogue has no table of {kind} '{set}'; {suggest(set, known)}")
    return known[set]


def _present(kind: str, set: str) -> tuple[str, str]:
    """Return the catalogue entry and the file of a set. Raises ValueError if it is not on this machine."""
    name, file = _listed(kind, set)
    if not catalog.available(name):
        raise ValueError(f"the set is not on this machine: {catalog.advice(name, file)}")
    return name, file


def require(file: Path, header: list[str], wanted: list[str | None]) -> None:
    """Raise ValueError if a table lacks a column that is asked for."""
    for name in wanted:
        if name and name not in header:
            other = spreadsheet.note_of_sheets(file, "; ")
            raise ValueError(f"table '{file}' has no column '{name}'; {suggest(name, header)}{other}")


def present(kind: str, path: str | None, set: str | None) -> Path:
    """Return the table. Raises ValueError if it does not exist, or its set is not on this machine."""
    if path is None and set is not None:
        _present(kind, set)
    return find(kind, path, set)


def header(kind: str, path: str | None, set: str | None) -> tuple[Path, list[str]]:
    """Return the table and its column names. Raises ValueError if it cannot be read, or its set is not here."""
    file = present(kind, path, set)
    return file, spreadsheet.read(file)[0]


def listing(kind: str, path: str | None, set: str | None) -> str:
    """Digest the table; for a set its catalogue entry, which a download does not change."""
    if path is None and set is not None:
        name, file = _present(kind, set)
        return hashlib.sha256(json.dumps(catalog.entry(name)["files"][file], sort_keys=True).encode()).hexdigest()
    return file_search.digest([find(kind, path, set)])


def name_of(value, file: Path, number: int) -> str:
    """Return the name of the item in row `number`: its cell, else the name of the file with the number."""
    text = "" if value is None else str(value).strip()
    return file_search.printable(text) if text else f"{file_search.stem(file)}/{number}"
