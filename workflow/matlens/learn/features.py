"""Features of items: measures of a study averaged per item, columns of the index, and compositions."""

from collections.abc import Iterable

from matlens import columns
from matlens.crystal import compositions
from matlens.registry import suggest

COMPOSITION = "composition"
BOND, FRAGMENTS = "bond", "fragments"
FIELDS = "fields"
OF_INDEX = ("index", COMPOSITION, BOND, FRAGMENTS)  # origins of features that are columns of the index


def origin(spec: str, measures: Iterable[str]) -> tuple[str, str]:
    """Split a feature into its origin and column; the origin is the longest name of a measure that fits.

    "regions.fine.area_um2" is of the variant "regions.fine" if it is among the measures.
    """
    fit = [name for name in measures if spec.startswith(f"{name}.")]
    name = max(fit, key=len, default=spec.partition(".")[0])
    return name, spec[len(name) + 1 :]


def numeric(table, name: str, origin: str):
    """Return one numeric column. Raises an error with the known ones if absent."""
    if name not in table.columns:
        numeric = [c for c in table.columns if table[c].dtype.kind in "fiub"]
        raise ValueError(f"{origin} has no column '{name}'; {suggest(name, numeric)}")
    if table[name].dtype.kind not in "fiub":
        raise ValueError(f"{origin} column '{name}' holds text{_where(table, name)}; give numbers, or leave it empty")
    return table[name].astype(float)


def _where(table, name: str) -> str:
    """Return the position of the first cell of a column that is not a number."""
    import pandas as pd

    text = table[name].notna() & pd.to_numeric(table[name], errors="coerce").isna()
    if not text.any():
        return ""
    place = int(text.to_numpy().argmax())
    row = f" at item '{table[columns.ITEM].iloc[place]}'" if columns.ITEM in table else ""
    return f", such as '{table[name].iloc[place]}'{row}"


def _described(index, spec: str, column: str) -> dict:
    """Describe the compositions in a column of the index by Magpie; nothing (NaN) where there is none to be read."""
    import numpy as np

    if column not in index:
        text = [name for name in index.columns if index[name].dtype.kind not in "fiub"]
        raise ValueError(f"feature '{spec}': index has no column '{column}'; {suggest(column, text)}")
    formulas, labels = index[column].astype(str).tolist(), compositions.magpie_names()
    there = np.array([compositions.readable(formula) for formula in formulas], bool)
    values = np.full((len(formulas), len(labels)), np.nan)
    values[there] = compositions.magpie([formula for formula, read in zip(formulas, there, strict=True) if read])
    return {f"{spec}: {label}": values[:, k] for k, label in enumerate(labels)}


def _breaks(index, spec: str, place: str, column: str) -> dict:
    """Describe the marked bonds in a column of the index by their environments, or by the parts that a break leaves."""
    from matlens.molecule import environments, fragments, reactions

    if column not in index:
        text = [name for name in index.columns if index[name].dtype.kind not in "fiub"]
        raise ValueError(f"feature '{spec}': index has no column '{column}'; {suggest(column, text)}")
    way = {BOND: environments, FRAGMENTS: fragments}[place]
    values = way.table(reactions.of_rows(index, column))
    return {f"{spec}: {label}": values[:, k] for k, label in enumerate(way.names())}


def _measured(table, spec: str, measure: str, column: str):
    """Average a measure over the rows of each item; `measure.column@phase` takes one phase of it."""
    column, _, phase = column.partition("@")
    if phase:
        names = table.get(columns.PHASE_NAME)
        if names is None or phase not in set(names):
            raise ValueError(f"feature '{spec}': no rows of phase '{phase}' in '{measure}'")
        table = table[names == phase]
    values = numeric(table, column, f"feature '{spec}': measure '{measure}'")
    return values.groupby(table[columns.ITEM]).mean()


def effective(table):
    """Return effective values of fields by item, one column per component: xx_xx, ..., bulk, shear; or x_x, ...."""
    names = table["row"] + table["column"].where(table["column"] == "", "_" + table["column"])
    wide = table.assign(name=names).pivot_table("value", columns.ITEM, "name", sort=True)
    return wide.reset_index().rename_axis(columns=None)


def build(index, tables: dict, names: list[str]):
    """Build the feature table: one row per item of the index, one column per feature.

    `index`: DataFrame of the items. `tables`: measure name -> DataFrame with the column `item`. `names`: features as
    "index.column", "measure.column", "measure.column@phase", "composition.column" (Magpie of that index column),
    "bond.column" (environments of the marked bonds of that index column), "fragments.column" (the parts that their
    breaks leave) or "fields.component" (effective value, see `effective`).
    Returns a DataFrame indexed by item; an item has NaN where a measure has no row for it, a number is not finite or a
    composition cannot be read.
    """
    import numpy as np
    import pandas as pd

    items = index[columns.ITEM].tolist()
    tables = {name: effective(table) if name == FIELDS else table for name, table in tables.items()}
    found = {}
    for spec in names:
        place, column = origin(spec, tables)
        if place == "index":
            found[spec] = numeric(index, column, f"feature '{spec}': index").to_numpy()
        elif place == COMPOSITION:
            found.update(_described(index, spec, column))
        elif place in (BOND, FRAGMENTS):
            found.update(_breaks(index, spec, place, column))
        elif place in tables:
            found[spec] = _measured(tables[place], spec, place, column).reindex(items).to_numpy()
        else:
            raise ValueError(f"feature '{spec}': {suggest(place, [*tables, *OF_INDEX])}")
    table = pd.DataFrame(found, index=pd.Index(items, name=columns.ITEM))
    return table.where(np.isfinite(table))
