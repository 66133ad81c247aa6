"""Crystal file formats, detected by content.

A format is a module with two functions. `records(source)` lists what the file holds, cheaply, as Records: where each
one starts and how long it is, its name, the scalars beside it. `decode(source, record, disorder, max_atoms, notes)`
makes a Crystal of one of them, adds to the list `notes` what it had to assume, or raises BadItem. A file that is no
such thing at all raises BadItem in either.
"""

import csv
import io
import json
import re

from matlens.ingest.formats import foreign, poscar
from matlens.ingest.formats.common import Source, printed_columns
from matlens.job.batch import BadItem
from matlens.store import text_files

FORMATS = ("cif", "poscar", "extxyz", "json", "jsonl", "csv", "ase_db")
HEAD_BYTES = 1 << 16
KNOWN = "CIF, POSCAR, extended XYZ, JSON (pymatgen, OPTIMADE), JSON lines, CSV with a column cif or file, ASE .db"


def sniff(source: Source) -> str:
    """Detect the format of a file from its first bytes. Raises BadItem if it is not a crystal format."""
    head = source.read(0, HEAD_BYTES)
    if not head.strip():
        raise BadItem("the file is empty; copy it again")
    if head.startswith(b"SQLite format 3\0"):
        return "ase_db"
    if head.startswith(b"PK\x03\x04") and b"xl/" in head:
        raise BadItem("it is an Excel sheet that names no file of structures; save it as CSV with a column cif or file")
    if head.startswith((b"PK\x03\x04", b"\x1f\x9d", b"7z\xbc\xaf", b"Rar!")) or head[257:262] == b"ustar":
        raise BadItem("it is an archive; unpack it and name the files in it")
    if b"\0" in head:
        kind = foreign.named(head[:4000].decode("utf-8", "replace"))
        advice = "which is not read; save it as JSON lines, CSV or CIF" if kind else f"and is none of {KNOWN}"
        raise BadItem(f"it is {kind or 'a file of binary data'}, {advice}")
    whole = head.decode("utf-8", "replace").removeprefix("\ufeff")
    text = whole.lstrip()
    lines = text.splitlines()
    if text.startswith(text_files.LFS):
        raise BadItem(f"it is {text_files.NOT_FETCHED}")
    if poscar.is_one(whole.splitlines()):  # before all others: its first line, which may be blank, is any text
        return "poscar"
    if kind := foreign.named(text):
        raise BadItem(f"it is {kind}, which is not read; convert it to CIF or POSCAR, for example by ase convert")
    if re.match(r"<(!doctype|html|head|body|\?xml|!--)", text, re.I):
        raise BadItem("it is a web page (HTML or XML), not a structure: a failed download; fetch it again")
    if text[0] in "{[":
        return "jsonl" if _is_lines(source, lines[0]) else "json"
    if _is_sheet(text):
        return "csv"
    if re.search(r"^\s*data_\S*", text, re.I | re.M):
        return "cif"
    if re.fullmatch(r"\s*\d+\s*", lines[0]):
        return "extxyz"
    if poscar.is_one(re.sub(r"(?<=\d),(?=\d)", ".", whole).splitlines()):
        raise BadItem("it is a POSCAR with decimal commas; write decimals with a point")
    header = re.split(r"[,;\t]", lines[0].lower())
    if {name.strip(' "') for name in header} & {"composition", "formula"}:
        raise BadItem("it is a table of compositions without structures; read it by ingest.compositions")
    raise BadItem(f"it begins with {lines[0][:40]!r}, and is none of {KNOWN}")


def _is_lines(source: Source, first: str) -> bool:
    """Tell JSON lines from one JSON document: the first of several lines is an object of its own."""
    line = source.line(0)
    try:
        value = json.loads(line)
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    return bool(source.read(len(line), HEAD_BYTES).strip())


def _is_sheet(text: str) -> bool:
    """Check whether a text is a table with a column of structures, by its header and its first row."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=text_files.delimiter_of(text.split("\n", 1)[0]))
    header = next(rows, [])
    return len(header) > 1 and bool(printed_columns(header, next(rows, [])))
