"""POSCAR and CONTCAR of VASP 5 and later; of VASP 4 where the first line, or those of the atoms, name the elements."""

from collections.abc import Iterator

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.ingest.formats.common import NUMBER, Record, Source, build, fractional
from matlens.job.batch import BadItem

EXPONENT = str.maketrans("Dd", "Ee")


def records(source: Source) -> Iterator[Record]:
    """List the one structure of the file."""
    yield Record(0, source.size, 0)


def _symbol(word: str) -> str:
    """Cut what VASP writes behind a symbol: "Fe_pv", "Fe/3f4a..."."""
    return word.split("_")[0].split("/")[0]


def _counts(lines: list[str]) -> tuple[list[str], list[int], int]:
    """Read the elements and their counts, and say on which line the coordinates begin to be announced."""
    words = lines[5].split()
    if words and all(word.isdigit() for word in words):
        counts = [int(word) for word in words]
        names = [_symbol(word) for word in lines[0].split()]
        if len(names) != len(words) or not all(name in NUMBER for name in names):
            names = _beside(lines[6:], counts)
        return names, counts, 6
    return [_symbol(word) for word in words], [int(word) for word in lines[6].split("!")[0].split()], 7


def _beside(lines: list[str], counts: list[int]) -> list[str]:
    """Find the elements of a VASP 4 file behind the coordinates of the first atom of each kind."""
    start = 2 if lines[0].strip()[:1] in ("S", "s") else 1
    firsts = [lines[start + sum(counts[:kind])].split() for kind in range(len(counts))]
    names = [_symbol(words[-1]) if len(words) > 3 else "" for words in firsts]
    if not all(name in NUMBER for name in names):
        raise BadItem("it does not name its elements (VASP 4); write their symbols on line 6")
    return names


def _numbers(words: list[str]) -> list[float]:
    """Read numbers, with a D for the exponent where Fortran wrote them."""
    return [float(word.translate(EXPONENT)) for word in words]


def decode(source: Source, record: Record, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of the file: scaled cell, counts, direct or Cartesian coordinates; the rest is left."""
    lines = source.text(record).splitlines()
    try:
        scale = np.array(_numbers(lines[1].split("!")[0].split()[:3]))
        cell = np.array([_numbers(line.split()[:3]) for line in lines[2:5]])
        names, counts, at = _counts(lines)
        if len(names) != len(counts):
            raise BadItem(f"it names {len(names)} elements and counts {len(counts)}; correct lines 6 and 7")
        total = sum(counts)
        if total > max_atoms:
            raise BadItem(f"it has {total} atoms; {max_atoms} are allowed (max_atoms)")
        if lines[at].strip()[:1] in ("S", "s"):
            at += 1
        mode = lines[at].strip()[:1]
        rows = [_numbers(line.split()[:3]) for line in lines[at + 1 : at + 1 + total]]
    except BadItem:
        raise
    except (ValueError, IndexError) as error:
        raise BadItem(f"the POSCAR cannot be read ({error}); it may be truncated or wrong") from error
    if len(rows) != total or any(len(row) != 3 for row in rows):
        raise BadItem(f"the POSCAR announces {total} atoms and lists {len(rows)}; it may be truncated")
    if cell.shape != (3, 3):
        raise BadItem("the POSCAR cannot be read (a cell vector has less than three numbers)")
    if len(scale) == 1 and scale[0] < 0:
        scale = np.cbrt(-scale / abs(np.linalg.det(cell))) if np.linalg.det(cell) else np.ones(1)
    cell = cell * scale
    frac = np.array(rows).reshape(-1, 3)
    if mode in ("C", "c", "K", "k"):
        frac = fractional(cell, frac * scale)
    return build(cell, [name for name, count in zip(names, counts, strict=True) for _ in range(count)], frac, disorder)
