"""Crystals from the user's own files: a file, a folder or a glob, each file with one structure or many."""

import csv
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np

from matlens import columns
from matlens.crystal import radii
from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.structures import Crystal
from matlens.ingest import file_search, formats
from matlens.ingest.crystals import structure_columns, target_tables
from matlens.ingest.crystals.structure_columns import FORMAT, INDEX, LENGTH, OFFSET, ROW
from matlens.ingest.formats import common
from matlens.ingest.plan_rows import trouble
from matlens.job.batch import MACHINE_ERRORS, BadItem

CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")  # signs that would break a line of a table or log
SIDECARS = {".txt", ".md", ".yaml", ".yml", ".log", ".ini", ".py", ".pdf", ".png"}
NO_STRUCTURES = {target_tables.TARGETS_FILE, "atom_init.json"}
NOWHERE = {FORMAT: None, OFFSET: 0, LENGTH: 0, ROW: 0}
OVERLAP, BOND = 0.5, 0.8  # part of the sum of two covalent radii below which atoms overlap; largest such radius
DENSE, SPARSE = 0.65, 1.45  # the same, of the closest atoms of ordinary crystals
LOOSE = {1, 2, 7, 10, 18, 36, 54, 86}  # rare gases, and elements whose molecules may be given as atoms
FLAT = 1e-4  # ratio of cell volume to a * b * c below which a cell is flat


def found(path: str) -> tuple[Path, list[Path]]:
    """List the files of a path, folder or glob, sorted, and the folder that item names are relative to.

    A folder or glob returns its files (not those of its folders) without hidden files, texts and pictures. Raises
    ValueError if nothing matches.
    """
    pattern = file_search.expanded(path)
    if not pattern:
        raise ValueError("path is empty; give a file, a folder or a glob")
    if os.path.isfile(pattern):
        return Path(pattern).parent, [Path(pattern)]
    if os.path.isdir(pattern):
        root, matches = Path(pattern), [os.path.join(pattern, name) for name in os.listdir(pattern)]
    else:
        root, matches = file_search.search_root(pattern), file_search.matching(pattern)
    kept = sorted(
        p
        for p in set(map(Path, matches))
        if not p.is_dir() and p.name[0] != "." and p.suffix.lower() not in SIDECARS and p.name not in NO_STRUCTURES
    )
    if not kept:
        raise ValueError(f"path '{path}' matches no file of structures; {file_search.nearest(pattern)}")
    return root, kept


def listing(*, path: str) -> str:
    """Digest the files of a study. Raises ValueError if there are none, with the folder that was searched."""
    paths = found(path)[1]
    more = {p.parent / target_tables.TARGETS_FILE for p in paths}
    named = {file for rows in target_tables.tables(paths).values() for file, _, _ in rows if file}
    return file_search.digest(sorted({*paths, *named, *(table for table in more if table.exists())}))


def plan(*, path: str, targets: list[str] | None = None):
    """List the structures of all files as items, without parsing the crystals.

    An item is named by its id, else by its file and its block or number there. The scalars of a structure become
    columns, as do the values of a table that names the files (by a column `file`, or by ids equal to file names) and of
    an id_prop.csv. Returns a DataFrame with item, file, format, the place in the file, those columns, and `reason`
    where an item cannot be used. Raises ValueError if nothing matches `path`, or if no structure has a target column.
    """
    import pandas as pd

    root, paths = found(path)
    tables = target_tables.tables(paths)
    listed = [one for table, rows in tables.items() for one in _of_table(table, rows)]
    known = {row[columns.FILE] for row, _ in listed}
    for file in paths:
        if file not in tables and file_search.printable(str(file)) not in known:
            listed += _of_file(file, root)
    rows, values = [row for row, _ in listed], [values for _, values in listed]
    structure_columns.add_targets(rows, values)
    structure_columns.add(rows, values, targets)
    structure_columns.first_of_each(rows)
    names = Counter(row[columns.ITEM] for row in rows if row[columns.REASON])
    for row in rows:
        if row[columns.REASON]:
            row[columns.REASON] = _placed(row, row[columns.REASON], names[row[columns.ITEM]] > 1)
    return pd.DataFrame(rows)


def _placed(item: dict, reason: str, alike: bool = False) -> str:
    """Name the file of an item in a reason, unless its name shows it; `alike`: several items have the name."""
    file = Path(item[columns.FILE])
    shown = item[columns.ITEM].startswith(file_search.stem(file)) and not alike
    return reason if shown or file.name in reason else f"in {file.name}: {reason}"


def _name(text: str) -> str:
    """Write the name of an item on one line."""
    return CONTROL.sub(" ", file_search.printable(text))


