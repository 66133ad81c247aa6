"""Molecules with a bond that breaks: from tables of SMILES or of reactions, or from SDF files."""

import math
import re
from functools import lru_cache
from pathlib import Path

from matlens import columns
from matlens.ingest import cell_values, molecule_files, spreadsheet, table_sets
from matlens.ingest.plan_rows import RESERVED, check_units
from matlens.job.batch import BadItem
from matlens.molecule import bonds, reactions, records

KIND = "molecules"  # of tables in the catalogue
NAMES = ("id", "item", "name")
REFERRING = ("reactant", "reactants")
SMILES = ("molecule", "smiles", *REFERRING)
PRODUCTS = re.compile(r"(products?|fragments?)(_?smiles)?_?(\d*|[ab])(_?smiles)?")
INDEX = ("bondindex", "bondidx")  # names of the column of bond numbers, without blanks and marks
STATED = "bond_type"  # column of a table that names the elements at the ends of the bond, as C-H
PAIR = re.compile(r"([A-Z][a-z]?)[-=#:~]([A-Z][a-z]?)")
APART = re.compile(r"\s*[;,]\s*|\s+\+\s+|\.")  # between the SMILES of one cell
RECORD, TITLE = "record", "title"  # columns of an SDF file: number from 0, and name of the record
BOND, ATOMS = "bond_type", "atoms"
TEXTS = ("smiles", "bond", "bond_ends")  # columns of a plan that say what to read
MADE = (bonds.BROKEN, BOND, ATOMS, reactions.CHARGE, *reactions.CHARGES, columns.GROUP)
ORDERS = {1.0: "-", 1.5: ":", 2.0: "=", 3.0: "#"}


def listing(
    *, path: str | None = None, set: str | None = None, structures: str | None = None, charges: str | None = None
) -> str:
    """Digest the files; for those of a set its catalogue entry, which a download does not change."""
    more = [table_sets.listing(KIND, *table_sets.named(KIND, name)) for name in (structures, charges) if name]
    return " ".join([table_sets.listing(KIND, path, set), *more])


@lru_cache(maxsize=4)
def _known(path: str | None, set: str | None, structures: str | None, charges: str | None):
    """Return the files of molecules and charges that the rows refer to; (None, None) for a table of SMILES."""
    table = table_sets.find(KIND, path, set)
    files = [
        str(table_sets.find(KIND, *table_sets.named(KIND, name))) if name else None for name in (structures, charges)
    ]
    if records.is_sdf(table):
        if structures:
            raise ValueError("structures: the table is an SDF file and has its molecules; remove 'structures'")
        return str(table), files[1]
    if charges and not structures:
        raise ValueError("charges: they are those of a file of molecules; name it as 'structures'")
    return files


def columns_of(
    *,
    path: str | None = None,
    set: str | None = None,
    structures: str | None = None,
    charges: str | None = None,
    molecule: str | None = None,
    bond_index: str | None = None,
    products: list[str] | None = None,
    item: str | None = None,
    targets: list[str] | None = None,
) -> list[str]:
    """List the index columns of a table; see `plan`. Raises ValueError if a column or file is missing."""
    file = table_sets.present(KIND, path, set)
    header, _ = _table(file)
    read = _chosen(file, header, molecule, bond_index, products, item, targets)
    files = _known(path, set, structures, charges)
    if files[0]:
        molecule_files.read(*files)
    return [*MADE, *(_column(name) for name in _beside(header, *read))]


def plan(
    *,
    path: str | None = None,
    set: str | None = None,
    structures: str | None = None,
    charges: str | None = None,
    molecule: str | None = None,
    bond_index: str | None = None,
    products: list[str] | None = None,
    item: str | None = None,
    targets: list[str] | None = None,
):
    """List the rows of a table as items, without reading the molecules.

    `path` or `set`: a table, or an SDF file, whose data fields are then the columns. `structures`: an SDF file or a
    list of SMILES that the cells refer to, by name or number from 0; None: cells are SMILES. `charges`: of the
    molecules of the file, a number a line or a table with the column charge; None: the data field charge of each
    record, else the charges of the atoms. `molecule`: column of the reactant; None: molecule, smiles, reactant or
    reactants. `bond_index`: column of the bond that breaks, counted from 0 in the order of the file, or in rdkit's
    order after hydrogen is added; None: the column bond_index, if there is one. `products`: columns of the products;
    None: those named products, product1, fragment1, ... if there is no bond index. `item`: column of names.
    Returns a DataFrame with item, reactant, bond index and products as text, the other columns (targets as
    numbers), and `reason` where a row cannot be used. Raises ValueError if the table cannot be used.
    """
    import pandas as pd

    files, file = _known(path, set, structures, charges), table_sets.find(KIND, path, set)
    if files[0]:
        molecule_files.read(*files)
    header, table = _table(file)
    check_units(table, targets)
    reactant, index, products, names = _chosen(file, header, molecule, bond_index, products, item, targets)
    rows = _rows(table, file, names, reactant, index, products, targets or [], bool(files[0]))
    beside = _beside(header, reactant, index, products, names)
    made = {_column(name): _values([cells.get(name) for cells in table], name in (targets or [])) for name in beside}
    return pd.concat([pd.DataFrame(rows), pd.DataFrame(made)], axis=1)


