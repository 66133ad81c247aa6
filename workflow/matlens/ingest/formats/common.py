"""Shared parts of crystal formats: open files, records, chemical symbols, the rule for disorder."""

import io
import math
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from matlens.crystal import compositions
from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.store import io as files
from matlens.store import text_files

NUMBER = compositions.NUMBER | {"D": 1, "T": 1}
UNPACKED_BYTES = 1 << 34  # a packed file that grows beyond this is beyond one machine
IN_MEMORY_BYTES = 1 << 28
HEAD_BYTES = 1 << 16
STRUCTURES = ("cif", "structure", "cif_string", "cif_str", "structure_cif", "initial_structure", "final_structure")
STRUCTURES += ("relaxed_structure", "computed_structure_entry", "cse", "relaxed_cse", "structure_dict")
STRUCTURES += ("unrelaxed_structure", "input_structure", "primitive_structure", "conventional_structure", "org")
STRUCTURES += ("poscar", "contcar")
PRINTED = "atoms"  # of JARVIS; in a table only if its cells are objects, since it may be a number of atoms
NAMES = ("id", "item", "material_id", "mpid", "mp_id", "jid", "name", "filename", "entry_id", "auid")
TOLERANCE = 0.01  # in an occupancy
PARTS_OF_STRUCTURES = {"lattice", "sites", "cell", "coords", "lattice_mat", "lattice_vectors", "attributes", "atoms"}
# A share without the sign of a charge (Fe0.5, not Fe2.5+), or another element (Fe2Mn, Fe/Mn, Fe,Mn; not Fe3+,spin=5)
SHARED = re.compile(r"\s*[A-Z][a-z]?(:?\d*\.\d+(?![\d.]*[-+])|\d+[A-Z][a-z]|[-+\d.]*\s*[,/&:]\s*[A-Z])")


class Record(NamedTuple):
    """One structure in a file: its bytes, its number there, its name (None: none), the scalars beside it."""

    offset: int
    length: int
    row: int
    name: str | None = None
    scalars: Mapping = {}
    reason: str | None = None


class Source:
    """A file that is read by parts; a packed one (gzip, bzip2, xz) is unpacked once, and UTF-16 is made UTF-8."""

    def __init__(self, path: str):
        self.path = path
        self._handle = open(path, "rb")  # noqa: SIM115 - lives as long as the source
        packer = files.packer_of(self._handle.peek(8))
        if packer:
            self._handle = _unpacked(self._handle, packer)
        self._handle.seek(0)
        if text_files.encoding(self._handle.read(2)) == "utf-16":
            self._handle = _recoded(self._handle)
        self._handle.seek(0)
        head = self._handle.read(HEAD_BYTES)
        if b"\r" in head and b"\n" not in head and b"\0" not in head:  # lines that end as on old Macs
            self._handle.seek(0)
            self._handle = io.BytesIO(self._handle.read(IN_MEMORY_BYTES).replace(b"\r", b"\n"))
        self.size = self._handle.seek(0, io.SEEK_END)

    def read(self, offset: int, length: int) -> bytes:
        """Read some bytes of the unpacked file."""
        self._handle.seek(offset)
        return self._handle.read(length)

    def line(self, offset: int) -> bytes:
        """Read one line of the unpacked file."""
        self._handle.seek(offset)
        return self._handle.readline()

    def lines(self):
        """Yield (offset, line) from the start; nothing else may be read in between."""
        self._handle.seek(0)
        offset = 0
        for line in self._handle:
            yield offset, line
            offset += len(line)

    def text(self, record: Record) -> str:
        """Read one record as text."""
        return decoded(self.read(record.offset, record.length))


@lru_cache(maxsize=4)
def _kept(path: str, size: int, changed: int) -> Source:
    return Source(path)


def opened(path: str) -> Source:
    """Open a file, or find it open: a shard reads many records of one file."""
    status = os.stat(path)
    return _kept(path, status.st_size, status.st_mtime_ns)


def _unpacked(handle, packer: str):
    """Unpack a file into memory, or onto the disk when it is large."""
    import importlib

    out, total = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES), 0  # noqa: SIM115 - it is what is returned
    stored = os.fstat(handle.fileno()).st_size
    try:
        with importlib.import_module(packer).open(handle) as packed:
            while part := packed.read(1 << 22):
                total += len(part)
                if total > UNPACKED_BYTES:
                    raise BadItem(f"it unpacks to more than {UNPACKED_BYTES >> 30} GiB; split it")
                if total > files.most_unpacked(stored):
                    raise BadItem(f"its {stored} bytes unpack to over {total}: a decompression bomb; save it again")
                out.write(part)
    except (EOFError, OSError, ValueError, ArithmeticError) as error:
        if isinstance(error, (BadItem, FileNotFoundError)) or getattr(error, "errno", None):
            raise
        raise BadItem(f"the packed file is broken ({error}); copy it again") from error
    except Exception as error:
        if type(error).__name__ in ("LZMAError", "error"):  # lzma's and zlib's own
            raise BadItem(f"the packed file is broken ({error}); copy it again") from error
        raise
    return out