def _of_table(table: Path, named: list[tuple[Path | None, str, dict]]) -> list[tuple[dict, dict]]:
    """List the structures of the files named in a table, each with the values of its row."""
    listed = []
    for file, word, values in named:
        name, values = common.name_of(values), common.scalars_of(values)
        if file is None:
            reason = f"its row in {file_search.printable(table.name)} names no existing file: {word[:60]!r}"
            row = {columns.ITEM: name or word or "(no file)", columns.FILE: file_search.printable(str(table))}
            listed.append(({**row, columns.REASON: reason, **NOWHERE}, values))
            continue
        found = _of_file(file, table.parent)
        if name and len(found) == 1:
            found[0][0][columns.ITEM] = _name(name)
        listed += [(row, {**inner, **values}) for row, inner in found]
    return listed


def _of_file(file: Path, root: Path) -> list[tuple[dict, dict]]:
    """List the structures of one file, each with its scalars; an unreadable file is listed with a reason."""
    name = file_search.item_name(file, root)
    row = {columns.ITEM: name, columns.FILE: file_search.printable(str(file)), columns.REASON: trouble(file)}
    where = dict(NOWHERE)
    if row[columns.REASON]:
        return [({**row, **where}, {})]
    try:
        source = common.opened(str(file))
        where[FORMAT] = formats.sniff(source)
        listed = list(_module(where[FORMAT]).records(source))
        if not listed:
            raise BadItem("it holds no structure; check the export")
    except BadItem as error:
        table = target_tables.fault(file) if not where[FORMAT] and file.suffix.lower() in target_tables.TABLES else None
        return [({**row, **where, columns.REASON: table or str(error)}, {})]
    except (RecursionError, csv.Error) as error:
        why = error if isinstance(error, csv.Error) else "nested too deep"
        return [({**row, **where, columns.REASON: f"it is broken ({why}); copy it again"}, {})]
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        return [({**row, **where, columns.REASON: f"it cannot be read: {error.strerror or error}"}, {})]
    if len(listed) > 1:
        names = [one.name if where[FORMAT] in NAMED and one.name else f"{name}/{one.name or one.row}" for one in listed]
    else:
        names = [listed[0].name if where[FORMAT] in NAMED and listed[0].name else name]
    return [
        (
            {
                **row,
                columns.ITEM: _name(item),
                columns.REASON: one.reason,
                **where,
                OFFSET: one.offset,
                LENGTH: one.length,
                ROW: one.row,
            },
            dict(one.scalars),
        )
        for item, one in zip(names, listed, strict=True)
    ]


NAMED = {"json", "jsonl", "csv", "extxyz", "ase_db"}  # formats whose names are ids, not names of blocks in a file


def _module(name: str):
    """Return the module of a format; imports are explicit, so that the code digest of a rule includes them."""
    from matlens.ingest.formats import ase_db, cif, document, extxyz, lines, poscar, sheet

    table = (cif, poscar, extxyz, document, lines, sheet, ase_db)
    return dict(zip(formats.FORMATS, table, strict=True))[name]


def read(
    item: dict, *, disorder: str = "reject", max_atoms: int = 2000, min_distance_a: float = 0.5
) -> tuple[Crystal, dict]:
    """Read one item as a crystal, and check it.

    `item`: a row of the plan. `disorder`: "reject" structures with partial or shared occupancy, or assign each such
    site to its "majority" element, see `common.build`. `max_atoms`: limit of atoms. `min_distance_a`: smallest allowed
    distance of atoms, in angstrom. Returns the crystal, with fractional coordinates in [0, 1), and scalars for the
    index: a remark on assumptions. Raises BadItem if the structure cannot be used.
    """
    try:
        return _read(item, disorder, max_atoms, min_distance_a)
    except BadItem as error:
        raise BadItem(_placed(item, str(error))) from error
    except FileNotFoundError as error:
        raise BadItem(_placed(item, "its file is gone since it was listed; restore it, or run again")) from error


def _read(item: dict, disorder: str, max_atoms: int, min_distance_a: float) -> tuple[Crystal, dict]:
    source = common.opened(item[columns.FILE])
    record = common.Record(int(item[OFFSET]), int(item[LENGTH]), int(item[ROW]))
    notes = [item[columns.REMARK]] if isinstance(item.get(columns.REMARK), str) else []
    crystal = _module(item[FORMAT]).decode(source, record, disorder, max_atoms, notes)
    crystal = check(crystal, max_atoms=max_atoms, min_distance_a=min_distance_a)
    notes += [doubt] if (doubt := doubt_unit(crystal)) else []
    return crystal, {columns.REMARK: "; ".join(notes) or None}


