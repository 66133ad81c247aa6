"""Data bases that ASE writes (SQLite), read without ASE: its table `systems` holds arrays as bytes."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.structures import Crystal
from matlens.ingest.formats.common import Record, Source, build, fractional, name_of, scalars_of
from matlens.job.batch import BadItem

MOST_BYTES = 1 << 28  # of one value


def _connect(source: Source) -> sqlite3.Connection:
    """Open a database whose systems are a table; a view is refused, since it may never end."""
    base = sqlite3.connect(f"{Path(source.path).absolute().as_uri()}?mode=ro", uri=True)
    base.execute("PRAGMA trusted_schema = OFF")
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    if base.execute("SELECT type FROM sqlite_master WHERE name = 'systems'").fetchone() != ("table",):
        base.close()
        raise BadItem("the data base has no table 'systems'; it is not ASE's")
    return base


def records(source: Source) -> Iterator[Record]:
    """List the rows with their key-value pairs and their energy; they are named by an id among those, or by number."""
    try:
        with closing(_connect(source)) as base:
            rows = base.execute("SELECT id, key_value_pairs, energy FROM systems ORDER BY id").fetchall()
    except sqlite3.DatabaseError as error:
        raise BadItem(f"the data base cannot be read ({error}); it is not ASE's, or broken") from error
    for number, pairs, energy in rows:
        values = json.loads(pairs or "{}")
        beside = scalars_of(values) | ({} if energy is None else {"energy": energy})
        yield Record(0, 0, number, name_of(values), beside)


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one row."""
    query = "SELECT numbers, positions, cell, pbc FROM systems WHERE id = ?"
    try:
        with closing(_connect(source)) as base:
            numbers, positions, cell, periodic = base.execute(query, (record.row,)).fetchone()
    except (sqlite3.DatabaseError, TypeError) as error:
        raise BadItem(f"row {record.row} of the data base cannot be read ({error})") from error
    if periodic != 7:
        raise BadItem("it is not periodic along all axes; only crystals can be used")
    numbers = np.frombuffer(numbers, "<i4")
    if len(numbers) > max_atoms:
        raise BadItem(f"it has {len(numbers)} atoms; {max_atoms} are allowed (max_atoms)")
    if len(numbers) and not (numbers.min() >= 1 and numbers.max() <= len(SYMBOLS)):
        raise BadItem(f"unknown element number {numbers.min() if numbers.min() < 1 else numbers.max()}")
    cell = np.frombuffer(cell, "<f8").reshape(3, 3)
    frac = fractional(cell, np.frombuffer(positions, "<f8").reshape(-1, 3))
    return build(cell, [SYMBOLS[number - 1] for number in numbers], frac, disorder)
