"""CIF files: every block with atoms is a structure, made by its symmetry operations (see `symmetry`)."""

import math
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.structures import Crystal
from matlens.ingest.formats import cif_sites, cif_text, operations, symmetry
from matlens.ingest.formats.cif_text import number, said
from matlens.ingest.formats.common import TOLERANCE, Record, Source, build, matrix
from matlens.job.batch import BadItem

ROUNDED_BY = 0.0051  # fractional: a sixth with two digits
OVERLAP_A = 0.5  # angstrom; with the wrong one of two origins atoms come nearer than this
BLOCK = re.compile(rb"\s*data_(\S*)", re.I)
CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
Z = "_cell_formula_units_z"
SYMMETRY = re.compile(rb"\s*_(symmetry|space_group)_", re.I)
MODULATED = re.compile(  # names that only a modulated or composite structure has
    r"_space_group_symop_ssg_|_space_group_ssg_|_cell_wave_vector_|_cell_subsystem_|_atom_site_(displace|occ|moment|u|rot)_"
    r"(fourier|special_func|legendre|xharm)|_atom_site_fourier_"
)
MULTIPLICITY = ("_atom_site_symmetry_multiplicity", "_atom_site_site_symmetry_multiplicity")
PARTS = ("_chemical_formula_moiety", "_chemical_formula_structural", "_chemical_formula_sum")
VOLUME = 0.02  # by how much a part of its volume the cell may differ from the one that is stated
EXACT, ROUNDED = 0.005, 0.05  # by how much atoms may differ from a formula: of whole atoms, of occupancies


def records(source: Source) -> Iterator[Record]:
    """List the blocks that have atoms; one is named by the file alone, those of one name also by their number."""
    starts, quoted, atoms, symmetries = [], False, [], []
    for offset, line in source.lines():
        line = line.removeprefix(b"\xef\xbb\xbf") if offset == 0 else line  # a byte order mark
        if line.startswith(b";"):
            quoted = not quoted  # a text field, in which "data_" is only a word
        elif not quoted and (found := BLOCK.match(line)):
            starts.append((offset, found[1].decode("utf-8", "replace")))
            atoms.append(False)
            symmetries.append(False)
        elif atoms and not quoted and SYMMETRY.match(line):
            symmetries[-1] = True
        elif atoms and not quoted and b"_atom_site" in line.lower():
            atoms[-1] = True
    if not starts:
        raise BadItem("its CIF has no data_ block; it may be truncated")
    if not any(atoms):
        raise BadItem("its CIF has no atom sites (_atom_site_...); it may be truncated")
    ends = [offset for offset, _ in starts[1:]] + [source.size]
    elsewhere = any(has and not kept for has, kept in zip(symmetries, atoms, strict=True))
    places = zip(starts, ends, symmetries, atoms, strict=True)
    blocks = [(*start, end, elsewhere and not has) for start, end, has, kept in places if kept]
    count = Counter(name for _, name, *_ in blocks)
    for row, (offset, name, end, lost) in enumerate(blocks):
        unique = name if name and count[name] == 1 else f"{name}-{row}" if name else str(row)
        reason = "its symmetry stands in another data_ block of the file; copy it to the block of its atoms"
        name = unique if len(blocks) > 1 else None
        yield Record(offset, end - offset, row, name, {}, reason if lost else None)


def decode(source: Source, record: Record, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of one block, in the cell of the file."""
    return from_text(source.text(record), disorder, max_atoms, notes)


def from_text(text: str, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of the text of one block, in the cell of the file.

    Assumptions are added to `notes`. Raises BadItem if the text cannot be read, if its symmetry is unknown, not a group
    or inconsistent with the cell, or if the atoms do not match the stated formula or Z.
    """
    try:
        block = _block(text)
        cell = _cell(block)
        shares, frac = cif_sites.read(block, disorder, max_atoms)
        found = symmetry.of_block(block, cell)
        if not found:
            found = [symmetry.Symmetry("", np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))]
            if notes is not None and not (_units(block) and cif_sites.formula(block)):
                notes.append("its CIF states no symmetry: the atoms listed are taken for all of the cell")
        _check_images(block, max(len(one.turns) for one in found))
        _note_volume(block, cell, notes)
        frac = _at_thirds(found, cell, shares, frac, max_atoms, notes)
        crystal, complaint = _of_origins(block, found, cell, shares, frac, disorder, max_atoms, notes)
    except (ValueError, ArithmeticError) as error:
        if isinstance(error, BadItem):
            raise
        raise BadItem(f"the CIF cannot be read ({str(error)[:200]}); it may be truncated or wrong") from error
    if complaint:
        raise BadItem(complaint)
    return crystal


