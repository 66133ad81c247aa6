"""Molecules with a bond that breaks, from a table of SMILES with a bond index, or with products."""

import math

from matlens import columns
from matlens.ingest import spreadsheet, table_sets
from matlens.ingest.plan_rows import RESERVED, as_numbers
from matlens.job.batch import BadItem
from matlens.molecule import bonds

KIND = "molecules"  # of tables in the catalogue
NAMES = ("id", "item", "name")
SMILES = ("molecule", "smiles", "reactant")
BOND, ATOMS, CHARGE = "bond_type", "atoms", "charge_e"
MADE = (bonds.BROKEN, BOND, ATOMS, CHARGE, columns.GROUP)
ORDERS = {1.0: "-", 1.5: ":", 2.0: "=", 3.0: "#"}


def listing(*, path: str | None = None, set: str | None = None) -> str:
    """Digest the table; for a set its catalogue entry, which a download does not change."""
    return table_sets.listing(KIND, path, set)


def columns_of(
    *,
    path: str | None = None,
    set: str | None = None,
    molecule: str | None = None,
    bond_index: str | None = None,
    products: list[str] | None = None,
    item: str | None = None,
    targets: list[str] | None = None,
) -> list[str]:
    """List the index columns of a table; see `plan`. Raises ValueError if it lacks a column that is asked for."""
    file, header = table_sets.header(KIND, path, set)
    table_sets.require(file, header, [molecule, bond_index, item, *(products or []), *(targets or [])])
    return [*MADE, "smiles", "bond", *(_column(name) for name in header)]


def plan(
    *,
    path: str | None = None,
    set: str | None = None,
    molecule: str | None = None,
    bond_index: str | None = None,
    products: list[str] | None = None,
    item: str | None = None,
    targets: list[str] | None = None,
):
    """List the rows of a table as items, without reading the molecules.

    `path` or `set`: the table. `molecule`: column of SMILES; None: molecule, smiles or reactant. `bond_index`: column
    of the bond that breaks, counted from 0 in rdkit's order after hydrogen is added; None: the column bond_index, if
    there is one. `products`: columns of the SMILES of the products; None: not checked. `item`: column of names.
    Returns a DataFrame with item, the SMILES, bond index and products as text, the other columns (targets as
    numbers), and `reason` where a row cannot be used. Raises ValueError if the table cannot be used.
    """
    import pandas as pd

    file = table_sets.find(KIND, path, set)
    header, table = spreadsheet.read(file)
    table_sets.require(file, header, [molecule, bond_index, item, *(products or []), *(targets or [])])
    smiles = molecule or next((name for wanted in SMILES for name in header if name.lower() == wanted), None)
    if smiles is None:
        raise ValueError(f"table '{file}' has no column of SMILES; name it by 'molecule': {', '.join(header)[:200]}")
    index = bond_index or ("bond_index" if "bond_index" in header else None)
    if index is None and not products:
        raise ValueError(f"table '{file}' does not say which bond breaks; name a column 'bond_index', or 'products'")
    names = next((name for name in ([item] if item else NAMES) if name in header), None)
    rows, seen = [], {}
    for number, cells in enumerate(table, 1):
        name = table_sets.name_of(cells.get(names), file, number)
        row = {columns.ITEM: name, columns.REASON: _fault(cells, targets or [])}
        if seen.setdefault(name, number) != number:
            row[columns.REASON] = f"two rows have the same name: rows {seen[name]} and {number}; rename one"
        row |= {"smiles": _text(cells[smiles]), "bond": _text(cells[index]) if index else ""}
        rows.append(row | {f"product_{k}": _text(cells[name]) for k, name in enumerate(products or [], 1)})
    beside = [name for name in header if name not in (names, smiles, index, *(products or []))]
    made = {_column(name): _values([cells.get(name) for cells in table], name in (targets or [])) for name in beside}
    return pd.concat([pd.DataFrame(rows), pd.DataFrame(made)], axis=1)


def _text(cell) -> str:
    return "" if cell is None else str(cell).strip()


def _column(name: str) -> str:
    return f"source_{name}" if name in RESERVED | {*MADE, "smiles", "bond"} or name.startswith("product_") else name


def _finite(cell) -> bool:
    try:
        return _text(cell) == "" or math.isfinite(float(cell))
    except (TypeError, ValueError):
        return False


def _fault(cells: dict, targets: list[str]) -> str | None:
    """Return the reason why a target of a row is no number; None if all are. An empty target is allowed."""
    for name in targets:
        if not _finite(cells.get(name)):
            given = _text(cells.get(name))[: bonds.SHORT]
            return f"its {name} is {given!r}, not a finite number; write it like 12.5"
    return None


def _values(cells: list, target: bool) -> list:
    return as_numbers([cell if _finite(cell) and _text(cell) else None for cell in cells] if target else cells)


def read(item: dict) -> tuple[dict, dict]:
    """Read one row: find the bond, and check the products if there are any.

    Returns the columns of the index that describe the molecule and its bond, and no further scalars. Raises BadItem if
    the SMILES, the bond or the products are wrong.
    """
    whole = bonds.parsed(item["smiles"])
    bonds.connected(whole, item["smiles"])
    given = [item[name] for name in sorted(item) if name.startswith("product_")]
    index = item["bond"] or None
    if given:
        made = [bonds.parsed(text, "product") for text in given if _text(text)]
        bond = bonds.broken(whole, made, index)
    elif index is None:
        raise BadItem("its bond index is empty; give the number of the bond that breaks")
    else:
        bond = bonds.bond_at(whole, index)
    ends = sorted((bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()))
    found = {
        bonds.BROKEN: bonds.marked(whole, bond),
        BOND: ORDERS.get(bond.GetBondTypeAsDouble(), "~").join(ends),
        ATOMS: whole.GetNumAtoms(),
        CHARGE: bonds.charge(whole),
        columns.GROUP: bonds.plain(whole),
    }
    return found, {}


def index_row(found: dict, item: dict, meta: dict) -> dict:
    """Make the index row of an item: its plan without the texts of the table, and the result of `read`."""
    texts = ("smiles", "bond")
    kept = {name: cell for name, cell in item.items() if name not in texts and not name.startswith("product_")}
    return {**kept, **found, **meta}


def index_table(rows: list[dict]):
    """Stack the rows of an index; an empty index keeps its leading columns."""
    import pandas as pd

    leading = dict.fromkeys([columns.KEY, columns.ITEM, *MADE])
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*leading, *(name for name in frame.columns if name not in leading)])