def _beside(header: list[str], reactant: str, index: str | None, products: list[str], names: str | None) -> list[str]:
    """List the columns of a table that neither name an item nor say what to read."""
    return [name for name in header if name not in (names, reactant, index, *products)]


def _chosen(file: Path, header: list[str], molecule, bond_index, products, item, targets) -> tuple:
    """Return the columns of reactant, bond index, products and names; see `plan`."""
    table_sets.require(file, header, [molecule, bond_index, item, *(products or []), *(targets or [])])
    wishes = REFERRING if records.is_sdf(file) else SMILES  # a record is its molecule, whatever SMILES it states
    known = [name for wanted in wishes for name in header if name.lower() == wanted]
    reactant = molecule or next(iter(known), RECORD if RECORD in header else None)
    if molecule is None and len(known) > 1:
        raise ValueError(f"table '{file}' has several columns of molecules: {', '.join(known)}; name one by 'molecule'")
    if reactant is None:
        said = f"table '{file}' has no column of molecules; name it by 'molecule': {', '.join(header)[:200]}"
        raise ValueError(said + spreadsheet.note_of_sheets(file, "; "))
    index = bond_index or next((name for name in header if re.sub("[^a-z]", "", name.lower()) in INDEX), None)
    if products is None:
        products = [] if index else [one for one in header if PRODUCTS.fullmatch(re.sub("[ -]", "_", one.lower()))]
    if index is None and not products:
        said = f"table '{file}' does not say which bond breaks; name a column 'bond_index', or 'products'"
        raise ValueError(said + spreadsheet.note_of_sheets(file, "; "))
    return reactant, index, products, next((n for n in ([item] if item else (*NAMES, TITLE)) if n in header), None)


def _table(file: Path) -> tuple[list[str], list[dict]]:
    """Read a table, or the records of an SDF file: their data fields, with the columns record and title."""
    if not records.is_sdf(file):
        return spreadsheet.read(file)
    found = records.read(file)
    titles = [record.name for record in found]
    unique = all(titles) and len(dict.fromkeys(titles)) == len(titles)
    rows = [
        {**record.fields, RECORD: str(number), **({TITLE: record.name} if unique else {})}
        for number, record in enumerate(found)
    ]
    header = list(dict.fromkeys(name for row in rows for name in row))
    return header, [{name: row.get(name) for name in header} for row in rows]


def _rows(table, file: Path, names, reactant: str, index, products: list, targets: list, refers: bool) -> list[dict]:
    """Make the rows of a plan. refers: cells are names or numbers of molecules, not SMILES."""
    rows, seen = [], {}
    most = max((len(_products(cells, products, refers)) for cells in table), default=0)
    for number, cells in enumerate(table, 1):
        name = table_sets.name_of(cells.get(names), file, number)
        row = {columns.ITEM: name, columns.REASON: _fault(cells, targets)}
        if seen.setdefault(name, number) != number:
            row[columns.REASON] = f"two rows have the same name: rows {seen[name]} and {number}; rename one"
        whole, given = _cells(cells[reactant]), _products(cells, products, refers)
        if len(whole) > 1:
            row[columns.REASON] = f"it has {len(whole)} reactants; give reactions of one molecule"
        row |= {"smiles": whole[0] if whole else "", "bond": _text(cells[index]) if index else ""}
        row |= {"bond_ends": _text(cells.get(STATED)) if index else ""}
        given += [""] * (most - len(given))
        rows.append(row | {f"product_{k}": text for k, text in enumerate(given, 1)})
    return rows