def _recoded(handle):
    """Turn UTF-16 with a byte order mark, as Windows writes it, into UTF-8 without one."""
    handle.seek(0)
    try:
        return io.BytesIO(handle.read(IN_MEMORY_BYTES).decode("utf-16").encode())
    except UnicodeDecodeError as error:
        raise BadItem(f"it begins as UTF-16 text and is none ({error.reason}); save it as UTF-8") from error


def decoded(data: bytes) -> str:
    """Decode text as UTF-8, else as Latin-1; symbols and numbers are the same in both."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def column_of(header: Sequence[str]) -> str | None:
    """Find the column of a table that holds the structures."""
    return next(iter(structure_columns(header)), None)


def structure_columns(header: Iterable[str]) -> list[str]:
    """List the columns of a table, or the keys of an object, that may hold structures: the first is the one to read."""
    names = [str(name) for name in header]
    return [name for wanted in STRUCTURES for name in names if name.strip().lower() == wanted]


def printed_columns(header: Iterable[str], first: Iterable[str]) -> list[str]:
    """List the columns of a table of texts that hold structures; `first`: the cells of its first row."""
    header = [str(name) for name in header]
    pairs = zip(header, first, strict=False)
    return structure_columns(header) or [
        name for name, cell in pairs if name.strip().lower() == PRINTED and str(cell).lstrip().startswith("{")
    ]


def note_column(taken: str, others: Sequence[str], notes: list[str] | None) -> None:
    """Note which of several structures of one row was read."""
    if notes is not None:
        notes.append(f"its structure is that of '{taken}', not that of {', '.join(map(repr, others))}")


def name_of(values: Mapping) -> str | None:
    """Find the name of a structure among the values beside it."""
    small = {str(key).strip().lower(): value for key, value in reversed(values.items())}
    for wanted in NAMES:
        found = small.get(wanted)
        if isinstance(found, (str, int)) and not isinstance(found, bool) and str(found).strip():
            return str(found).strip()
    return None


def scalars_of(values: Mapping, inner: bool = True) -> dict:
    """Keep the numbers, words and truth values beside a structure; those of a mapping as bulk_modulus.vrh."""
    found = {}
    for key, value in values.items():
        if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 200):
            found[str(key)] = value
        elif inner and isinstance(value, Mapping) and not _is_part(str(key), value):
            found |= {f"{key}.{name}": one for name, one in scalars_of(value, inner=False).items() if one is not None}
    return found


def _is_part(key: str, value: Mapping) -> bool:
    """Check whether a mapping holds a structure, a part of one or its formula, and no values of its own."""
    names = set(map(str, value))
    whole = PARTS_OF_STRUCTURES & ({key} | names) or any(name.startswith("@") for name in names)
    return bool(whole) or names <= set(NUMBER)


def atomic_number(symbol: str | int) -> int:
    """Return the atomic number of a symbol, whatever charge or label stands behind it ("Fe3+", "Fe_pv").

    Raises BadItem if it is no element, several, or one with a share ("Fe0.5Mn0.5").
    """
    if isinstance(symbol, int):
        return symbol
    if SHARED.match(str(symbol)):
        raise BadItem(f"its site {str(symbol)[:30]!r} is disordered, or shared by several elements; give one element")
    found = re.match(r"\s*\d{0,3}([A-Za-z]{1,2})(?![A-Za-z])", str(symbol))  # 2H: its isotopes are the element
    number = NUMBER.get(found[1].capitalize()) if found else None
    if number is None:
        raise BadItem(f"unknown element {str(symbol)[:20]!r}; give a chemical symbol")
    return number


def matrix(a: float, b: float, c: float, alpha: float, beta: float, gamma: float) -> np.ndarray:
    """Make the cell vectors (rows) of lengths in angstrom and angles in degrees: c along z, a in the xz plane.

    The same setting as pymatgen's Lattice.from_parameters. Raises BadItem if they do not make a cell.
    """
    if min(a, b, c) < 0:
        raise BadItem(f"a length of its cell is negative ({min(a, b, c):g} angstrom); correct the cell")
    _check_angles(alpha, beta, gamma)
    alpha, beta, gamma = (math.radians(angle) for angle in (alpha, beta, gamma))
    sines = math.sin(alpha) * math.sin(beta)
    if not abs(sines) > 1e-9:
        raise BadItem("its cell has zero volume: an angle of 0 or 180 degrees; correct the cell")
    value = (math.cos(alpha) * math.cos(beta) - math.cos(gamma)) / sines
    star = math.acos(max(-1.0, min(1.0, value)))
    return np.array(
        [
            [a * math.sin(beta), 0.0, a * math.cos(beta)],
            [-b * math.sin(alpha) * math.cos(star), b * math.sin(alpha) * math.sin(star), b * math.cos(alpha)],
            [0.0, 0.0, float(c)],
        ]
    )


def _check_angles(*angles: float) -> None:
    """Refuse angles (degrees) that no three vectors have between them."""
    said = f"the angles of its cell ({', '.join(f'{angle:g}' for angle in angles)} degrees)"
    if not all(math.isfinite(angle) for angle in angles):
        raise BadItem(f"{said} are not finite; correct the cell")
    if 0 < max(angles) <= math.pi:
        raise BadItem(f"{said} are those of no cell; they may be in radians: write degrees")
    if min(angles) <= 0 or max(angles) >= 180:
        raise BadItem(f"{said} do not lie between 0 and 180: zero volume, or no cell; correct them")
    if sum(angles) >= 360 or 2 * max(angles) >= sum(angles):
        raise BadItem(f"{said} fit no three vectors, which would lie in a plane: zero volume; correct one")


def fractional(cell: np.ndarray, cartesian: np.ndarray) -> np.ndarray:
    """Turn Cartesian coordinates (n, 3) in angstrom into fractional ones."""
    if not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < 1e-9:
        raise BadItem("its cell has zero volume or is not finite; correct the cell")
    return np.linalg.solve(cell.T, np.asarray(cartesian, float).T).T


def near(cell: np.ndarray, one: np.ndarray, two: np.ndarray, most_a: float = 0.05) -> bool:
    """Check whether fractional positions (n, 3) are the same, but for whole translations, to `most_a` angstrom."""
    gap = one - two
    return bool((np.linalg.norm((gap - np.rint(gap)) @ cell, axis=1) <= most_a).all())


def few(count: int, max_atoms: int) -> None:
    """Refuse a structure that lists more atoms than are allowed."""
    if count > max_atoms:
        raise BadItem(f"it has {count} atoms; {max_atoms} are allowed (max_atoms)")


def build(cell, sites: Sequence, frac, disorder: str, notes: list[str] | None = None) -> Crystal:
    """Make a Crystal of sites, each a symbol or a mapping of symbol to occupancy.

    Disordered sites are rejected, or, by the rule `majority`, taken by the element with the highest occupancy (the
    lower atomic number among equals); a site that is empty more than half of the time stays empty. The formula before
    that is added to `notes`.
    """
    species, kept, mixed = [], [], 0
    stated: dict[int, float] = {}
    frac = np.asarray(frac, float).reshape(-1, 3)
    if len(frac) != len(sites):
        raise BadItem(f"it has {len(sites)} species and {len(frac)} positions; it may be incomplete")
    for position, site in enumerate(sites):
        parts = {site: 1.0} if isinstance(site, str) else site
        shares: dict[int, float] = {}
        for symbol, share in parts.items():
            if str(symbol).lower() in ("vacancy", "va", "vac"):
                continue
            number = atomic_number(symbol)
            shares[number] = shares.get(number, 0.0) + float(share)
        if isinstance(site, str) and not shares:
            continue  # a vacancy: no atom, and nothing is disordered
        total = sum(shares.values())
        for number, share in shares.items():
            stated[number] = stated.get(number, 0.0) + share
        if not math.isfinite(total) or total > 1 + TOLERANCE:
            raise BadItem(f"site {position + 1} has an occupancy of {total:g}: overlapping atoms; correct the file")
        best = max(shares, key=lambda number: (shares[number], -number), default=0)
        if len(shares) != 1 or abs(total - 1) > TOLERANCE:
            mixed += 1
        if total >= 0.5:
            species.append(best)
            kept.append(position)
    if mixed and disorder == "reject":
        raise BadItem(
            f"{mixed} of its {len(sites)} sites are disordered (partial or shared occupancy); order it, or set "
            "disorder: majority"
        )
    if mixed and notes is not None:
        named = " ".join(f"{compositions.SYMBOLS[number - 1]}{amount:.4g}" for number, amount in sorted(stated.items()))
        notes.append(f"{mixed} of its {len(sites)} sites are disordered and taken as their majority; it was {named}")
    return Crystal(np.asarray(cell, float).reshape(3, 3), np.array(species, np.uint8), frac[kept])