def _block(text: str) -> dict:
    """Find the one block with atoms in a text."""
    found = [block for block in cif_text.blocks(text) if any(name.startswith("_atom_site_") for name in block)]
    if len(found) != 1:
        raise BadItem(f"the CIF cannot be read ({len(found)} blocks of it have atoms); it may be truncated or wrong")
    dimension = said(found[0], ("_cell_modulation_dimension",)) or "0"
    parts = said(found[0], ("_cell_subsystems_number",)) or "1"
    if dimension != "0" or parts != "1" or any(MODULATED.match(name) and said(found[0], (name,)) for name in found[0]):
        raise BadItem(
            "its structure is modulated: its atoms are not where its average structure has them; give a supercell"
        )
    return found[0]


def _check_images(block: dict, most: int) -> None:
    """Refuse a multiplicity of a site that no `most` symmetry operations make."""
    words = [word for name in MULTIPLICITY for word in cif_text.rows_of(block, name) or () if word.isdigit()]
    stated = max(map(int, words), default=1)
    if stated > most:
        raise BadItem(
            f"one of its sites has the multiplicity {stated}, and its symmetry makes {most} of a site at most; state "
            "all of its symmetry"
        )


def _note_volume(block: dict, cell: np.ndarray, notes: list[str] | None) -> None:
    """Note a stated volume that is not that of the cell."""
    word = said(block, ("_cell_volume",))
    volume, stated = abs(np.linalg.det(cell)), number(word) if word else 0.0
    if notes is not None and stated > 0 and abs(volume / stated - 1) > VOLUME:
        notes.append(f"its CIF states a volume of {stated:g} cubic angstrom, and its cell has {volume:g}: one is wrong")


def _cell(block: dict) -> np.ndarray:
    """Read the cell: (3, 3), rows in angstrom."""
    sizes = [said(block, (f"_cell_{name}",)) for name in CELL]
    if lost := [name for name, size in zip(CELL, sizes, strict=True) if size is None]:
        raise BadItem(f"the CIF cannot be read (its cell has no _cell_{lost[0]}); it may be truncated or wrong")
    return matrix(*(number(size) for size in sizes))


def _at_thirds(found: list, cell, shares: list, frac: np.ndarray, max_atoms: int, notes: list[str] | None):
    """Put coordinates that were rounded to two digits, such as 0.33, to sixths, where images overlap only by that.

    Special positions are at sixths: at 0.33 an atom of P63/mmc has images 0.03 angstrom away.
    """
    sixths, two_digits = np.rint(frac * 6) / 6, np.abs(frac - np.round(frac, 2)) < 1e-9
    rounded = np.where(two_digits & (np.abs(frac - sixths) <= ROUNDED_BY), sixths, frac)
    if len(found) != 1 or (rounded == frac).all():
        return frac
    try:
        places, _ = _placed(found[0], shares, frac, max_atoms)
        fewer, _ = _placed(found[0], shares, rounded, max_atoms)
    except BadItem:
        return frac
    if len(fewer) == len(places) or not _overlap(cell, places) or _overlap(cell, fewer):
        return frac
    if notes is not None:
        moved = sorted({f"{value:g}" for value in frac[rounded != frac]})[:4]
        notes.append(f"coordinates such as {', '.join(moved)} are taken for sixths: its atoms would overlap")
    return rounded


def _of_origins(block, found: list, cell, shares: list, frac, disorder: str, max_atoms: int, notes=None) -> tuple:
    """Build the crystal and compare it with the stated formula; of two origin choices, take the one that agrees.

    That is the one with which no atoms overlap and the formula, where it is stated, is met.
    """
    good = []
    for one in found:
        try:
            places, kinds = _placed(one, shares, frac, max_atoms)
        except BadItem:  # an occupancy above 1
            if len(found) == 1:
                raise
            continue
        complaint = _complaint(block, kinds)
        if len(found) == 1:
            return build(cell, kinds, places, disorder, notes), complaint
        if not complaint and not _overlap(cell, places):
            good.append((places, kinds))
    if len(good) != 1:
        names = " or ".join(repr(one.said) for one in found)
        what = "its space group has two origins or settings"
        raise BadItem(f"{what}, and it does not say which: write {names}, or the operations")
    return build(cell, good[0][1], good[0][0], disorder, notes), None