def _cells(value) -> list[str]:
    """List the entries of a cell: those of a list, also one written as text, else its text, without empty ones."""
    if isinstance(value, str) and value.strip()[:2] in ("['", '["'):
        value = [one or other for one, other in re.findall(r"'([^']*)'|\"([^\"]*)\"", value)]
    return [text for text in map(_text, value if isinstance(value, list) else [value]) if text]


def _products(cells: dict, products: list[str], refers: bool) -> list[str]:
    """List the products of a row; a SMILES of several parts, and several SMILES, are several products.

    One with an extension between bars, in which commas and dots part numbers, is one.
    """
    every = [text for name in products for text in _cells(cells[name])]
    if refers:
        return every
    return [part for text in every for part in ([text] if "|" in text else APART.split(text)) if part]


def _text(cell) -> str:
    return "" if cell is None else str(cell).strip()


def _column(name: str) -> str:
    taken = name in RESERVED | {*MADE, *TEXTS} or name.startswith("product_")
    return f"source_{name}" if taken else name


def _fault(cells: dict, targets: list[str]) -> str | None:
    """Return the reason why a target of a row is no number; None if all are. An empty target is allowed."""
    faulty = (name for name in targets if not cell_values.is_number(cells.get(name)))
    return next((cell_values.fault(name, cells.get(name)) for name in faulty), None)


def _values(cells: list, target: bool) -> list:
    if target:
        return [cell_values.number(cell) if cell_values.is_number(cell) else math.nan for cell in cells]
    return cell_values.column(cells)


def read(
    item: dict,
    *,
    path: str | None = None,
    set: str | None = None,
    structures: str | None = None,
    charges: str | None = None,
) -> tuple[dict, dict]:
    """Read one row: find the bond, and check the products if there are any; the options are those of `plan`.

    Returns the columns of the index that describe the molecule and its bond, and no further scalars. Raises BadItem if
    the molecule, the bond or the products are wrong.
    """
    files = _known(path, set, structures, charges) if path or set else (None, None)
    known = molecule_files.read(*files) if files[0] else None

    def connected(text: str, name: str):
        molecule = bonds.parsed(text, name) if known is None else known.molecule(text, name)
        bonds.connected(molecule, text, name)
        return molecule

    whole, index = connected(item["smiles"], "molecule"), item["bond"] or None
    texts = [item[name] for name in sorted(item) if name.startswith("product_")]
    given = [connected(text, "product") for text in texts if _text(text)]
    if given:
        bond = bonds.broken(whole, given, index)
    elif index is None:
        raise BadItem("it names neither a bond index nor products; give the number of the bond that breaks")
    else:
        bond = bonds.bond_at(whole, index)
        _check_ends(bond, index, item.get("bond_ends"))
    reaction = reactions.found(whole, bond, given)
    ends = sorted((bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()))
    found = {
        bonds.BROKEN: reaction.marked,
        BOND: ORDERS.get(bond.GetBondTypeAsDouble(), "~").join(ends),
        ATOMS: whole.GetNumAtoms(),
        reactions.CHARGE: reaction.charge,
        **dict(zip(reactions.CHARGES, reaction.ends, strict=True)),
        columns.GROUP: bonds.skeletons(whole)[0] if bonds.stated(whole) else bonds.plain(whole),
    }
    return found, {}


def _check_ends(bond, index: str, stated: str | None) -> None:
    """Raise BadItem if a table names other elements at the ends of a bond than the bond with its number has."""
    named = PAIR.fullmatch(stated or "")
    here = sorted((bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()))
    if named and sorted(named.groups()) != here:
        raise BadItem(
            f"its bond {index} is {'-'.join(here)}, and the column '{STATED}' says {stated}; bonds count from 0, after "
            "hydrogen is added"
        )


def index_row(found: dict, item: dict, meta: dict) -> dict:
    """Make the index row of an item: its plan without the texts of the table, and the result of `read`."""
    kept = {name: cell for name, cell in item.items() if name not in TEXTS and not name.startswith("product_")}
    return {**kept, **found, **meta}


def index_table(rows: list[dict]):
    """Stack the rows of an index; an empty index keeps its leading columns."""
    import pandas as pd

    leading = dict.fromkeys([columns.KEY, columns.ITEM, *MADE])
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*leading, *(name for name in frame.columns if name not in leading)])
