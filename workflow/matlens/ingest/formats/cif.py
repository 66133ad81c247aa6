"""CIF files: every block with atoms is a structure. Symmetry is worked out by pymatgen."""

import re
import warnings
from collections.abc import Iterator

from matlens.batch import BadItem
from matlens.crystals import Crystal
from matlens.ingest.formats.common import Record, Source, build

BLOCK = re.compile(rb"\s*data_(\S*)", re.I)


def records(source: Source) -> Iterator[Record]:
    """List the blocks that have atoms; a file of one block is named by the file alone."""
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
    for row, (offset, name, end) in enumerate(blocks):
        yield Record(offset, end - offset, row, (name or str(row)) if len(blocks) > 1 else None)


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

    BadItem where pymatgen cannot read it, and where the atoms do not add up to the formula that the file states.
    """
    from pymatgen.io.cif import CifParser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parser = CifParser.from_str(_without_words(text), check_cif=False, occupancy_tolerance=1.01)
            _check_size(parser, max_atoms)
            (structure,) = parser.parse_structures(primitive=False, on_error="raise")
            complaint = parser.check(structure)
        except BadItem:
            raise
        except Exception as error:
            why = str(error).replace("Invalid CIF file with no structures!", "no structure could be built")
            raise BadItem(f"the CIF cannot be read ({why[:200]}); it may be truncated or wrong") from error
    crystal = build(
        structure.lattice.matrix,
        [{kind.symbol: share for kind, share in site.species.items()} for site in structure],
        structure.frac_coords,
        disorder,
    )
    if complaint and complaint.startswith(("Missing", "Incorrect")):
        raise BadItem(f"its atoms are not those of the formula it states ({complaint[:160]}); it may be truncated")
    return crystal


def _check_size(parser, max_atoms: int) -> None:
    """Refuse a block that lists too many atoms before symmetry is worked out."""
    block = next(iter(parser.as_dict().values()), {})
    listed = block.get("_atom_site_fract_x") or block.get("_atom_site_cartn_x") or []
    if isinstance(listed, list) and len(listed) > max_atoms:
        raise BadItem(f"it has {len(listed)} atoms or more; {max_atoms} are allowed (max_atoms)")
