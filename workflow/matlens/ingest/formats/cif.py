"""CIF files: every block with atoms is a structure. Parsed by pymatgen; see `symmetry` for the space group."""

import math
import re
import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.ingest.formats import symmetry
from matlens.ingest.formats.common import Record, Source, build, matrix
from matlens.job.batch import BadItem

SAME_SITE = 2e-3  # fractional: images of an atom at 0.333 are one, as those at 1/3 are
OVERLAP_A = 0.5  # angstrom; with the wrong one of two origins atoms come nearer than this
GROUPS = re.compile(r"OH|O-H|[Ww]at|NO3")  # words for groups of atoms, of which pymatgen would take one or none
BLOCK = re.compile(rb"\s*data_(\S*)", re.I)


def records(source: Source) -> Iterator[Record]:
    """List the blocks that have atoms; one is named by the file alone, those of one name also by their number."""
    starts, quoted, atoms = [], False, []
    for offset, line in source.lines():
        if line.startswith(b";"):
            quoted = not quoted  # a text field, in which "data_" is only a word
        elif not quoted and (found := BLOCK.match(line)):
            starts.append((offset, found[1].decode("utf-8", "replace")))
            atoms.append(False)
        elif atoms and not quoted and b"_atom_site" in line.lower():
            atoms[-1] = True
    if not starts:
        raise BadItem("its CIF has no data_ block; it may be truncated")
    if not any(atoms):
        raise BadItem("its CIF has no atom sites (_atom_site_...); it may be truncated")
    ends = [offset for offset, _ in starts[1:]] + [source.size]
    blocks = [(*start, end) for start, end, kept in zip(starts, ends, atoms, strict=True) if kept]
    count = Counter(name for _, name, _ in blocks)
    for row, (offset, name, end) in enumerate(blocks):
        unique = name if name and count[name] == 1 else f"{name}-{row}" if name else str(row)
        yield Record(offset, end - offset, row, unique if len(blocks) > 1 else None)


def decode(source: Source, record: Record, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of one block, in the cell of the file."""
    return from_text(source.text(record), disorder, max_atoms)


def _without_words(text: str) -> str:
    """Disarm "data_" at the start of a line in text fields, where pymatgen would begin another block."""
    lines, quoted = text.splitlines(), False
    for number, line in enumerate(lines):
        if line.startswith(";"):
            quoted = not quoted
        elif quoted and line.lstrip().lower().startswith("data_"):
            lines[number] = f". {line}"
    return "\n".join(lines) + "\n"


def from_text(text: str, disorder: str, max_atoms: int) -> Crystal:
    """Make a crystal of the text of one block.

    BadItem where pymatgen cannot read it, where its symmetry is unknown or does not fit its cell, and where the atoms
    do not add up to the formula that the file states.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            structure, complaint = _of_origins(_symmetries(_without_words(text), max_atoms))
        except BadItem:
            raise
        except Exception as error:
            why = _told(str(error))
            raise BadItem(f"the CIF cannot be read ({why[:200]}); it may be truncated or wrong") from error
    crystal = build(
        structure.lattice.matrix,
        [{kind.symbol: share for kind, share in site.species.items()} for site in structure],
        structure.frac_coords,
        disorder,
    )
    if complaint:
        raise BadItem(f"its atoms are not those of the formula it states ({complaint[:160]}); it may be truncated")
    return crystal


def _told(error: str) -> str:
    """Say in our words what pymatgen says often."""
    crowded = re.search(r"Occupancy ([\d.]+) exceeded tolerance", error)
    if crowded:
        return f"atoms on one site have an occupancy of {crowded[1]} together: they overlap"
    return error.replace("Invalid CIF file with no structures!", "no structure could be built").replace("\n", " ")


def _parsed(text: str):
    from pymatgen.io.cif import CifParser

    return CifParser.from_str(text, check_cif=False, occupancy_tolerance=1.01, site_tolerance=SAME_SITE)


def _symmetries(text: str, max_atoms: int) -> list[tuple[str, object]]:
    """Parse a block once for every symmetry that it may have: what that is called, and the parser."""
    from pymatgen.io.cif import str2float

    parser = _parsed(text)
    block = next(iter(parser.as_dict().values()), {})
    _check_atoms(block, max_atoms)
    sizes = [str2float(block[f"_cell_{name}"]) for name in CELL]
    cell = matrix(*sizes) if math.prod(sizes[:3]) else np.zeros((3, 3))
    if given := symmetry.listed(block):
        symmetry.check(given, cell)
        return [("", parser)]
    found = symmetry.candidates(block, cell)
    lines = ["\nloop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{xyz}'\n" for xyz in xyzs) for _, xyzs in found]
    made = [(said, _parsed(text + more)) for (said, _), more in zip(found, lines, strict=True)] or [("", parser)]
    for _, one in made:
        _check_atoms(next(iter(one.as_dict().values())), max_atoms)
    return made


def _of_origins(parsers: list[tuple[str, object]]) -> tuple:
    """Build the structure, and say what is wrong with its formula; of two origins, with the one that makes sense.

    That is the one with which no atoms overlap and the formula, where it is stated, is met.
    """
    if len(parsers) == 1:
        return _built(parsers[0][1])
    good = []
    for _, parser in parsers:
        try:
            structure, complaint = _built(parser)
        except ValueError:  # an occupancy above 1
            continue
        if not complaint and not _overlap(structure):
            good.append(structure)
    if len(good) != 1:
        names = " or ".join(repr(said) for said, _ in parsers)
        raise BadItem(f"its space group has two origins, and it does not say which: write {names}, or the operations")
    return good[0], None


def _built(parser) -> tuple:
    (structure,) = parser.parse_structures(primitive=False, on_error="raise")
    complaint = parser.check(structure)
    return structure, complaint if complaint and complaint.startswith(("Missing", "Incorrect")) else None


def _overlap(structure) -> bool:
    from matlens.crystal.kernels import closest

    return closest(np.array(structure.lattice.matrix), np.array(structure.frac_coords), OVERLAP_A)[1] >= 0


CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


def _check_atoms(block: dict, max_atoms: int) -> None:
    """Refuse a block that lists too many atoms, before symmetry is worked out, or some without positions.

    An occupancy that is not known counts as 1, as one that is not given.
    """
    places = [block.get(f"_atom_site_fract_{axis}") for axis in "xyz"]
    if not all(isinstance(place, list) for place in places):
        raise BadItem("it has no fractional coordinates (_atom_site_fract_x, y and z) in a loop; give them")
    if len(places[0]) > max_atoms:
        raise BadItem(f"it has {len(places[0])} atoms or more; {max_atoms} are allowed (max_atoms)")
    lost = sum(any(value in ("?", ".") for value in place) for place in zip(*places, strict=True))
    if lost:
        raise BadItem(
            f"{lost} of its {len(places[0])} atoms have no positions ('?' or '.'); give them or take them out"
        )
    words = block.get("_atom_site_type_symbol") or block.get("_atom_site_label") or []
    if group := next((word for word in words if GROUPS.match(word)), None):
        raise BadItem(f"its site {group!r} is a group of atoms; give the element and the position of each")
    shares = block.get("_atom_site_occupancy")
    if isinstance(shares, list):
        shares[:] = ["1" if share in ("?", ".") else share for share in shares]
