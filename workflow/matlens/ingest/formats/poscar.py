"""POSCAR, CONTCAR and XDATCAR of VASP 5 and later, one structure or many, and POSCAR of VASP 4 that names its elements.

Elements of VASP 4 stand on the first line, or behind the coordinates. `#` and `!` begin comments.
"""

import bisect
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.ingest.formats.common import NUMBER, Record, Source, build, decoded, fractional
from matlens.job.batch import BadItem

EXPONENT = str.maketrans("Dd", "Ee")
FRAME = re.compile(r"\s*((direct|cartesian)\s+configuration\s*=?|konfig\s*=)", re.I)
COMMENT = re.compile(r"\s*[#!]")
MODE = re.compile(r"\s*[sScCkKdD]")
FLAGS = {"T", "F", "t", "f", ".TRUE.", ".FALSE."}  # of selective dynamics
VIRTUAL = re.compile(r"[A-Z][a-z]?\d*\.\d")  # H.75: a part of an atom, which saturates a surface
_NUMBER = r"\s*(?:[-+]?[\d.]+(?:[eEdD][-+]?\d+)?|[-+]?(?:nan|NaN|NAN|inf|Infinity)|\*+)"
VECTOR = re.compile(rf"{_NUMBER}\s{_NUMBER}\s{_NUMBER}(\s.*)?$")
SCALE = re.compile(rf"({_NUMBER}|{_NUMBER}\s{_NUMBER}\s{_NUMBER})\s*([#!A-Za-z(].*)?$")
NUMERAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?$")


class Frame(NamedTuple):
    """Place of one structure in a file: the first line of its header, the line of its mode, its atoms."""

    header: int
    mode: int
    atoms: int
    names: list[str]


@lru_cache(maxsize=2)
def _lines(source: Source) -> list[str]:
    return uncommented(decoded(source.read(0, source.size)).splitlines())


def uncommented(lines: list[str]) -> list[str]:
    """Leave out lines that are comments alone (# or !), but the titles of structures."""
    plain = [at for at, line in enumerate(lines) if not COMMENT.match(line)]
    if len(plain) == len(lines):
        return lines
    found = []
    for at, line in enumerate(lines):
        if at and COMMENT.match(line):
            after = bisect.bisect(plain, at)
            if not _is_header(["", *(lines[one] for one in plain[after : after + 8])], 0):
                continue
        found.append(line)
    return found


def records(source: Source) -> Iterator[Record]:
    """List the structures of the file, one or the frames of a trajectory."""
    for row, _ in enumerate(_frames(source)):
        yield Record(0, source.size, row)


@lru_cache(maxsize=2)
def _frames(source: Source) -> list[Frame]:
    return frames_of(_lines(source))


def frames_of(lines: list[str]) -> list[Frame]:
    """Find the structures of a text; ignore velocities and all other lines after the atoms.

    A frame of XDATCAR begins with "Direct configuration=", or with a blank line if its mode is blank; one of a file of
    several POSCAR with a header of its own.
    """
    try:
        found = [_header(lines, 0)]
    except BadItem:
        raise
    except (ValueError, IndexError) as error:
        why = "it ends too early for them" if isinstance(error, IndexError) else error
        raise BadItem(
            f"the elements and counts of its POSCAR, lines 6 and 7, cannot be read ({why}); it may be truncated"
        ) from error
    at = found[0].mode + 1 + found[0].atoms
    if at < len(lines) and _is_place(lines[at]) and found[0].atoms and not _is_header(lines, at):
        raise BadItem(f"it counts {found[0].atoms} atoms, and more positions follow; correct the counts on line 7")
    old = not lines[found[0].mode].strip()
    while at < len(lines):
        last = found[-1]
        if FRAME.match(lines[at]) or (old and _is_next(lines[at : at + 1 + last.atoms], last.atoms)):
            found.append(last._replace(mode=at))
        elif _is_header(lines, at):
            found.append(_header(lines, at))
        else:
            at += 1
            continue
        at = found[-1].mode + 1 + found[-1].atoms
    return found


def _is_place(line: str) -> bool:
    """Check whether a line begins with three numbers."""
    words = _bare(line)
    return len(words) > 2 and all(map(NUMERAL.match, words[:3]))


def _is_next(lines: list[str], atoms: int) -> bool:
    """Check whether lines are a blank one and the positions of a frame of an old XDATCAR."""
    return len(lines) == 1 + atoms and not lines[0].strip() and all(map(_is_place, lines[1:]))


def _bare(line: str) -> list[str]:
    """Cut a line into words, without its comment."""
    return re.split(r"[#!]", line, maxsplit=1)[0].split()


def _is_header(lines: list[str], at: int) -> bool:
    """Check whether another POSCAR begins on a line: scale, cell, elements, counts and mode follow it."""
    words = [_bare(line) for line in lines[at + 1 : at + 9]]
    if len(words) < 7 or len(words[0]) not in (1, 3) or not all(map(NUMERAL.match, words[0])):
        return False
    if any(len(row) < 3 or not all(map(NUMERAL.match, row[:3])) for row in words[1:4]):
        return False
    counts = words[4] if words[4] and all(word.isdigit() for word in words[4]) else words[5]
    mode = lines[at + 6 if counts is words[4] else at + 7]
    return bool(counts) and all(word.isdigit() for word in counts) and bool(MODE.match(mode))


