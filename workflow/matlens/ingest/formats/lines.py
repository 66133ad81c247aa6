"""JSON lines: one object per line, each a structure with the scalars beside it."""

import json
from collections.abc import Iterator, Mapping

from matlens.crystal.structures import Crystal
from matlens.ingest.formats import document
from matlens.ingest.formats.common import Record, Source, name_of
from matlens.job.batch import BadItem


def records(source: Source) -> Iterator[Record]:
    """List the lines; one that is not a JSON object is listed with the reason."""
    row = 0
    for offset, line in source.lines():
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if not isinstance(entry, Mapping):
                raise ValueError("not an object")
        except ValueError as error:  # a truncated last line, or one that is not UTF-8
            reason = f"line {row + 1} is not a JSON object ({error}); it may be truncated"
            yield Record(offset, len(line), row, None, {}, reason)
        else:
            yield Record(offset, len(line), row, name_of(entry), document.beside(entry))
        row += 1


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one line."""
    try:
        entry = json.loads(source.read(record.offset, record.length))
    except ValueError as error:
        raise BadItem(f"its line is not valid JSON ({error})") from error
    return document.from_entry(entry, disorder, max_atoms, notes)
