"""Extended XYZ: frames of a count, a line of key=value pairs with the Lattice, and a line per atom."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.structures import Crystal
from matlens.ingest.formats.common import Record, Source, build, decoded, fractional, name_of, scalars_of
from matlens.job.batch import BadItem

PAIR = re.compile(r"""([^\s=]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|\{[^}]*\}|\[(?:[^\[\]]|\[[^\]]*\])*\]|\S+)""")
LAYOUT = "species:S:1:pos:R:3"
NUMBERS = ("z", "numbers", "atomic_numbers")
KINDS = ("species", "element", *NUMBERS)  # columns that hold symbols or atomic numbers
UNITS = ("unit", "units", "length_unit", "length_units")  # keys that may name the unit of lengths
OTHER = re.compile(r"bohr|a\.?u\.?$|atomic|nm$|nano|pm$|pico", re.I)  # than angstrom
TRUE, FALSE = ("T", "TRUE", "1"), ("F", "FALSE", "0")


def _comment(line: str) -> dict[str, str]:
    return {key: value.strip("\"'{}[]") for key, value in PAIR.findall(line)}


def _value(text: str):
    try:
        return float(text)
    except ValueError:
        return {"T": True, "F": False}.get(text, text)


def records(source: Source) -> Iterator[Record]:
    """List the frames without reading their atoms."""
    lines, row, found = source.lines(), 0, []
    for offset, line in lines:
        if not line.strip():
            continue
        if not line.strip().isdigit():
            found.append(Record(offset, 0, row, None, {}, f"frame {row + 1} does not begin with a number of atoms"))
            break
        _, comment = next(lines, (0, b""))
        end, atoms = offset + len(line) + len(comment), 0
        for _ in range(int(line)):
            _, atom = next(lines, (0, b""))
            end, atoms = end + len(atom), atoms + bool(atom.strip())
        values = {key: _value(text) for key, text in _comment(comment.decode("utf-8", "replace")).items()}
        beside = {key: value for key, value in values.items() if key.lower() not in ("lattice", "properties", "pbc")}
        reason = None if atoms == int(line) else f"it announces {int(line)} atoms and lists {atoms}: truncated"
        found.append(Record(offset, end - offset, row, name_of(beside), scalars_of(beside), reason))
        row += 1
    count = Counter(one.name for one in found)
    for one in found:  # frames of one name are those of a trajectory
        yield one._replace(name=f"{one.name}/{one.row}") if one.name and count[one.name] > 1 else one


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one frame; it needs a Lattice, along all of which it is periodic (pbc="T T T", or not said)."""
    count, comment, *rows = decoded(source.read(record.offset, record.length)).splitlines()
    if int(count) > max_atoms:
        raise BadItem(f"it has {int(count)} atoms; {max_atoms} are allowed (max_atoms)")
    values = {key.lower(): text for key, text in _comment(comment).items()}
    if "lattice" not in values:
        raise BadItem("it has no Lattice: a molecule, not a crystal; give Lattice= and pbc= on its second line")
    unit = next((values[key] for key in UNITS if key in values), "")
    if OTHER.match(unit):
        raise BadItem(f"its lengths are in {unit[:20]!r}; convert them to angstrom")
    periodic = re.sub(r"[,\s]+", " ", values.get("pbc", "T T T")).upper().split()
    if not all(word in TRUE for word in periodic):
        raise BadItem(f'it is not periodic along all axes (pbc="{" ".join(periodic)}"); only crystals can be used')
    try:
        cell = _cell(values["lattice"])
        kinds, positions, numbered = _columns(values.get("properties", LAYOUT))
        words = [row.split() for row in rows]
        frac = fractional(cell, np.array([row[positions : positions + 3] for row in words], float).reshape(-1, 3))
        symbols = [row[kinds] for row in words]
        if not numbered and any(word.isdigit() for word in symbols):
            raise BadItem(
                "its species are numbers, of types or of elements; give symbols, or a column Z of atomic numbers"
            )
        return build(cell, [_symbol(int(word)) if word.isdigit() else word for word in symbols], frac, disorder)
    except BadItem:
        raise
    except (ValueError, IndexError) as error:
        raise BadItem(f"the extended XYZ cannot be read ({error}); it may be truncated or wrong") from error


def _cell(text: str) -> np.ndarray:
    """Read a Lattice: (3, 3), rows in angstrom."""
    words = re.sub(r"[\[\]{},]", " ", text).split()
    if len(words) != 9:
        raise BadItem(f"its Lattice has {len(words)} numbers; give nine, the three cell vectors one after the other")
    return np.array(words, float).reshape(3, 3)


def _columns(layout: str) -> tuple[int, int, bool]:
    """Find the first columns of species and positions in a Properties entry, and whether species are numbers."""
    parts, at, first = layout.split(":"), 0, {}
    for name, _, width in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        first[name.lower()] = at
        at += int(width)
    kinds = next((name for name in KINDS if name in first), None)
    if "pos" not in first or kinds is None:
        raise BadItem(f"its Properties ({layout[:60]}) have no species or no pos; add them")
    return first[kinds], first["pos"], kinds in NUMBERS


def _symbol(number: int) -> str:
    """Return the symbol of an atomic number."""
    if not 1 <= number <= len(SYMBOLS):
        raise BadItem(f"unknown element number {number}; give atomic numbers or symbols")
    return SYMBOLS[number - 1]
