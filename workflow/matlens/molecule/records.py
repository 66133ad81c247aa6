"""Records of files of molecules: SDF (V2000 and V3000), and lists of SMILES."""

import re
from pathlib import Path
from typing import NamedTuple

from matlens.job.batch import BadItem
from matlens.molecule import bonds
from matlens.store import io, text_files

END, VERSION = "$$$$", re.compile(r"V[23]000\s*$")
SUFFIXES = (".sdf", ".sd", ".mol", ".sdf.gz", ".sd.gz", ".mol.gz")
UNPAIRED = 4  # unpaired electrons from which a record in three dimensions without any hydrogen lacks it
FIELD = re.compile(r"^>.*<([^<>]+)>")
HYDROGEN = re.compile(r"^(?:[ ]*-?\d+\.\d+){3} H(?= )|^M  V30 \d+ H ", re.MULTILINE)  # an atom of V2000 or V3000
HEADER = re.compile(r"\"?((canonical[ _]?)?smiles|molecule|smi)\b")
LINE = re.compile(r"([^\s,;]+)(?:\s+(\|[^|]*\|))?(?:[\s,;]+(.*))?")
COUNTS = 3  # line of a record that states its version


class Record(NamedTuple):
    """A molecule of a file: name, text (connection table or SMILES), and its data by field.

    hydrogen: whether some record of the file has hydrogen, so that one without is complete.
    """

    name: str
    text: str
    fields: dict[str, str]
    hydrogen: bool = False


def is_sdf(path: str | Path) -> bool:
    """Check whether the fourth line of a file states V2000 or V3000.

    Raises ValueError if it does not, and the file is called one.
    """
    lines = _lines(path)[: COUNTS + 1]
    found = len(lines) > COUNTS and VERSION.search(lines[COUNTS]) is not None
    if not found and str(path).lower().endswith(SUFFIXES):
        raise ValueError(f"'{path}' is no SDF file: its fourth line states neither V2000 nor V3000; save it again")
    return found


def read(path: str | Path) -> list[Record]:
    """Read the records of a file, packed or not. Raises ValueError if it has none."""
    lines = _lines(path)
    found = _sdf(lines) if is_sdf(path) else [_smiles(line) for line in _lines_of_smiles(lines)]
    if not found:
        raise ValueError(f"'{path}' has no molecules; give an SDF file, or one SMILES a line")
    written = any(HYDROGEN.search(record.text) for record in found)
    return [record._replace(hydrogen=written) for record in found]


def molecule(record: Record, name: str = "molecule"):
    """Parse a record into an rdkit Mol with explicit hydrogen. Raises BadItem if it is no molecule.

    A record in three dimensions has all of its atoms: no hydrogen is added. A file of them none of which has hydrogen
    was saved without it.
    """
    from rdkit import Chem, rdBase

    if "\n" not in record.text:
        return bonds.parsed(record.text, name)
    with rdBase.BlockLogs():
        made = Chem.MolFromMolBlock(record.text, sanitize=False, removeHs=False)
    if made is None:
        raise BadItem(
            f"its {name} {record.name[: bonds.SHORT]!r} is no connection table of V2000 or V3000; save the file again"
        )
    for atom in made.GetAtoms() if made.GetNumConformers() and made.GetConformer().Is3D() else ():
        atom.SetNoImplicit(True)
    found = bonds.completed(made, f"{name} {record.name[: bonds.SHORT]!r}")
    unpaired = sum(atom.GetNumRadicalElectrons() for atom in found.GetAtoms())
    if unpaired > UNPAIRED and not record.hydrogen and all(atom.GetAtomicNum() != 1 for atom in found.GetAtoms()):
        raise BadItem(
            f"its {name} {record.name[: bonds.SHORT]!r} is in three dimensions without hydrogen, so that {unpaired} "
            "electrons are unpaired; save it with hydrogen, or in two dimensions"
        )
    return found


def _lines(path: str | Path) -> list[str]:
    try:
        data = io.read_packed(path)
    except (OSError, EOFError) as error:
        raise ValueError(f"'{path}' cannot be read ({error}); it may be truncated") from error
    try:
        text = data.decode(text_files.encoding(data))
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _lines_of_smiles(lines: list[str]) -> list[str]:
    """Return the lines that have a SMILES: not comments, and not a header, which would be counted as a molecule."""
    found = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return found[1:] if found and HEADER.match(found[0].strip().lower()) else found


def _smiles(line: str) -> Record:
    """Read a SMILES with its extension between bars, and its name behind a blank, a tab, a comma or a semicolon."""
    found = LINE.fullmatch(line.strip())
    text, more, name = found.groups("") if found else (line.strip(), "", "")
    return Record(name.strip(), f"{text} {more}" if more else text, {})


def _sdf(lines: list[str]) -> list[Record]:
    found, begun = [], []
    for line in [*lines, END]:
        if line.rstrip() != END:
            begun.append(line)
        else:
            if any(part.strip() for part in begun):
                found.append(_record(begun))
            begun = []
    return found


def _record(lines: list[str]) -> Record:
    """Divide a record into its connection table and its data fields."""
    ends = [number for number, line in enumerate(lines) if line.startswith("M  END")]
    last, fields, name = ends[0] if ends else len(lines) - 1, {}, None
    if len(ends) > 1:
        raise ValueError(
            f"the record '{lines[0].strip()}' holds {len(ends)} molecules: '{END}' is missing between them"
        )
    for line in lines[last + 1 :]:
        if match := FIELD.match(line):
            name = match[1].strip()
            fields.setdefault(name, "")  # what is given twice is kept twice, and is then no number
        elif name is not None and line.strip():
            fields[name] = f"{fields[name]} {line.strip()}".strip()
        else:
            name = None
    return Record(lines[0].strip(), "\n".join(lines[: last + 1]) + "\n", fields)