def check(crystal: Crystal, *, max_atoms: int, min_distance_a: float) -> Crystal:
    """Check a crystal. Returns it with fractional coordinates in [0, 1). Raises BadItem if it is not plausible."""
    cell, species, frac = crystal
    if len(species) == 0:
        raise BadItem("it has no atoms; check the export")
    if len(species) > max_atoms:
        raise BadItem(f"it has {len(species)} atoms; {max_atoms} are allowed (max_atoms)")
    if not np.isfinite(cell).all():
        raise BadItem("its cell is not finite (NaN or infinite); correct the cell")
    lost = int((~np.isfinite(frac).all(axis=1)).sum())
    if lost:
        raise BadItem(f"the positions of {lost} of its {len(species)} atoms are not finite (NaN); correct them")
    lengths = np.linalg.norm(cell, axis=1)
    if lengths.min() < max(min_distance_a, 1e-3):
        raise BadItem(f"a cell vector is {lengths.min():.3g} angstrom long: zero volume; correct the cell")
    if lengths.max() > 1e4:
        raise BadItem(f"a cell vector is {lengths.max():.3g} angstrom long; correct the cell or its unit")
    if abs(np.linalg.det(cell)) < FLAT * lengths.prod():
        raise BadItem("its cell vectors lie in a plane: zero volume; correct the cell")
    frac = frac - np.floor(frac)
    frac[frac >= 1] = 0.0  # -1e-17 rounds to 1.0
    cell = np.ascontiguousarray(cell)
    if min_distance_a > 0:
        _check_overlap(cell, species, frac, min_distance_a)
    return Crystal(cell, species, frac)


def _check_overlap(cell: np.ndarray, species: np.ndarray, frac: np.ndarray, min_distance_a: float) -> None:
    """Refuse atoms that are closer than a limit (angstrom), or than the part OVERLAP of the sum of their radii.

    The radii count up to BOND, so that no pair is refused beyond 0.8 angstrom: only H2 has a bond as short.
    """
    from matlens.crystal.kernels import closest, closest_by_radii

    distance, first, second = closest(cell, frac, min_distance_a)
    if first < 0:
        _, distance, first, second = closest_by_radii(cell, frac, np.minimum(radii.known(species), BOND), OVERLAP)
    if first >= 0:
        names = ", ".join(SYMBOLS[species[at] - 1] for at in (first, second))
        raise BadItem(
            f"atoms {first + 1} and {second + 1} are {distance:.3f} angstrom apart ({names}): they overlap; correct "
            "the positions or the unit of the cell (angstrom), or set min_distance_a: 0"
        )


def doubt_unit(crystal: Crystal) -> str | None:
    """Return a remark on distances that no ordinary crystal has, as cells in bohr, nanometres or picometres have them.

    Of 21,000 crystals of four public sets none but molecules of H2 and N2 has its closest atoms outside the
    limits. Rare gases and single atoms of hydrogen or nitrogen are left out.
    """
    from matlens.crystal.kernels import closest_by_radii

    cell, species, frac = crystal
    ratio, distance, first, _ = closest_by_radii(cell, frac, radii.known(species), SPARSE)
    if first < 0 and not set(species.tolist()) <= LOOSE:
        return f"no two of its atoms are closer than {SPARSE} times the sum of their radii: is its cell in angstrom?"
    if first >= 0 and ratio < DENSE:
        return (
            f"its closest atoms are {distance:.3f} angstrom apart, {ratio:.2f} of their radii: is its cell in angstrom?"
        )
    return None


def describe(crystal: Crystal) -> dict:
    """Describe a crystal for the index: reduced formula (elements by symbol), atoms, elements, volume."""
    numbers, counts = np.unique(crystal.species, return_counts=True)
    counts = counts // np.gcd.reduce(counts)
    parts = sorted((SYMBOLS[n - 1], c) for n, c in zip(numbers.tolist(), counts.tolist(), strict=True))
    volume = float(abs(np.linalg.det(crystal.cell)))
    return {
        "formula": "".join(symbol + (str(count) if count > 1 else "") for symbol, count in parts),
        "atoms": len(crystal.species),
        "elements": len(numbers),
        "volume_a3": volume,
        "volume_a3_per_atom": volume / len(crystal.species),
    }


def index_row(crystal: Crystal, item: dict, meta: dict) -> dict:
    """Make the row of an item in the index: its plan without the place in the file, its description, its scalars."""
    planned = {name: value for name, value in item.items() if name not in (OFFSET, LENGTH, ROW)}
    return {**planned, **describe(crystal), **meta}


def index_table(rows: list[dict], items: list[dict]):
    """Build the index from rows; an empty index keeps the columns of the plan."""
    import pandas as pd

    planned = [name for name in (items[0] if items else ()) if name not in (OFFSET, LENGTH, ROW)]
    leading = dict.fromkeys([columns.KEY, columns.ITEM, *INDEX, *planned])
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*leading, *(name for name in frame.columns if name not in leading)])
