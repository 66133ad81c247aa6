"""Files of molecules that a table of reactions refers to, and the charges of these molecules."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from matlens.ingest import spreadsheet
from matlens.job.batch import BadItem
from matlens.molecule import bonds, records
from matlens.store import io, text_files

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?|\d+[+-]")
SIGNED = re.compile(r"(\d+)([+-])")  # as in 2+
CHARGE = re.compile(r"((pubchem_)?(total|net|formal|molecular)[ _]?)?charge([ _]?\(?e\)?)?")  # field, or column
NAMES = ("id", "item", "name", "title", "molecule")  # columns of a table of charges


class Molecules(NamedTuple):
    """Records of a file, their numbers by name, and the stated charge of each as text ("": none)."""

    records: list[records.Record]
    numbers: dict[str, int]
    charges: list[str]

    def molecule(self, reference: str, name: str):
        """Parse the record with a name, else with a number from 0. Raises BadItem if there is none, or it is none."""
        number = self._number(reference, name)
        made = records.molecule(self.records[number], name)
        if self.charges[number]:
            bonds.state_charge(made, _whole(self.charges[number], f"the charge of its {name} {reference!r}"))
        return made

    def _number(self, reference: str, name: str) -> int:
        if reference in self.numbers:
            return self.numbers[reference]
        if several := sum(record.name == reference for record in self.records):
            raise BadItem(f"its {name} {reference!r} is the name of {several} molecules of the file; rename them")
        number = _whole(reference, f"no molecule of the file is called like its {name}; as a number, {reference!r}")
        if not 0 <= number < len(self.records):
            last = len(self.records) - 1
            raise BadItem(f"its {name} is number {number}, and the file has the molecules 0 to {last}; correct it")
        return number


def _whole(text: str, what: str) -> int:
    plain = SIGNED.sub(r"\2\1", text.strip().replace("\N{MINUS SIGN}", "-"))
    try:
        value = float(plain)
    except ValueError:
        value = 0.5
    if not value.is_integer():
        raise BadItem(f"{what} is {text[: bonds.SHORT]!r}, not a whole number; write it like 1")
    return int(value)


@lru_cache(maxsize=4)
def read(structures: str, charges: str | None) -> Molecules:
    """Read a file of molecules, and their charges: a file, else the data field `charge` of each record.

    Raises ValueError if a file cannot be used, or if charges are not as many as molecules.
    """
    found = records.read(structures)
    names = [record.name for record in found]
    numbers = {name: number for number, name in enumerate(names) if name and names.count(name) == 1}
    stated = [_field(record) for record in found] if charges is None else _charges(charges, names, numbers)
    if len(stated) != len(found):
        raise ValueError(
            f"charges: '{charges}' has {len(stated)} charges, and '{structures}' {len(found)} molecules; "
            "give one for each, in the same order"
        )
    return Molecules(found, numbers, stated)


def _field(record: records.Record) -> str:
    return record.fields.get(_named(record.fields), "")


def _named(header: Iterable[str]) -> str | None:
    """Return the field or column of charges: `charge`, else the first with a longer name, such as "Total charge"."""
    known = [name for name in header if CHARGE.fullmatch(name.lower())]
    return min(known, key=lambda name: name.lower() != "charge", default=None)


def _charges(path: str | Path, names: list[str], numbers: dict[str, int]) -> list[str]:
    """Read charges: a number a line, or a table with the column `charge`.

    names: of the molecules; a table that names them may have another order. numbers: of those with a name of their own.
    """
    data = io.read_packed(path)
    lines = [line.strip() for line in data.decode(text_files.encoding(data), "replace").splitlines() if line.strip()]
    if all(NUMBER.fullmatch(line.replace("\N{MINUS SIGN}", "-")) for line in lines):
        return lines
    header, rows = spreadsheet.read(path)
    if (column := _named(header)) is None:
        raise ValueError(f"charges: '{path}' has no column 'charge'; rename one, or give a number a line")
    found = ["" if row[column] is None else str(row[column]).strip() for row in rows]
    for name in (name for name in header if name.lower() in NAMES):
        given = ["" if row[name] is None else str(row[name]).strip() for row in rows]
        if given != names and set(given) & numbers.keys():
            return _in_order(path, dict(zip(given, found, strict=True)), numbers, given)
    return found


def _in_order(path, charges: dict[str, str], numbers: dict[str, int], given: list[str]) -> list[str]:
    """Order charges, which have the names of molecules, as the molecules of the file."""
    wrong = [name for name in given if name not in numbers or given.count(name) > 1]
    lost = [name for name in numbers if name not in charges]
    if wrong or lost:
        what = f"names '{wrong[0]}', which is no single molecule of the file" if wrong else f"has no row of '{lost[0]}'"
        raise ValueError(f"charges: '{path}' {what}; name each molecule once, as the file does")
    return [charges[name] for name in sorted(numbers, key=numbers.get)]