def _placed(one: symmetry.Symmetry, shares: list, frac: np.ndarray, max_atoms: int) -> tuple[np.ndarray, list]:
    """Put sites at all their images: positions (N, 3), and the occupancies there of those that share a place."""
    places, member = operations.expanded(frac, one.turns, one.shifts, max_atoms)
    groups = operations.together(places)
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    if len(first) > max_atoms:
        raise BadItem(f"it has {len(first)} atoms; {max_atoms} are allowed (max_atoms)")
    if len(first) == len(places):
        return places, [shares[site] for site in member.tolist()]
    kinds: list[dict[int, float]] = [{} for _ in first]
    for group, site in zip(inverse.tolist(), member.tolist(), strict=True):
        for z, share in shares[site].items():
            kinds[group][z] = kinds[group].get(z, 0.0) + share
    most = max(sum(kind.values()) for kind in kinds)
    if most > 1 + TOLERANCE:
        raise BadItem(f"atoms on one site have an occupancy of {most:g} together: they overlap; correct the positions")
    order = np.argsort(first, kind="stable")
    return places[first[order]], [kinds[at] for at in order.tolist()]


def _overlap(cell: np.ndarray, places: np.ndarray) -> bool:
    from matlens.crystal.kernels import closest

    return closest(np.ascontiguousarray(cell), np.ascontiguousarray(places), OVERLAP_A)[1] >= 0


def _complaint(block: dict, kinds: list[dict[int, float]]) -> str | None:
    """Say how the atoms of the cell differ from the formula, or from Z times it, that a block states."""
    stated = cif_sites.formulas(block) or cif_sites.formulas(block, ("_chemical_formula_structural",))
    complaints = [_difference(block, kinds, one) for one in stated or [{}]]
    return None if None in complaints else complaints[-1]


def _difference(block: dict, kinds: list[dict[int, float]], stated: dict[int, float]) -> str | None:
    """Say how the atoms of the cell differ from one reading of the formula, or from Z times it."""
    there: dict[int, float] = {}
    for kind in kinds:
        for z, share in kind.items():
            there[z] = there.get(z, 0.0) + share
    wrong = "its atoms are not those of the formula it states"
    if not stated:
        lost = sorted(cif_sites.elements(block, PARTS) - set(there))
        names = ", ".join(SYMBOLS[z - 1] for z in lost)
        return f"{wrong} ({names} has no position); give all atoms, or correct the formula" if lost else None
    for some, others, where in ((stated, there, "no position"), (there, stated, "no part in the formula")):
        if missing := [SYMBOLS[z - 1] for z in some if z not in others and some[z] > 0]:
            return f"{wrong} ({', '.join(missing)} has {where}); give all atoms, or correct the formula"
    ratios = {z: there[z] / stated[z] for z in stated if stated[z] > 0}
    slack = EXACT if all(abs(sum(kind.values()) - 1) < TOLERANCE and len(kind) == 1 for kind in kinds) else ROUNDED
    if max(ratios.values()) > min(ratios.values()) * (1 + slack):
        lists = ", ".join(f"{SYMBOLS[z - 1]} {there[z]:g} of {stated[z]:g}" for z in ratios)
        return f"{wrong} (in another proportion: {lists}); it may be truncated"
    return _counted(block, stated, sum(there.values()), slack)


def _units(block: dict) -> int:
    """Return the number Z of formulas in the cell that a block states; 0 if it states none."""
    units = said(block, (Z,))
    return int(float(units)) if units and re.fullmatch(r"\d+(\.0*)?", units) else 0


def _molecules(stated: dict[int, float]) -> int:
    """Return Z as pymatgen counts it: formulas such as O2, N2 and K2O2 (peroxides) are not halved."""
    from pymatgen.core import Composition

    amounts = Composition({SYMBOLS[z - 1]: amount for z, amount in stated.items()})
    return int(amounts.get_reduced_composition_and_factor()[1])


def _counted(block: dict, stated: dict[int, float], atoms: float, slack: float) -> str | None:
    """Compare the atoms of the cell with Z formulas; one that stands for the whole cell may have Z as its divisor."""
    units = _units(block)
    if not units:
        return None
    whole = sum(stated.values())
    counts = list(stated.values())
    divisor = math.gcd(*map(round, counts)) if all(abs(n - round(n)) < 1e-6 for n in counts) else 1
    allowed = {units * whole} | ({whole} if divisor > 1 and units in (divisor, _molecules(stated)) else set())
    if any(abs(atoms - count) <= max(slack * count, 0.01) for count in allowed):
        return None
    return (
        f"its cell has {atoms:g} atoms, and Z = {units} formulas of {whole:g} atoms are {units * whole:g}; its "
        "symmetry operations, its atoms or Z (_cell_formula_units_Z) are wrong: correct them"
    )