def _symbol(word: str) -> str:
    """Cut the suffix that VASP writes after a symbol: "Fe_pv", "Fe/3f4a..."."""
    return word.split("_")[0].split("/")[0]


def _header(lines: list[str], start: int) -> Frame:
    """Read the elements and their counts, and find the line of the mode."""
    words = _bare(lines[start + 5])
    if words and all(word.isdigit() for word in words):
        counts, at = [int(word) for word in words], start + 6
        names = [_symbol(word) for word in _bare(lines[start])]
        if len(names) != len(words) or not all(name in NUMBER for name in names):
            names = _beside(lines[at:], counts)
    else:
        counts, at = [int(word) for word in _bare(lines[start + 6])], start + 7
        names = [_symbol(word) for word in words]
    if len(names) != len(counts):
        raise BadItem(f"it names {len(names)} elements and counts {len(counts)}; correct lines 6 and 7")
    if part := next(filter(VIRTUAL.match, names), None):
        raise BadItem(f"its element {part!r} is a part of an atom; only whole atoms can be used")
    if lines[at].strip()[:1] in ("S", "s"):
        at += 1
    if _is_place(lines[at]):
        raise BadItem(
            "its positions begin where Direct or Cartesian has to stand; write one of them before the positions"
        )
    every = [name for name, count in zip(names, counts, strict=True) for _ in range(min(count, 1 << 20))]
    return Frame(start, at, sum(counts), every)


def _beside(lines: list[str], counts: list[int]) -> list[str]:
    """Find the elements of a VASP 4 file behind the coordinates of the first atom of each kind."""
    start = 2 if lines[0].strip()[:1] in ("S", "s") else 1
    firsts = [lines[start + sum(counts[:kind])].replace("!", " ").split() for kind in range(len(counts))]
    names = [_symbol(words[-1]) if len(words) > 3 and words[-1] not in FLAGS else "" for words in firsts]
    if not all(name in NUMBER for name in names):
        raise BadItem("it does not name its elements (VASP 4); write their symbols on line 6")
    return names


def _numbers(words: list[str]) -> list[float]:
    """Read numbers, with a D for the exponent where Fortran wrote them."""
    return [float(word.translate(EXPONENT)) for word in words]


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one structure of the file."""
    return _made(_lines(source), _frames(source)[record.row], disorder, max_atoms)


def from_text(text: str, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of the text of one POSCAR. Raises BadItem if it holds several structures."""
    lines = uncommented(text.splitlines())
    found = frames_of(lines)
    if len(found) > 1:
        raise BadItem(f"its text holds {len(found)} structures; give each a row of its own")
    return _made(lines, found[0], disorder, max_atoms)


def is_one(lines: list[str]) -> bool:
    """Check whether lines are those of a POSCAR: a title, a scale, three vectors."""
    lines = lines[:1] + [line for line in lines[1:] if not COMMENT.match(line)]
    return len(lines) > 5 and bool(SCALE.match(lines[1])) and all(map(VECTOR.match, lines[2:5]))


def _made(lines: list[str], frame: Frame, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of a frame: scaled cell, counts, direct or Cartesian coordinates."""
    total, start = frame.atoms, frame.header
    if total > max_atoms:
        raise BadItem(f"it has {total} atoms; {max_atoms} are allowed (max_atoms)")
    try:
        words = _bare(lines[start + 1])[:3]
        scale = np.array(_numbers(words if all(map(NUMERAL.match, words)) else words[:1]))
        cell = np.array([_numbers(_bare(line)[:3]) for line in lines[start + 2 : start + 5]])
        rows = [_numbers(_bare(line)[:3]) for line in lines[frame.mode + 1 : frame.mode + 1 + total]]
    except (ValueError, IndexError) as error:
        raise BadItem(f"the POSCAR cannot be read ({error}); it may be truncated or wrong") from error
    if (there := sum(len(row) == 3 for row in rows)) != total:
        raise BadItem(f"the POSCAR announces {total} atoms and lists {there}; it may be truncated")
    if cell.shape != (3, 3):
        raise BadItem("the POSCAR cannot be read (a cell vector has less than three numbers)")
    if len(scale) == 3 and not (scale > 0).all():
        raise BadItem("its three scales are not all above 0; correct line 2")
    if len(scale) == 1 and scale[0] < 0:
        scale = np.cbrt(-scale / abs(np.linalg.det(cell))) if np.linalg.det(cell) else np.ones(1)
    cell = cell * scale
    _check_labels(lines[frame.mode + 1 : frame.mode + 1 + total], frame.names)
    frac = np.array(rows).reshape(-1, 3)
    if lines[frame.mode].strip()[:1] in ("C", "c", "K", "k"):
        frac = fractional(cell, frac * scale)
    return build(cell, frame.names, frac, disorder)


def _check_labels(lines: list[str], names: list[str]) -> None:
    """Refuse elements behind the positions, all of them known, that are not those of the header."""
    words = [[word for word in line.replace("!", " ").split()[3:] if word not in FLAGS] for line in lines]
    labels = [re.match(r"[A-Za-z]*", row[0])[0] if row else "" for row in words]
    if not labels or not all(label in NUMBER for label in labels):
        return
    wrong = [
        at for at, (label, name) in enumerate(zip(labels, names, strict=True)) if NUMBER[label] != NUMBER.get(name)
    ]
    if wrong:
        at = wrong[0]
        raise BadItem(
            f"its atom {at + 1} is {names[at]} by lines 6 and 7, and {labels[at]} behind its position; correct one"
        )
